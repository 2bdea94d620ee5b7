//! Every PTX file through every assembler: nothing may be refused, and no register may go to memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{fs, thread};

use super::assembler::{self, Needs, RELEASES, Release};
use super::files;
use crate::repo;

/// How many emitted texts are looked at, drawn evenly from all.
const SAMPLE: usize = 96;

/// A file, and the name under which its kernels are counted: none stands for their own.
struct Text {
    path: PathBuf,
    name: Option<&'static str>,
    version: (u32, u32),
    /// `80`, or `90` and the letter of an architecture that is not upward compatible.
    target: (u32, String),
}

/// One run of an assembler.
struct Job<'a> {
    text: &'a Text,
    ptxas: &'a Path,
    column: usize,
}

/// The results: for each kernel a cell for each column, empty where a file is not for it.
type Table = BTreeMap<String, Vec<Option<Needs>>>;

/// Assembles all; true if every assembler takes every file without a spill.
pub fn run(root: &Path) -> bool {
    let (assemblers, emitted) = match assembler::find(root).and_then(|found| Ok((found, emitted(root)?))) {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error}");
            return false;
        }
    };
    let snapshots = files(&root.join("crates/cuda/src/emit/snapshots"));
    let emitted = emitted.into_iter().chain(snapshots).map(|path| (path, Some("emitted (most)")));
    let all = files(&root.join("kernels")).into_iter().map(|path| (path, None)).chain(emitted);
    let (mut texts, mut refused) = (Vec::new(), Vec::new());
    for (path, name) in all {
        match text(&path, name) {
            Some(text) if !jobs(&text, &columns(), &assemblers).is_empty() => texts.push(text),
            _ => refused.push(format!("{}: no assembler is for its .version and .target", path.display())),
        }
    }
    let columns = columns();
    let jobs: Vec<Job> = texts.iter().flat_map(|text| jobs(text, &columns, &assemblers)).collect();
    println!("{} files, {} runs of {} assemblers", texts.len(), jobs.len(), assemblers.len());
    let (table, more) = assemble_all(&jobs, &columns);
    refused.extend(more);
    print!("{}", shown(&columns, &table));
    refused.iter().for_each(|refusal| eprintln!("{refusal}"));
    let spills = table.values().flatten().flatten().filter(|needs| needs.spilled > 0).count();
    println!("{} kernels, {} refusals, {spills} with spills", table.len(), refused.len());
    refused.is_empty() && spills == 0
}

/// A release and a compute capability.
fn columns() -> Vec<(usize, u32)> {
    let of = |(i, release): (usize, &Release)| release.targets.iter().map(|&t| (i, t)).collect::<Vec<_>>();
    RELEASES.iter().enumerate().flat_map(of).collect()
}

/// What the tests emit on the simulator, or an even sample of it.
fn emitted(root: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = root.join("target").join("ptx");
    fs::remove_dir_all(&folder).ok();
    let mut cargo = repo::cargo(root);
    cargo.args(["test", "--release", "--quiet", "--package", "cotangent-cuda-suite", "--test", "cuda"]);
    // no GPU, hence the simulator, which keeps what it is given
    cargo.env("CUDA_VISIBLE_DEVICES", "").env("PTXSIM_KEEP", &folder).stdout(std::process::Stdio::null());
    if !cargo.status().is_ok_and(|status| status.success()) {
        return Err("the CUDA suite fails on the simulator".to_owned());
    }
    let is_emitted = |path: &PathBuf| !fs::read_to_string(path).is_ok_and(|text| text.starts_with("//"));
    let all: Vec<PathBuf> = repo::entries(&folder).into_iter().filter(is_emitted).collect();
    println!("{} texts were emitted", all.len());
    let step = all.len().div_ceil(SAMPLE).max(1);
    if all.is_empty() {
        Err("the CUDA suite emits nothing".to_owned())
    } else {
        Ok(all.into_iter().step_by(step).collect())
    }
}

/// What the head of a file says.
fn text(path: &Path, name: Option<&'static str>) -> Option<Text> {
    let text = fs::read_to_string(path).ok()?;
    let value = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)).map(str::trim);
    let (major, minor) = value(".version")?.split_once('.')?;
    let target = value(".target")?.split(',').next()?.strip_prefix("sm_")?;
    let digits = target.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let target = (digits.parse().ok()?, target[digits.len()..].to_owned());
    Some(Text { path: path.to_owned(), name, version: (major.parse().ok()?, minor.parse().ok()?), target })
}

