//! Where the tests of the CUDA backend run: on the first GPU, or, on a machine without one, each in a child process that finds
//! the simulator where it looks for NVIDIA's driver.

use cotangent::Device;
use std::env::{current_exe, var_os};

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
    if found.is_ok() {
        return test();
    }
    let name = path.split_once("::").map_or(path, |(_, name)| name);
    let program = current_exe().expect("a test has a path");
    let mut child = ptxsim_driver::command(program).expect("the stand-in was built");
    let output = child.args(["--exact", name]).env(CHILD, "1").output().expect("a test can be started again");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "on the simulator:\n{text}");
    assert!(text.contains("1 passed"), "`{name}` did not run on the simulator:\n{text}");
}

/// The device of the tests.
///
/// # Panics
/// Outside of [`run`], where there is none.
pub fn device() -> Device {
    Device::cuda(0).expect("a CUDA device")
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
