//! Where the tests of the CUDA backend run: on the first GPU, or, on a machine without one, each in a child process that finds
//! the simulator where it looks for NVIDIA's driver.

use cotangent::Device;
use std::collections::BTreeMap;
use std::env::{current_exe, temp_dir, var_os};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// Set in the child process, so that it starts no other.
const CHILD: &str = "COTANGENT_CUDA_SUITE_CHILD";

/// Runs `test`, whose path is `path`, where there is a device.
///
/// # Panics
/// If the test fails, or there is no device in the child process either.
pub fn run(path: &str, test: impl FnOnce()) {
    let found = Device::cuda(0);
    if var_os(CHILD).is_some() {
        found.expect("the simulator stands in for the driver");
        return test();
    }
    match found {
        Ok(_) => test(),
        Err(_) => run_in_child(path, &mut simulator(this_program())),
    }
}

/// Runs `test`, whose path is `path`, in a child process that `command` makes: on the simulator with other limits, say, or
/// without a driver. What the test does before is done in both processes.
///
/// # Panics
/// If the test fails.
pub fn run_in(path: &str, command: impl FnOnce() -> Command, test: impl FnOnce()) {
    match var_os(CHILD) {
        Some(_) => test(),
        None => run_in_child(path, &mut command()),
    }
}

fn run_in_child(path: &str, child: &mut Command) {
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let output = child.args(["--exact", name]).env(CHILD, "1").output().expect("a test can be started again");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "in a process of its own:\n{text}");
    assert!(text.contains("1 passed"), "`{name}` did not run in a process of its own:\n{text}");
}

/// The path of the program that asks.
///
/// # Panics
/// If the system does not tell.
pub fn this_program() -> PathBuf {
    current_exe().expect("a program has a path")
}

/// A command that finds the simulator where it looks for the driver.
///
/// # Panics
/// If the simulator was not built.
pub fn simulator(program: impl AsRef<OsStr>) -> Command {
    ptxsim_driver::command(program).expect("the stand-in was built")
}

/// What one kernel did in all its launches, by the names of the simulator's report: `macs`, `sectors`, `bank_conflicts`, ….
pub type Counts = BTreeMap<String, u64>;

/// Runs `test`, whose path is `path`, on the simulator as [`run_in`] does. What each kernel did there; nothing in the child
/// process.
///
/// # Panics
/// If the test fails.
pub fn counts_in(
    path: &str,
    command: impl FnOnce() -> Command,
    test: impl FnOnce(),
) -> Option<BTreeMap<String, Counts>> {
    let report = temp_dir().join(format!("cotangent-report-{}-{}", std::process::id(), path.replace("::", "-")));
    let reporting = || {
        let mut command = command();
        command.env("PTXSIM_REPORT", &report);
        command
    };
    run_in(path, reporting, test);
    if var_os(CHILD).is_some() {
        return None;
    }
    let text = std::fs::read_to_string(&report).expect("the simulator writes its report");
    std::fs::remove_file(&report).expect("the report was there");
    // whoever started the test may want it, too
    if let Some(path) = var_os("PTXSIM_REPORT") {
        std::fs::write(path, &text).expect("the report can be written");
    }
    let mut lines = text.lines().map(|line| line.split('\t'));
    let names: Vec<&str> = lines.next().expect("a heading").skip(1).collect();
    let counts = |cells: std::str::Split<char>| {
        let numbers = cells.map(|cell| cell.parse().expect("a number"));
        names.iter().map(|name| name.to_string()).zip(numbers).collect()
    };
    Some(lines.map(|mut cells| (cells.next().unwrap_or_default().to_owned(), counts(cells))).collect())
}

/// The device of the tests.
///
/// # Panics
/// Outside of [`run`] and [`run_in`], where there is none.
pub fn device() -> Device {
    Device::cuda(0).expect("a CUDA device")
}

/// A test that runs on the simulator, even where there is a GPU, with these variables of the environment.
#[macro_export]
macro_rules! on_simulator {
    ($(fn $name:ident($variables:expr) $body:block)*) => {$(
        #[test]
        fn $name() {
            let command = || {
                let mut command = $crate::simulator($crate::this_program());
                command.envs($variables);
                command
            };
            $crate::run_in(concat!(module_path!(), "::", stringify!($name)), command, || $body);
        }
    )*};
}

/// A test that runs where there is a device.
#[macro_export]
macro_rules! on_device {
    ($(fn $name:ident() $body:block)*) => {$(
        #[test]
        fn $name() {
            $crate::run(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}
