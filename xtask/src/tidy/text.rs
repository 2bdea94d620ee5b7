//! Checks of any text file.

use super::{Complaint, File};

/// Folders at the top of someone's machine that no file of the project has a reason to name.
const MACHINE_FOLDERS: [&str; 4] = ["home", "root", "work", "Users"];

/// Spaces or tabs at the end of a line.
pub fn trailing_whitespace(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().enumerate().filter(|(_, line)| line.ends_with([' ', '\t']));
    lines.map(|(i, _)| file.complaint(i + 1, "whitespace at the end of the line")).collect()
}

/// Absolute paths of someone's machine.
pub fn machine_paths(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().enumerate().filter(|(_, line)| names_machine_folder(line));
    lines.map(|(i, _)| file.complaint(i + 1, "an absolute path of someone's machine")).collect()
}

/// What ARCHITECTURE.md names as a path that is none, neither from the root nor from `crates/` on.
pub fn paths_that_are_gone(files: &[File]) -> Vec<Complaint> {
    let leads = |name: &str, path: &str| {
        path.strip_prefix(name.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_there = |name: &str| {
        files.iter().any(|f| leads(name, &f.path) || f.path.strip_prefix("crates/").is_some_and(|p| leads(name, p)))
    };
    let map = files.iter().filter(|file| file.path == "ARCHITECTURE.md");
    let lines = map.flat_map(|file| file.text.lines().enumerate().map(move |(i, line)| (file, i, line)));
    let named = lines.flat_map(|(file, i, line)| line.split('`').skip(1).step_by(2).map(move |name| (file, i, name)));
    named
        .filter(|(_, _, name)| is_path(name) && !is_there(name))
        .map(|(file, i, name)| file.complaint(i + 1, &format!("there is no {name}")))
        .collect()
}

fn is_path(name: &str) -> bool {
    name.contains('/') && name.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c))
}

/// A path is absolute if its first `/` does not continue a name, as it does in a URL or in `crates/work/`.
fn names_machine_folder(line: &str) -> bool {
    let continues = |c: char| c.is_alphanumeric() || "._-~)}*".contains(c);
    MACHINE_FOLDERS.iter().any(|folder| {
        let path = format!("/{folder}/");
        line.match_indices(&path).any(|(at, _)| !line[..at].ends_with(continues))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_at_the_end_is_found() {
        assert_eq!(trailing_whitespace(&File::new("a.md", "one\ntwo \n\tthree\t\n")).len(), 2);
        assert!(trailing_whitespace(&File::new("a.md", "one\n\n\tthree\n")).is_empty());
    }

    #[test]
    fn paths_that_are_gone_are_found() {
        let text = "in `cpu/src/conv/`, `cpu/src/conv`, `docs/ops.md`; `x / y`, plain/text\n`core/src/gone.rs` and `cpu/src/con`";
        let files = ["crates/cpu/src/conv/mod.rs", "docs/ops.md"].map(|path| File::new(path, ""));
        let files: Vec<File> = files.into_iter().chain([File::new("ARCHITECTURE.md", text)]).collect();
        let wanted = ["there is no core/src/gone.rs", "there is no cpu/src/con"];
        assert_eq!(paths_that_are_gone(&files), wanted.map(|what| format!("ARCHITECTURE.md:2: {what}")));
    }

    #[test]
    fn machine_paths_are_found() {
        // Put together here, since the check reads this file too.
        let slash = '/';
        let bad = format!("see {slash}home/ada/data\nDIR={slash}root/x\n\"{slash}work/y\"");
        assert_eq!(machine_paths(&File::new("a.toml", bad)).len(), 3);
        assert!(machine_paths(&File::new("a.md", "https://example.org/home/a\ncrates/work/b\n~/root/c")).is_empty());
    }
}
