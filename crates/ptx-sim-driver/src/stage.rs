//! Where the stand-in is put for a child process to find.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The stand-in's file name, as cargo builds it.
const BUILT: &str = "libptxsim_driver.so";

/// Makes `libcuda.so` in a folder of its own, `ptxsim` beside the profile folders of the target directory, and returns
/// that folder: to be put on `LD_LIBRARY_PATH` of a child process, never of this one.
///
/// # Errors
/// If the stand-in was not built (it is, for a crate that depends on this one) or the link cannot be made.
pub fn stage() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let built =
        program.ancestors().skip(1).take(3).flat_map(|folder| [folder.join(BUILT), folder.join("deps").join(BUILT)]);
    let built = built
        .into_iter()
        .find(|path| path.exists())
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{BUILT} is not near {}", program.display())))?;
    let profile = built.ancestors().skip(1).find(|folder| folder.file_name() != Some(OsStr::new("deps")));
    let profile = profile.ok_or_else(|| io::Error::other("the target folder has no profile"))?;
    // One folder for each profile: a debug and a release build may run side by side.
    let folder = profile.parent().unwrap_or(profile).join("ptxsim").join(profile.file_name().unwrap_or_default());
    std::fs::create_dir_all(&folder)?;
    link(&built, &folder.join("libcuda.so"))?;
    Ok(folder)
}

/// Links in one step, since other processes and threads may be at it too.
fn link(to: &Path, name: &Path) -> io::Result<()> {
    if std::fs::read_link(name).is_ok_and(|found| found == to) {
        return Ok(());
    }
    static LINKS: AtomicUsize = AtomicUsize::new(0);
    let fresh = name.with_extension(format!("so.{}.{}", std::process::id(), LINKS.fetch_add(1, Relaxed)));
    // left behind by a process of the same number that was killed
    std::fs::remove_file(&fresh).ok();
    std::os::unix::fs::symlink(to, &fresh)?;
    std::fs::rename(&fresh, name)
}

/// A command that finds the stand-in where it looks for NVIDIA's driver.
///
/// # Errors
/// As [`stage`].
pub fn command(program: impl AsRef<OsStr>) -> io::Result<Command> {
    let mut path = stage()?.into_os_string();
    if let Some(rest) = std::env::var_os("LD_LIBRARY_PATH") {
        path.push(":");
        path.push(rest);
    }
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", path);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_may_link_at_once() {
        let folder = std::env::temp_dir().join(format!("ptxsim-stage-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let name = folder.join("libcuda.so");
        // every link is another, so that none finds its work done already
        let work = |thread: usize| (0..200).try_for_each(|i| link(&folder.join(format!("{thread}.{i}")), &name));
        let results: Vec<io::Result<()>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || work(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let left = std::fs::read_dir(&folder).unwrap().count();
        std::fs::remove_dir_all(&folder).unwrap();
        results.into_iter().for_each(|result| result.unwrap());
        assert_eq!(left, 1, "nothing but the link is left");
    }
}
