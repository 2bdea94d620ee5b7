//! `cargo xtask mutate [OP…]`: does the gradient suite notice when a derivative is wrong?
//!
//! Works on a copy of the repository below the build folder. Changes one thing at a time in the rule of an op (a sign,
//! a factor, a mask, an axis, an operand), runs the suite `gradcheck` and the values of PyTorch in `fixtures`, and puts
//! it back. A change that neither notices has survived, and is listed at the end; one that does not compile is not
//! counted.

mod change;
pub mod ptx;

use crate::repo;
use change::{Change, changes};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where the ops are.
const OPS: &str = "crates/core/src/ops";

/// What the ops are built with: fast to compile, and nothing else is needed to see a wrong number.
const PROFILE: [&str; 7] = [
    "profile.dev.opt-level=1",
    "profile.dev.debug=0",
    "profile.dev.incremental=true",
    "profile.dev.package.\"*\".opt-level=1",
    "profile.dev.package.cotangent-base.opt-level=1",
    "profile.dev.package.cotangent-cpu.opt-level=1",
    "profile.dev.package.cotangent-core.opt-level=1",
];

/// How long a suite may run before it counts as hanging, which is noticed too.
const PATIENCE: Duration = Duration::from_secs(600);

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Caught,
    Survived,
    DoesNotCompile,
}

/// Mutates the ops named (files without `.rs`), or all, at most `each` changes to a file; true if none survives.
pub fn run(root: &Path, arguments: &[String]) -> bool {
    let (each, names) = match arguments.split_first() {
        Some((flag, rest)) if flag == "--each" => {
            (rest.first().and_then(|n| n.parse().ok()), rest.get(1..).unwrap_or(&[]))
        }
        _ => (Some(usize::MAX), arguments),
    };
    let Some(each) = each else {
        eprintln!("usage: cargo xtask mutate [--each N] [OP…]");
        return false;
    };
    let copy = copied(root);
    let files = op_files(&copy, names);
    println!("{} files of ops in {}", files.len(), copy.display());
    if fate(&copy) != Fate::Survived {
        eprintln!("the suite does not pass before anything is changed: run `cargo test` in {}", copy.display());
        return false;
    }
    let mut counts = [0; 3];
    let mut survivors = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("an op file can be read");
        for change in spread(changes(&text), each) {
            let start = Instant::now();
            std::fs::write(file, change.applied(&text)).expect("the copy can be written");
            let fate = fate(&copy);
            counts[fate as usize] += 1;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let line = format!("{name}:{}: {}", change.line, change.what);
            let verdict = ["caught", "SURVIVED", "does not compile"][fate as usize];
            println!("{:>5.0} s  {verdict:<16} {line}", start.elapsed().as_secs_f64());
            if fate == Fate::Survived {
                survivors.push(line);
            }
        }
        std::fs::write(file, &text).expect("the copy can be written");
    }
    let [caught, survived, broken] = counts;
    println!("\n{caught} of {} changes caught; {broken} more did not compile", caught + survived);
    survivors.iter().for_each(|line| println!("survived: {line}"));
    survivors.is_empty()
}

/// At most `each` of them, evenly spread.
fn spread(all: Vec<Change>, each: usize) -> Vec<Change> {
    let step = all.len().div_ceil(each.max(1)).max(1);
    all.into_iter().step_by(step).collect()
}

/// A copy, in the build folder, of what the gradient suite needs, under a facade without the rest: a change in an op
/// should not rebuild layers and examples. Files that are the same keep their dates, so a second run compiles little.
fn copied(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let copy = target.join("mutate");
    let needed = |path: &str| COPIED.iter().any(|folder| path.starts_with(folder));
    let files = repo::text_files(root).into_iter().filter(|file| needed(&file.path)).map(|file| (file.path, file.text));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the workspace has a manifest");
    let made = [("Cargo.toml", lean(&manifest).as_str()), ("src/lib.rs", FACADE), ("tests/fixtures/main.rs", FIXTURES)]
        .map(|(path, text)| (path.to_owned(), text.to_owned()));
    for (path, text) in files.chain(made) {
        let to = copy.join(path);
        if std::fs::read_to_string(&to).is_ok_and(|old| old == text) {
            continue;
        }
        std::fs::create_dir_all(to.parent().expect("a file lies in a folder"))
            .expect("the build folder can be written");
        std::fs::write(to, text).expect("the build folder can be written");
    }
    copy
}

/// What is copied: the beginnings of paths. Cargo wants the manifests of all crates, though few are compiled.
const COPIED: [&str; 6] =
    ["crates/", "kernels/", "tests/gradcheck/", "tests/fixtures/edge.", "tests/fixtures/torch.", "Cargo.lock"];

/// The names that the suites use.
const FACADE: &str =
    "pub use cotangent_core::*;\npub use cotangent_cases as cases;\npub use cotangent_gradcheck as gradcheck;\n";

/// The suite `fixtures` without the models.
const FIXTURES: &str = "mod edge;\nmod torch;\n";

/// The workspace's manifest with its shared tables alone, and a package of its own; what that needs joins by itself.
fn lean(manifest: &str) -> String {
    let shared = manifest.split("\n[package]").next().unwrap_or_default();
    let all = shared.lines().filter(|line| !line.starts_with("members = ") && !line.starts_with("default-members = "));
    let members = all.collect::<Vec<_>>().join("\n").replace("[workspace]", "[workspace]\nmembers = [\"crates/core\"]");
    let package = "\n[package]\nname = \"cotangent\"\nversion.workspace = true\nedition.workspace = true\n";
    let ours = ["cases", "core", "gradcheck"].map(|name| format!("cotangent-{name}.workspace = true\n")).concat();
    let proptest = "proptest = { version = \"1\", default-features = false, features = [\"std\"] }\n";
    [&members, "\n", package, "\n[dependencies]\n", &ours, "\n[dev-dependencies]\n", proptest].concat()
}

/// The files of the ops named, or all.
fn op_files(root: &Path, names: &[String]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(OPS)];
    while let Some(folder) = folders.pop() {
        for path in repo::entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(OsStr::new("rs")) {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let wanted = if names.is_empty() { stem != "mod" } else { names.contains(&stem) };
                files.extend(wanted.then_some(path));
            }
        }
    }
    files.sort();
    files
}

/// Builds and runs the suites over the copy.
fn fate(copy: &Path) -> Fate {
    let suite = |arguments: &[&str]| {
        let mut cargo = repo::cargo(copy);
        cargo.args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
        cargo.args(["test", "--quiet", "--package", "cotangent"]).args(arguments);
        cargo.env("CARGO_TARGET_DIR", copy.join("target")).stdout(Stdio::null()).stderr(Stdio::null());
        succeeds(cargo, PATIENCE)
    };
    if !suite(&["--no-run", "--tests"]) {
        return Fate::DoesNotCompile;
    }
    let suites: [&[&str]; 3] =
        [&["--test", "gradcheck", "--", "table::"], &["--test", "fixtures"], &["--test", "gradcheck"]];
    if suites.into_iter().all(suite) { Fate::Survived } else { Fate::Caught }
}

/// Whether the command ends well before patience does.
fn succeeds(mut command: Command, patience: Duration) -> bool {
    let mut child = command.spawn().expect("cargo can be started");
    let start = Instant::now();
    loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => return status.success(),
            None if start.elapsed() > patience => {
                child.kill().expect("a child can be ended");
                return false;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
