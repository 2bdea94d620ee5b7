//! The repository: its root, its text files, and cargo run at its root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tidy::File;

/// Folders that hold no source: what cargo builds, what examples write, what git keeps.
const SKIPPED: [&str; 3] = ["target", "out", ".git"];

/// The folder of the workspace. Asked at run time, since a build folder may be shared between checkouts.
pub fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").expect("run me through cargo: `cargo xtask <chore>`");
    Path::new(&xtask).parent().expect("xtask lies in the workspace").to_path_buf()
}

/// Cargo at `root`, the same one that runs this program. What cargo has told this program of its package is taken away: build
/// scripts that look at it would have everything above them built again.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_xtask = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_xtask)) {
        command.env_remove(name);
    }
    command.current_dir(root);
    command
}

/// Builds one target with `cargo {arguments}` and gives the path of its executable, or nothing if it does not build.
pub fn built(root: &Path, arguments: &str) -> Option<PathBuf> {
    let mut cargo = cargo(root);
    cargo.args(arguments.split(' ')).arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = cargo.output().ok().filter(|output| output.status.success())?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = messages.rsplit("\"executable\":\"").next().filter(|rest| rest.len() < messages.len())?;
    Some(PathBuf::from(path.split('"').next()?))
}

/// Every UTF-8 file below `root`, sorted by path. Walks the folders instead of asking git, so that it also
/// works in an unpacked archive.
pub fn text_files(root: &Path) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder) {
            let name = entry.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if entry.is_symlink() || SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(text) = std::fs::read_to_string(&entry) {
                let path = entry.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                files.push(File::new(path, text));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// What lies in `folder`, sorted; nothing if there is no such folder.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut entries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    entries
}
