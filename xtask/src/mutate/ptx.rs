//! `cargo xtask mutate --ptx`: does the CUDA suite notice when a kernel lacks an instruction?
//!
//! Draws instructions from the committed PTX at random, deletes one at a time, and runs the tests that launch its kernel, the
//! quickest first, on the simulator. Nothing is built again: the stand-in for the driver loads the changed text instead.

mod deletion;

use crate::{ptx, repo};
use deletion::{Deletion, deletions, drawn};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// What part of the deletions must be noticed. The rest are changes that change nothing.
const WANTED: f64 = 0.95;

/// Warp instructions of one block after which it counts as endless; the tests' kernels need far fewer.
const ENDLESS: &str = "8388608";

/// How long a test may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// A test of the suite, how long it takes, and the kernels that it launches.
struct Test {
    name: String,
    took: Duration,
    kernels: BTreeSet<String>,
}

/// The CUDA suite, built, and a folder of its own.
struct Suite {
    program: PathBuf,
    folder: PathBuf,
    tests: Vec<Test>,
}

/// Deletes `--count` instructions (200), drawn with `--seed` (1) from the files named or from all; true if the tests notice
/// nearly all.
pub fn run(root: &Path, arguments: &[String]) -> bool {
    let Some((count, seed, names)) = read(arguments) else {
        eprintln!("usage: cargo xtask mutate --ptx [--count N] [--seed N] [FILE…]");
        return false;
    };
    let suite = match Suite::new(root) {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("{error}");
            return false;
        }
    };
    let files = ptx::files(&root.join("kernels")).into_iter();
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let files = files.filter(|path| names.is_empty() || names.contains(&stem(path)));
    let texts: Vec<(String, String)> =
        files.map(|path| (stem(&path), std::fs::read_to_string(&path).expect("a PTX file can be read"))).collect();
    let all: Vec<(usize, Deletion)> =
        texts.iter().enumerate().flat_map(|(i, text)| deletions(&text.1).into_iter().map(move |d| (i, d))).collect();
    println!("{count} of {} instructions in {} files, seed {seed}", all.len(), texts.len());
    let chosen = drawn(all, count, seed);
    let survivors = suite.try_all(&texts, &chosen);
    let caught = chosen.len() - survivors.len();
    let share = caught as f64 / chosen.len().max(1) as f64;
    println!("\n{caught} of {} deletions caught: {:.1} %", chosen.len(), 100.0 * share);
    survivors.iter().for_each(|line| println!("survived: {line}"));
    share >= WANTED
}

fn read(arguments: &[String]) -> Option<(usize, u64, Vec<String>)> {
    let (mut count, mut seed, mut names) = (200, 1, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--count" => count = arguments.next()?.parse().ok()?,
            "--seed" => seed = arguments.next()?.parse().ok()?,
            name if name.starts_with('-') => return None,
            name => names.push(name.to_owned()),
        }
    }
    Some((count, seed, names))
}

impl Suite {
    /// Builds the suite, and runs each of its tests once.
    fn new(root: &Path) -> Result<Suite, String> {
        let build = "test --release --package cotangent-cuda-suite --test cuda --no-run";
        let program = repo::built(root, build).ok_or("the CUDA suite does not build")?;
        let folder = root.join("target").join("mutate-ptx");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut suite = Suite { program, folder, tests: Vec::new() };
        let listed = Command::new(&suite.program).arg("--list").output().map_err(|error| error.to_string())?;
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            if let Some(name) = line.strip_suffix(": test") {
                let test = suite.measured(name)?;
                suite.tests.push(test);
            }
        }
        suite.tests.sort_by_key(|test| test.took);
        Ok(suite)
    }

    fn measured(&self, name: &str) -> Result<Test, String> {
        let report = self.folder.join("report");
        std::fs::remove_file(&report).ok();
        let start = Instant::now();
        let mut command = self.command(name);
        command.env("PTXSIM_REPORT", &report);
        if !super::succeeds(command, PATIENCE) {
            return Err(format!("{name} fails before anything is deleted"));
        }
        let took = start.elapsed();
        // a line for each kernel, under a heading
        let report = std::fs::read_to_string(&report).unwrap_or_default();
        let kernels = report.lines().skip(1).filter_map(|line| Some(line.split_once('\t')?.0.to_owned())).collect();
        Ok(Test { name: name.to_owned(), took, kernels })
    }

    /// One test, on the simulator even where there is a GPU.
    fn command(&self, test: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--exact", test]).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("CUDA_VISIBLE_DEVICES", "").env("PTXSIM_THREADS", "1").env("PTXSIM_MAX_INSTRUCTIONS", ENDLESS);
        command
    }

    /// Tries every deletion, on all cores; the survivors, in order.
    fn try_all(&self, texts: &[(String, String)], chosen: &[(usize, Deletion)]) -> Vec<String> {
        let (next, survivors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = |worker: usize| {
            while let Some((file, deletion)) = chosen.get(next.fetch_add(1, Relaxed)) {
                let (stem, text) = &texts[*file];
                let start = Instant::now();
                let caught = self.catches(&format!("{worker}"), stem, &deletion.applied(text), &deletion.kernel);
                let Deletion { kernel, line, instruction } = deletion;
                let line = format!("{stem}.ptx:{line} {kernel}: {instruction}");
                let by = caught.map_or("SURVIVED", |test| test.name.as_str());
                println!("{:>6.1} s  {line}: {by}", start.elapsed().as_secs_f64());
                if caught.is_none() {
                    survivors.lock().expect("no thread panics").push(line);
                }
            }
        };
        let workers = thread::available_parallelism().map_or(1, |n| n.get());
        thread::scope(|scope| (0..workers).for_each(|worker| drop(scope.spawn(move || work(worker)))));
        let mut survivors = survivors.into_inner().expect("no thread panics");
        survivors.sort();
        survivors
    }

    /// The first test that fails with `text` in the place of `stem`.ptx.
    fn catches(&self, worker: &str, stem: &str, text: &str, kernel: &str) -> Option<&Test> {
        let folder = self.folder.join(worker);
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).expect("the build folder can be written");
        std::fs::write(folder.join(format!("{stem}.ptx")), text).expect("the build folder can be written");
        self.tests.iter().filter(|test| test.kernels.contains(kernel)).find(|test| {
            let mut command = self.command(&test.name);
            command.env("PTXSIM_INSTEAD", &folder);
            !super::succeeds(command, PATIENCE)
        })
    }
}
