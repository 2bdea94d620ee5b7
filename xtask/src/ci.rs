//! Everything that must hold before a change lands, step by step, with times.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{ptx, repo, tidy};

/// What an example is run with: a few steps on data made up on the spot. A lesson, whose name begins with a digit,
/// does no more than that anyway.
fn few_steps(example: &str) -> &'static str {
    match example {
        lesson if lesson.starts_with(|c: char| c.is_ascii_digit()) => "",
        "matmul_time" => "--size 64 --runs 1",
        "step_time" => "cnn --data synthetic --steps 3 --hash",
        _ => "--data synthetic --train-images 512 --epochs 1 --figure target/figure.png --save target/run.safetensors",
    }
}

/// One step: a name, and the arguments of cargo.
struct Step {
    name: String,
    arguments: String,
}

impl Step {
    fn new(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        Self { name: name.into(), arguments: arguments.into() }
    }
}

/// Runs every step, also after one has failed, and prints what each took; true if all passed.
pub fn run(root: &Path) -> bool {
    let mut results = vec![time("tidy", || tidy::run(root)), time("ptx --check", || ptx::check(root))];
    for step in steps(root) {
        println!("\n==> {}: cargo {}", step.name, step.arguments);
        results.push(time(&step.name, || cargo(root, &step.arguments)));
    }
    println!("\n{}", summary(&results));
    results.iter().all(|result| result.passed)
}

/// The steps after tidy, in the order in which a mistake is cheapest to find.
fn steps(root: &Path) -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", "fmt --all --check"),
        Step::new("clippy", "clippy --workspace --all-targets --all-features -- -D warnings"),
        // The README's command. It runs the doc tests too, and train's figures, which the examples ask for.
        Step::new("test", "test --release --workspace"),
        Step::new("doc", "doc --workspace --no-deps"),
        Step::new("examples", "build --release --examples"),
    ];
    let examples = example_names(root).into_iter();
    steps.extend(examples.map(|name| {
        let arguments = format!("run --release --quiet --example {name} -- {}", few_steps(&name));
        Step::new(format!("example {name}"), arguments.trim_end())
    }));
    let targets = TARGETS.into_iter().filter(|target| installed(target));
    steps.extend(targets.map(|target| Step::new(target, format!("check --lib --target {target}"))));
    steps
}

/// Where the library compiles too: ARM with NEON, and the web.
const TARGETS: [&str; 2] = ["aarch64-unknown-linux-gnu", "wasm32-unknown-unknown"];

/// Whether the standard library for `target` is here.
fn installed(target: &str) -> bool {
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    libraries.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).exists())
}

/// The examples, by their files: `examples/name.rs` or `examples/name/main.rs`, as cargo finds them.
fn example_names(root: &Path) -> Vec<String> {
    let examples = repo::entries(&root.join("examples")).into_iter();
    let examples = examples.filter(|path| path.extension() == Some(OsStr::new("rs")) || path.join("main.rs").exists());
    examples.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
}

/// Runs cargo with `arguments`, split at spaces; true if it succeeds. Documentation with a warning fails.
fn cargo(root: &Path, arguments: &str) -> bool {
    let status = repo::cargo(root).args(arguments.split(' ')).env("RUSTDOCFLAGS", "-D warnings").status();
    status.expect("cargo can be started").success()
}

/// How a step went.
struct Outcome {
    name: String,
    passed: bool,
    took: Duration,
}

fn time(name: &str, step: impl FnOnce() -> bool) -> Outcome {
    let start = Instant::now();
    let passed = step();
    Outcome { name: name.to_owned(), passed, took: start.elapsed() }
}

/// One line for each step, and the total.
fn summary(results: &[Outcome]) -> String {
    let line = |r: &Outcome| {
        let verdict = if r.passed { "ok" } else { "FAILED" };
        format!("{:>7.1} s  {:<24} {verdict}\n", r.took.as_secs_f64(), r.name)
    };
    let total: Duration = results.iter().map(|r| r.took).sum();
    let failed = results.iter().filter(|r| !r.passed).count();
    let lines: String = results.iter().map(line).collect();
    format!("{lines}{:>7.1} s  {} steps, {failed} failed", total.as_secs_f64(), results.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_shows_in_the_summary() {
        let seconds = Duration::from_secs;
        let ok = Outcome { name: "format".into(), passed: true, took: seconds(1) };
        let bad = Outcome { name: "test".into(), passed: false, took: seconds(90) };
        let text = summary(&[ok, bad]);
        assert!(text.contains("1.0 s  format                   ok\n"), "{text}");
        assert!(text.contains("90.0 s  test                     FAILED\n"), "{text}");
        assert!(text.ends_with("91.0 s  2 steps, 1 failed"), "{text}");
    }

    #[test]
    fn examples_are_found_as_cargo_finds_them() {
        let root = std::env::temp_dir().join(format!("cotangent-xtask-{}", std::process::id()));
        for file in ["a.rs", "b/main.rs", "common/mod.rs", "README.md"] {
            let file = root.join("examples").join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let found = example_names(&root);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["a", "b"], "a module that examples share is no example");
    }
}
