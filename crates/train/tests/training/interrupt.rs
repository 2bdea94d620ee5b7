//! Ctrl-C, sent to processes of this test's own.

use crate::{points, regression};
use cotangent_nn::*;
use cotangent_train::{LambdaCallback, Model};
use signal_hook::{consts::SIGINT, low_level::raise};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

/// Set in the processes that [`child`] starts.
const CHILD: &str = "COTANGENT_TEST_CHILD";

/// Runs the test of that name in a process of its own, where it is to be the child.
fn child(name: &str) -> Output {
    let this = std::env::current_exe().unwrap();
    Command::new(this).env(CHILD, name).args(["--exact", "--nocapture", name]).output().unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Trains for ever, and gets `signals` Ctrl-Cs in the sixth step, the second of the second epoch.
fn train(model: &mut Model, signals: usize) -> (usize, cotangent_train::History) {
    let (x, y) = points(32);
    let mut steps = 0;
    let press = LambdaCallback::on_batch_end(|_| {
        steps += 1;
        for _ in 0..if steps == 6 { signals } else { 0 } {
            raise(SIGINT).unwrap();
        }
        Ok(())
    });
    let history = model.fit(&x, &y).batch_size(8).epochs(usize::MAX).callback(press).run().unwrap();
    (steps, history)
}

#[test]
fn ctrl_c_ends_training_after_the_step() {
    if is_child() {
        let mut model = regression(Sgd::new(0.1));
        for _ in 0..2 {
            let (steps, history) = train(&mut model, 1);
            println!("\nended after {steps} steps, {} epochs, {}", history.epochs(), history.interrupted());
        }
        raise(SIGINT).unwrap();
        return println!("still there");
    }
    let output = child("interrupt::ctrl_c_ends_training_after_the_step");
    let text = String::from_utf8_lossy(&output.stdout);
    // twice, and what has been printed of the second epoch ends with its line
    assert_eq!(text.matches("ended after 6 steps, 1 epochs, true").count(), 2, "{text}");
    assert!(text.contains("\n2/4 - "), "{text}");
    // afterwards Ctrl-C does what it does
    assert!(!text.contains("still there"), "{text}");
    assert_eq!(output.status.signal(), Some(SIGINT), "{:?}", output.status);
}

#[test]
fn a_second_ctrl_c_ends_the_process() {
    if is_child() {
        train(&mut regression(Sgd::new(0.1)), 2);
        return println!("still there");
    }
    let output = child("interrupt::a_second_ctrl_c_ends_the_process");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("still there"));
    assert_eq!(output.status.signal(), Some(SIGINT), "{:?}", output.status);
}
