//! The record in `BENCHMARKS.md`: a section for the day, above the older ones.

use std::path::Path;
use std::process::Command;

/// What has been measured.
pub struct Record<'a> {
    pub title: &'a str,
    /// The words behind `cargo xtask bench`.
    pub words: &'a [String],
    pub threads: usize,
    /// What the cells are.
    pub cells: &'a str,
    pub versions: Vec<String>,
    pub tables: String,
}

/// Writes the tables with what they were taken with; true if that could be done.
pub fn write(root: &Path, record: &Record) -> bool {
    let path = root.join("BENCHMARKS.md");
    let record = section(record);
    let inserted = std::fs::read_to_string(&path).map(|text| insert(&text, &record));
    inserted.and_then(|text| std::fs::write(&path, text)).inspect_err(|problem| eprintln!("{problem}")).is_ok()
}

fn section(record: &Record) -> String {
    let Record { title, words, threads, cells, versions, tables } = record;
    let (day, machine, versions, command) = (said_by("date", &["+%F"]), machine(), versions.join("; "), command(words));
    let threads = if *threads == 1 { "1 thread".to_owned() } else { format!("{threads} threads") };
    format!(
        "## {day}: {title}\n\nMachine: {machine}; {threads}. {cells}\n{versions}.\n\n`cargo xtask bench {command}`\n{tables}\n"
    )
}

/// The command line as others may give it: their interpreter lies elsewhere.
fn command(words: &[String]) -> String {
    let python = words.iter().position(|word| word == "--python");
    let others = words.iter().enumerate().filter(|&(i, _)| python.is_none_or(|at| i != at && i != at + 1));
    others.map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(" ")
}

/// `text` with the record above its first section.
fn insert(text: &str, record: &str) -> String {
    let at = text.find("\n## ").map_or(text.len(), |at| at + 1);
    format!("{}{record}{}", &text[..at], &text[at..])
}

/// The processor, how many of them, and the system.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, m)| m);
    let count = info.lines().filter(|line| line.starts_with("processor")).count();
    format!("{count} cores of {model}, {}", said_by("uname", &["-sr"]))
}

fn said_by(program: &str, words: &[&str]) -> String {
    let said = Command::new(program).args(words).output();
    said.map_or_else(|_| String::new(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_stays_out_of_the_record() {
        let words = ["--peers", "--python", "venv/bin/python", "--record"].map(str::to_owned);
        assert_eq!(command(&words), "--peers --record");
    }

    #[test]
    fn the_newest_record_comes_first() {
        let text = insert("# Benchmarks\n\nRecords.\n\n## old\n", "## new\n\n");
        assert_eq!(text, "# Benchmarks\n\nRecords.\n\n## new\n\n## old\n");
    }
}
