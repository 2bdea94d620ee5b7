//! Choosing a device: what is there is taken, what is not is refused in words.

use std::process::Command;

use cotangent::Device;

#[test]
fn the_best_device_is_always_there() {
    let device = Device::best();
    assert!(device.describe().starts_with(&device.to_string()[..3]), "{}", device.describe());
}

#[test]
fn a_device_that_is_not_there_is_an_error_with_a_hint() {
    let error = Device::cuda(1000).expect_err("nobody has a thousand").to_string();
    assert!(error.starts_with("[cuda:1000] "), "{error}");
    assert!(error.contains("\n  hint: "), "{error}");
}

/// What a user sees who asks for a GPU where there is none, or with a program that knows none.
#[test]
fn an_example_without_its_gpu_ends_in_words() {
    let this = std::env::current_exe().expect("a test knows its own path");
    let profile = this.ancestors().nth(2).expect("tests are in target/<profile>/deps");
    let example = profile.join("examples").join("mnist_cnn").with_extension(std::env::consts::EXE_EXTENSION);
    let mut command = Command::new(example);
    command.args("--device cuda --data synthetic --train-images 8 --test-images 8".split(' '));
    let run = command.env("CUDA_VISIBLE_DEVICES", "").output().expect("`cargo test` builds the examples");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.starts_with("Error: [cuda:0] ") && said.contains("\n  hint: "), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}
