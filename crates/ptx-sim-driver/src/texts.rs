//! The texts of modules: others put in their place, and copies kept, where the environment asks for it.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::path::Path;

use crate::answer::{Answer, Error};
use crate::options::Settings;

/// The file that begins with the same comment as `text`, or `text` where there is none.
pub fn instead<'a>(settings: &Settings, text: &'a str) -> Answer<Cow<'a, str>> {
    let first = text.lines().next().unwrap_or_default();
    let Some(folder) = settings.instead.as_deref().filter(|_| first.starts_with("//")) else {
        return Ok(Cow::Borrowed(text));
    };
    let files = told(folder, std::fs::read_dir(folder))?.filter_map(|entry| Some(entry.ok()?.path()));
    for file in files.filter(|path| path.extension() == Some(OsStr::new("ptx"))) {
        let other = told(&file, std::fs::read_to_string(&file))?;
        if other.lines().next() == Some(first) {
            return Ok(Cow::Owned(other));
        }
    }
    Ok(Cow::Borrowed(text))
}

/// Writes `text` to a file whose name depends on nothing else.
pub fn keep(settings: &Settings, text: &str) -> Answer {
    let Some(folder) = &settings.keep else { return Ok(()) };
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let file = folder.join(format!("{:016x}.ptx", hasher.finish()));
    told(folder, std::fs::create_dir_all(folder))?;
    told(&file, std::fs::write(&file, text))
}

fn told<T>(path: &Path, result: std::io::Result<T>) -> Answer<T> {
    result.map_err(|error| {
        eprintln!("ptxsim: {}: {error}", path.display());
        Error::FileNotFound
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_replaced_by_the_file_of_the_same_first_line() {
        let folder = std::env::temp_dir().join(format!("ptxsim-texts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.ptx"), "// source 1\nother").unwrap();
        std::fs::write(folder.join("b.txt"), "// source 2\nother").unwrap();
        let path = folder.to_str().unwrap().to_owned();
        let mut settings = Settings::read(|name| (name == "PTXSIM_INSTEAD").then(|| path.clone()));
        assert_eq!(instead(&settings, "// source 1\none").unwrap(), "// source 1\nother");
        assert_eq!(instead(&settings, "// source 2\none").unwrap(), "// source 2\none");
        assert_eq!(instead(&settings, ".version 7.0").unwrap(), ".version 7.0");
        settings.keep = Some(folder.join("kept"));
        keep(&settings, "// source 1").unwrap();
        keep(&settings, "// source 1").unwrap();
        let kept: Vec<_> = std::fs::read_dir(folder.join("kept")).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!((kept.len(), std::fs::read_to_string(&kept[0]).unwrap().as_str()), (1, "// source 1"));
        settings.instead = Some(folder.join("absent"));
        assert_eq!(instead(&settings, "// source 1").unwrap_err(), Error::FileNotFound);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