impl Text {
    /// Whether it is for `target`, and in a language that the release knows.
    fn fits(&self, release: &Release, target: u32) -> bool {
        let (least, letter) = &self.target;
        let runs = if letter.is_empty() { target >= *least } else { target == *least };
        runs && self.version <= release.ptx
    }
}

fn jobs<'a>(text: &'a Text, columns: &[(usize, u32)], assemblers: &'a [PathBuf]) -> Vec<Job<'a>> {
    let fits = |&(_, &(release, target)): &(usize, &(usize, u32))| text.fits(&RELEASES[release], target);
    let fitting = columns.iter().enumerate().filter(fits);
    fitting.map(|(column, &(release, _))| Job { text, ptxas: &assemblers[release], column }).collect()
}

/// Runs the jobs on all cores: the table, and what was refused.
fn assemble_all(jobs: &[Job], columns: &[(usize, u32)]) -> (Table, Vec<String>) {
    let (next, done) = (AtomicUsize::new(0), Mutex::new((Table::new(), Vec::new())));
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Relaxed)) {
            let target = format!("sm_{}{}", columns[job.column].1, job.text.target.1);
            let result = assembler::assemble(job.ptxas, &target, &job.text.path);
            let (table, refused) = &mut *done.lock().expect("no thread panics");
            match result {
                Ok(needs) => add(table, job, needs, columns.len()),
                Err(said) => refused.push(format!("{} for {target}: {said}", job.text.path.display())),
            }
        }
    };
    thread::scope(|scope| {
        (0..thread::available_parallelism().map_or(1, |n| n.get())).for_each(|_| drop(scope.spawn(work)));
    });
    done.into_inner().expect("no thread panics")
}

/// Of kernels under one name the table has the greatest needs.
fn add(table: &mut Table, job: &Job, needs: BTreeMap<String, Needs>, columns: usize) {
    for (kernel, needs) in needs {
        let kernel = job.text.name.map_or(kernel, str::to_owned);
        let cell = &mut table.entry(kernel).or_insert_with(|| vec![None; columns])[job.column];
        let old = cell.unwrap_or_default();
        *cell = Some(Needs { registers: old.registers.max(needs.registers), spilled: old.spilled.max(needs.spilled) });
    }
}

/// A line for each kernel: registers, and after a plus sign the bytes spilled.
fn shown(columns: &[(usize, u32)], table: &Table) -> String {
    let width = table.keys().map(String::len).max().unwrap_or(0).max(6);
    let cell = |text: String| format!("{text:>7}");
    let head = |f: &dyn Fn(&(usize, u32)) -> String| columns.iter().map(|c| cell(f(c))).collect::<String>();
    let mut lines = vec![
        format!("{:<width$}{}", "CUDA", head(&|&(release, _)| RELEASES[release].name.to_owned())),
        format!("{:<width$}{}", "sm", head(&|&(_, target)| target.to_string())),
    ];
    for (kernel, cells) in table {
        let of = |needs: &Option<Needs>| match needs {
            None => "-".to_owned(),
            Some(Needs { registers, spilled: 0 }) => registers.to_string(),
            Some(Needs { registers, spilled }) => format!("{registers}+{spilled}"),
        };
        lines.push(format!("{kernel:<width$}{}", cells.iter().map(|needs| cell(of(needs))).collect::<String>()));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(version: (u32, u32), target: (u32, &str)) -> Text {
        Text { path: PathBuf::new(), name: None, version, target: (target.0, target.1.to_owned()) }
    }

    #[test]
    fn a_file_is_for_its_target_and_later_ones() {
        let fitting = |text: &Text| -> Vec<String> {
            let fits = columns().into_iter().filter(|&(release, target)| text.fits(&RELEASES[release], target));
            fits.map(|(release, target)| format!("{}:{target}", RELEASES[release].name)).collect()
        };
        assert_eq!(fitting(&text((7, 0), (80, ""))).len(), 12);
        assert_eq!(fitting(&text((6, 3), (75, ""))).len(), 15);
        assert_eq!(fitting(&text((8, 0), (90, "a"))), ["12.0:90", "13.0:90"]);
    }

    #[test]
    fn the_table_shows_registers_and_spills() {
        let columns = [(0, 80), (2, 120)];
        let needs = |registers, spilled| Some(Needs { registers, spilled });
        let table =
            Table::from([("a".to_owned(), vec![needs(40, 0), needs(255, 16)]), ("b".to_owned(), vec![None; 2])]);
        let lines = ["CUDA     11.7   13.0", "sm         80    120", "a          40 255+16", "b           -      -"];
        assert_eq!(shown(&columns, &table).lines().collect::<Vec<_>>(), lines);
    }
}
