//! Replacing a file in one step: whoever reads it finds the old content or the new one, whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use cotangent_base::{Error, Result};

/// Writes the file `path` anew, as what `write` writes.
///
/// The bytes go into a temporary file in the same folder, are synced to the disk, and the temporary file takes the
/// name `path`; then the folder is synced. A program that is killed, or a machine that stops, at any moment leaves the
/// old file or the new one at `path`. A temporary file that a killed program has left behind is removed the next time
/// that a file in the folder is replaced.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("cotangent-doc-{}.txt", std::process::id()));
/// use std::io::Write;
/// cotangent_data::replace_file(&path, |file| file.write_all(b"all or nothing"))?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"all or nothing");
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cotangent_base::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written: the folder is missing or read-only, the disk is full, `path` is no regular file. What
/// was at `path` before is untouched then, and the temporary file is removed.
pub fn replace_file(path: impl AsRef<Path>, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    let path = path.as_ref();
    let target = Target::new(path)?;
    remove_stale(&target.folder);
    let temporary = target.temporary().map_err(|e| target.error(e))?;
    temporary.fill(&target, write).map_err(|e| target.error(e))?;
    sync_folder(&target.folder).map_err(|e| {
        let message = "the file is written, but its folder could not be synced: a power failure may undo it";
        Error::new(target.name(), message).because(e)
    })
}

/// Where the file is to be.
struct Target {
    path: PathBuf,
    folder: PathBuf,
    /// What the names of its temporary files begin with.
    prefix: OsString,
}

/// What the names of temporary files end with: `.name.123-4.cotangent-tmp`.
const SUFFIX: &str = ".cotangent-tmp";

impl Target {
    fn new(path: &Path) -> Result<Self> {
        let refuse = |message: &str| Error::new(path.display().to_string(), message);
        // a link stays, and what it points at is replaced
        let linked = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        let path = match linked {
            true => fs::canonicalize(path).map_err(|e| refuse("the link leads nowhere").because(e))?,
            false => path.to_owned(),
        };
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(refuse("this is no regular file; it is not written over").hint("give the name of a file"));
        }
        let Some(name) = path.file_name() else { return Err(refuse("the path names no file")) };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { path, folder, prefix })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn error(&self, e: io::Error) -> Error {
        let missing = e.kind() == ErrorKind::NotFound && !self.folder.exists();
        let error = Error::new(self.name(), "cannot write the file; what was there before is untouched").because(e);
        if missing { error.hint(format!("there is no folder {}: make it first", self.folder.display())) } else { error }
    }

    /// A new temporary file, locked for as long as this process lives and has it open.
    fn temporary(&self) -> io::Result<Temporary> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let mut name = self.prefix.clone();
            name.push(format!("{}-{}{SUFFIX}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
            let path = self.folder.join(name);
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            // where a file system knows no locks, nobody takes this file for a stale one either
            let _ = file.lock();
            // before the lock, another process may have taken it for a stale one
            if path.exists() {
                return Ok(Temporary { path, file });
            }
        }
    }
}

/// Removes temporary files of programs that live no more: those that nobody has locked.
fn remove_stale(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().ends_with(SUFFIX.as_bytes())) {
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            // if it cannot be removed, the next writer tries again
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file beside the target, which goes away unless it takes the target's name.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// Writes, syncs and renames.
    fn fill(self, target: &Target, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
        if let Ok(old) = fs::metadata(&target.path) {
            self.file.set_permissions(old.permissions())?;
        }
        let mut writer = BufWriter::with_capacity(1 << 16, self.file.try_clone()?);
        write(&mut writer)?;
        writer.flush()?;
        self.file.sync_all()?;
        fs::rename(&self.path, &target.path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // after the renaming there is nothing under this name any more; otherwise the error that counts is known
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the new name last.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // some file systems cannot
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
