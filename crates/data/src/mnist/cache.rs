//! The folder where downloads are kept.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder for MNIST's files: `$COTANGENT_CACHE/mnist`, else `cotangent/mnist` in the user's cache directory.
///
/// `None` if the environment names no home.
pub fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = path("COTANGENT_CACHE").or_else(|| Some(user_caches(path)?.join("cotangent")))?;
    Some(base.join("mnist"))
}

#[cfg(windows)]
fn user_caches(path: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    path("LOCALAPPDATA")
}

#[cfg(target_os = "macos")]
fn user_caches(path: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    Some(path("HOME")?.join("Library/Caches"))
}

/// As the XDG Base Directory Specification has it; it wants relative paths ignored.
#[cfg(not(any(windows, target_os = "macos")))]
fn user_caches(path: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let xdg = path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    xdg.or_else(|| Some(path("HOME")?.join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<PathBuf> {
        folder(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn cotangent_cache_comes_first() {
        let all = [("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("LOCALAPPDATA", "/l"), ("COTANGENT_CACHE", "/c")];
        assert_eq!(with(&all), Some("/c/mnist".into()));
        assert_eq!(with(&[]), None);
    }

    #[test]
    #[cfg(not(any(windows, target_os = "macos")))]
    fn then_xdg_and_home() {
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), Some("/x/cotangent/mnist".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "")]), Some("/h/.cache/cotangent/mnist".into()));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")]), Some("/h/.cache/cotangent/mnist".into()));
    }
}
