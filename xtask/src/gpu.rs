//! `cargo xtask gpu`: one folder to carry to a machine with a GPU, which needs neither Rust nor a network there.
//!
//! It holds the examples and the tests of the CUDA backend as programs, MNIST's files if `MNIST_DIR` names them, and the script
//! `run.sh`, which does everything and ends in a table.

use crate::repo;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most bytes, so that the folder travels easily.
const ROOM: u64 = 80 << 20;

/// The simulator, which some of the tests ask for counts, or for a GPU that is not there.
const SIMULATOR: &str = "libptxsim_driver.so";

/// The examples that the script runs.
const EXAMPLES: [&str; 4] = ["doctor", "matmul_time", "mnist_cnn", "step_time"];

/// What goes along as it is.
const SCRIPTS: [&str; 2] = ["run.sh", "torch_mnist.py"];

/// MNIST's files, by the names that everybody gives them.
const DIGITS: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// Makes the folder `target/gpu`; true if all of it is there and small enough.
pub fn run(root: &Path) -> bool {
    let folder = root.join("target").join("gpu");
    match made(root, &folder) {
        Ok(bytes) => {
            let mib = bytes.div_ceil(1 << 20);
            println!("{}: {mib} MiB\ncarry it to a machine with a GPU and run run.sh there", folder.display());
            bytes <= ROOM || {
                eprintln!("that is more than {} MiB; MNIST's files take least as .gz", ROOM >> 20);
                false
            }
        }
        Err(error) => {
            eprintln!("{error}");
            false
        }
    }
}

/// Builds and copies everything: the size in bytes.
fn made(root: &Path, folder: &Path) -> Result<u64, String> {
    let programs = programs(root)?;
    fs::remove_dir_all(folder).ok();
    for (from, to) in programs {
        copy(&from, &folder.join(to))?;
    }
    for script in SCRIPTS {
        copy(&root.join("xtask").join("gpu").join(script), &folder.join(script))?;
    }
    match std::env::var_os("MNIST_DIR") {
        Some(digits) => copy_digits(Path::new(&digits), &folder.join("mnist"))?,
        None => println!("MNIST_DIR is not set: the digits there will be synthetic"),
    }
    write(&folder.join("commit"), &commit(root))?;
    Ok(size(folder))
}

/// The programs, built, and where in the folder they go.
fn programs(root: &Path) -> Result<Vec<(PathBuf, String)>, String> {
    let built = |what: String| repo::built(root, &what).ok_or(format!("cargo {what} fails"));
    let mut programs = Vec::new();
    for example in EXAMPLES {
        let path = built(format!("build --release --features cuda --example {example}"))?;
        programs.push((path, format!("bin/{example}")));
    }
    let tests = built("test --release --package cotangent-cuda-suite --test cuda --no-run".to_owned())?;
    // cargo has built it beside the tests, which depend on it
    programs.push((tests.with_file_name(SIMULATOR), format!("tests/{SIMULATOR}")));
    programs.push((tests, "tests/cuda".to_owned()));
    Ok(programs)
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to.parent().expect("a file lies in a folder")).map_err(|e| format!("{}: {e}", to.display()))?;
    fs::copy(from, to).map_err(|e| format!("{} to {}: {e}", from.display(), to.display()))?;
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Each of MNIST's files, compressed where it is so.
fn copy_digits(from: &Path, to: &Path) -> Result<(), String> {
    for name in DIGITS {
        let names = [format!("{name}.gz"), name.to_owned()];
        let found = names.iter().find(|name| from.join(name).exists());
        let name = found.ok_or(format!("MNIST_DIR: no {name} in {}", from.display()))?;
        copy(&from.join(name), &to.join(name))?;
    }
    Ok(())
}

/// The commit that the programs are built from, and whether anything differs from it.
fn commit(root: &Path) -> String {
    let git = |words: &str| {
        let output = Command::new("git").current_dir(root).args(words.split(' ')).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let changed = if git("status --porcelain").is_empty() { "" } else { ", changed" };
    format!("commit {}{changed}", git("rev-parse --short HEAD"))
}

/// The bytes of all files.
fn size(folder: &Path) -> u64 {
    let of = |path: &PathBuf| match path.is_dir() {
        true => size(path),
        false => fs::metadata(path).map_or(0, |found| found.len()),
    };
    repo::entries(folder).iter().map(of).sum()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program that prints a text, in the place of one that needs a GPU.
    fn pretend(folder: &Path, name: &str, body: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What the script makes of these programs: whether it succeeds, and its table.
    fn table(name: &str, doctor: &str, step: &str) -> (bool, String) {
        let folder = std::env::temp_dir().join(format!("cotangent-gpu-{name}-{}", std::process::id()));
        fs::remove_dir_all(&folder).ok();
        pretend(&folder, "bin/doctor", doctor);
        pretend(&folder, "bin/step_time", step);
        let train = "case $* in *--help) echo no options;; *) echo Test accuracy: 0.99;; esac";
        pretend(&folder, "bin/mnist_cnn", train);
        pretend(&folder, "bin/matmul_time", "echo tf32: ${COTANGENT_WGMMA:-by itself}");
        pretend(&folder, "tests/cuda", "echo 'test result: ok. 43 passed; 0 failed'");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("gpu");
        SCRIPTS.iter().for_each(|file| copy(&script.join(file), &folder.join(file)).unwrap());
        let mut bash = Command::new("bash");
        bash.arg(folder.join("run.sh")).envs([("SEEDS", "2"), ("OUT", folder.join("out").to_str().unwrap())]);
        // no tool of NVIDIA's and no Python, wherever the test runs
        pretend(&folder, "path/python3", "exit 1");
        let path = format!("{}:/usr/bin:/bin", folder.join("path").display());
        let output = bash.env("PATH", path).env_remove("MNIST_DIR").output().expect("bash is here");
        let table = fs::read_to_string(folder.join("out/table.md")).unwrap_or_default();
        fs::remove_dir_all(&folder).unwrap();
        (output.status.success(), table)
    }

    #[test]
    fn the_script_ends_in_a_table() {
        let (passed, table) = table("good", "echo checks: 500 calls", "echo weights 1234; echo median 1.5 ms");
        assert!(passed, "{table}");
        assert!(table.contains("| products of 4096³, COTANGENT_WGMMA=1 | ok |"), "{table}");
        for row in ["| every op against the CPU | ok |", "| the CUDA tests | ok |", "| mean 0.9900 over 2 seeds |"] {
            assert!(table.contains(row), "{row} is not in\n{table}");
        }
        assert!(table.contains("| compute-sanitizer racecheck | skipped | - | it is not here |"), "{table}");
        assert!(table.contains("the same bits | ok |") && table.contains("weights 1234"), "{table}");
    }

    #[test]
    fn the_script_tells_what_failed() {
        let (passed, table) = table("bad", "echo checks: 500 calls", "echo weights $$; exit 1");
        assert!(!passed && table.contains("the same bits | FAILED |"), "{table}");
        let (passed, table) = self::table("none", "echo 'gpu:    none: no CUDA driver on this machine'", "exit 1");
        assert!(!passed && table.contains("| the rest | skipped | - | gpu:    none: no CUDA driver"), "{table}");
    }

    #[test]
    fn missing_digits_are_named() {
        let error = copy_digits(Path::new("/nonexistent"), Path::new("/nonexistent")).unwrap_err();
        assert!(error.contains("no train-images-idx3-ubyte in /nonexistent"), "{error}");
    }
}
