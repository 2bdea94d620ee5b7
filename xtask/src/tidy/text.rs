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
    fn machine_paths_are_found() {
        // Put together here, since the check reads this file too.
        let slash = '/';
        let bad = format!("see {slash}home/ada/data\nDIR={slash}root/x\n\"{slash}work/y\"");
        assert_eq!(machine_paths(&File::new("a.toml", bad)).len(), 3);
        assert!(machine_paths(&File::new("a.md", "https://example.org/home/a\ncrates/work/b\n~/root/c")).is_empty());
    }
}
