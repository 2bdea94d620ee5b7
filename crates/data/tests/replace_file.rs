//! Files that are replaced in one step: what is there at any moment, and after a failure.

mod common;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{Folder, assert_says};
use cotangent_base::Result;
use cotangent_data::replace_file;

fn put(path: &Path, text: &str) -> Result<()> {
    replace_file(path, |file| file.write_all(text.as_bytes()))
}

/// The names in a folder, in alphabetical order.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_new_content_is_there_and_nothing_else() {
    let folder = Folder::new("replace");
    let path = folder.path().join("a.txt");
    for text in ["one", "another", ""] {
        put(&path, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(names(&folder), ["a.txt"]);
}

#[test]
fn a_failure_leaves_the_old_content_and_nothing_else() {
    let folder = Folder::new("replace-failure");
    let path = folder.file("a.txt", b"old");
    let broken = replace_file(&path, |file| {
        file.write_all(&[7; 1 << 20])?;
        Err(io::Error::other("the source ran dry"))
    });
    assert_says(broken, &["a.txt", "cannot write the file; what was there before is untouched", "the source ran dry"]);
    let panicked = thread::scope(|scope| scope.spawn(|| replace_file(&path, |_| panic!("midway"))).join());
    assert!(panicked.is_err());
    assert_eq!((fs::read(&path).unwrap(), names(&folder)), (b"old".to_vec(), vec!["a.txt".to_owned()]));
}

/// The kernel's own "no space left": the bytes go where the device file of a full disk takes none.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named() {
    let folder = Folder::new("replace-full");
    let path = folder.file("a.txt", b"old");
    let full = replace_file(&path, |_| File::options().write(true).open("/dev/full")?.write_all(b"new"));
    assert_says(full, &["a.txt", "No space left on device"]);
    assert_eq!((fs::read(&path).unwrap(), names(&folder)), (b"old".to_vec(), vec!["a.txt".to_owned()]));
}

#[test]
fn what_is_no_place_for_a_file_is_refused() {
    let folder = Folder::new("replace-place");
    let path = folder.path();
    assert_says(put(&path.join("b/a.txt"), ""), &["b/a.txt", "cannot write", "there is no folder", "make it first"]);
    folder.file("file", b"old");
    assert_says(put(&path.join("file/a.txt"), ""), &["file/a.txt", "cannot write", "Not a directory"]);
    assert_says(put(path, ""), &["no regular file"]);
    assert_says(put(Path::new("/"), ""), &["no regular file"]);
    assert_eq!(names(&folder), ["file"]);
    #[cfg(unix)]
    {
        assert_says(put(Path::new("/dev/null"), ""), &["/dev/null", "no regular file"]);
        std::os::unix::fs::symlink("nowhere", path.join("link")).unwrap();
        assert_says(put(&path.join("link"), ""), &["the link leads nowhere"]);
    }
}

/// For root, who may write anywhere, the folder is one that takes no files at all.
#[test]
#[cfg(target_os = "linux")]
fn a_read_only_folder_is_named() {
    use std::os::unix::fs::PermissionsExt;
    assert_says(put(Path::new("/proc/self/a.txt"), ""), &["/proc/self/a.txt", "cannot write the file"]);
    let folder = Folder::new("replace-read-only");
    let path = folder.file("a.txt", b"old");
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    let allowed = File::create(folder.path().join("probe")).is_ok();
    let result = put(&path, "new");
    mode(0o700);
    match allowed {
        true => result.unwrap(),
        false => {
            assert_says(result, &["a.txt", "Permission denied"]);
            assert_eq!((fs::read(&path).unwrap(), names(&folder)), (b"old".to_vec(), vec!["a.txt".to_owned()]));
        }
    }
}

#[test]
#[cfg(unix)]
fn links_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("replace-link");
    let path = folder.file("a.txt", b"old");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link.txt");
    symlink("a.txt", &link).unwrap();
    put(&link, "new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_killed_programs_left_is_cleaned_up() {
    let folder = Folder::new("replace-stale");
    folder.file(".a.txt.123-0.cotangent-tmp", b"torn");
    folder.file(".b.txt.123-0.cotangent-tmp", b"of another file");
    folder.file(".a.txt.tmp", b"of another program");
    let live = File::create(folder.path().join(".a.txt.124-0.cotangent-tmp")).unwrap();
    live.lock().unwrap();
    put(&folder.path().join("a.txt"), "new").unwrap();
    assert_eq!(names(&folder), [".a.txt.124-0.cotangent-tmp", ".a.txt.tmp", "a.txt"]);
    drop(live);
    put(&folder.path().join("a.txt"), "newer").unwrap();
    assert_eq!(names(&folder), [".a.txt.tmp", "a.txt"]);
}

#[test]
fn readers_and_writers_at_once_see_whole_files() {
    let folder = Folder::new("replace-race");
    let path = folder.path().join("a.bin");
    replace_file(&path, |file| file.write_all(&[0; 5000])).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let bytes = fs::read(&path).unwrap();
                assert!(bytes.len() == 5000 && bytes.iter().all(|b| *b == bytes[0]), "{} bytes", bytes.len());
                reads += 1;
            }
            reads
        });
        let write = |value: u8| (0..100).for_each(|_| replace_file(&path, |f| f.write_all(&[value; 5000])).unwrap());
        let writers = [1, 2].map(|value| scope.spawn(move || write(value)));
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    assert_eq!(names(&folder), ["a.bin"]);
}
