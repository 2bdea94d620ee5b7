//! The example `mnist_cnn`, run as its users run it.

use std::process::{Command, Output};

use cotangent::Device;
use cotangent_cuda_suite::{simulator, this_program};

/// The example with few digits, where there is a device.
fn example(device: &str) -> Command {
    let program = this_program();
    let profile = program.ancestors().nth(2).expect("tests are in target/<profile>/deps");
    let path = profile.join("examples").join("mnist_cnn_cuda");
    let mut command = if Device::cuda(0).is_ok() { Command::new(path) } else { simulator(path) };
    command.args("--data synthetic --train-images 20 --test-images 10 --batch-size 8 --epochs 1 --device".split(' '));
    command.arg(device);
    command
}

fn run(mut command: Command) -> (Output, String) {
    let output = command.output().expect("`cargo test` builds the examples");
    let text = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    (output, text)
}

/// What it prints of the test digits at the end.
fn test_loss(device: &str, banner: &str) -> f64 {
    let (output, text) = run(example(device));
    assert!(output.status.success(), "on {device}: {}\n{text}", output.status);
    assert!(text.contains(&format!("computing on {banner}")), "on {device}:\n{text}");
    let loss = text.lines().find_map(|line| line.strip_prefix("Test loss: ")).expect("a test loss");
    loss.parse().expect("a number")
}

#[test]
fn the_convnet_trains_on_the_device_as_on_the_cpu() {
    let (got, want) = (test_loss("cuda", "cuda:0"), test_loss("cpu", "cpu"));
    // Where a window of the first step sees nothing but zeros, and the bias is 0, the CPU's tiles of 4 × 4 results give ±1e-7
    // for 0, and ReLU lets through what it stops here. From the second step on biases are not 0.
    assert!((got - want).abs() <= 1e-2, "the test loss is {got}, on the CPU {want}");
    assert!(want.is_finite() && want > 0.0);
}

#[test]
fn a_device_that_does_not_start_ends_the_example_in_words() {
    for (variables, words) in [
        ([("PTXSIM_DEVICES", "0")], "CUDA_ERROR_NO_DEVICE"),
        ([("PTXSIM_MEMORY", "2M")], "of 2 MiB are free"),
        ([("PTXSIM_PTX", "6.0")], "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
    ] {
        let mut command = example("cuda");
        let path = simulator("")
            .get_envs()
            .find(|(name, _)| *name == "LD_LIBRARY_PATH")
            .and_then(|(_, path)| path.map(|p| p.to_owned()));
        command.env("LD_LIBRARY_PATH", path.expect("the simulator is found by it")).envs(variables);
        let (output, text) = run(command);
        assert_eq!(output.status.code(), Some(1), "{variables:?}:\n{text}");
        assert!(text.contains("Error: ") && text.contains(words) && text.contains("hint: "), "{variables:?}:\n{text}");
        assert!(!text.contains("panicked"), "{variables:?}:\n{text}");
    }
}
