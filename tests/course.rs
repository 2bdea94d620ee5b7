//! The lessons of the course run to their end, and what they say of themselves is true.

use std::path::PathBuf;
use std::process::Command;

/// What lesson `name` prints. `cargo test` builds the examples beside its tests.
fn printed_by(name: &str) -> String {
    let this = std::env::current_exe().expect("a test knows its own path");
    let profile = this.ancestors().nth(2).expect("tests are in target/<profile>/deps");
    let lesson: PathBuf = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    let run = Command::new(&lesson).output();
    let run = run.unwrap_or_else(|e| panic!("{}: {e}; `cargo build --examples` builds it", lesson.display()));
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{name}: {}\n{out}{err}", run.status);
    out.into_owned()
}

/// Runs a lesson and looks for `lines` in what it prints, in their order.
#[track_caller]
fn tells(name: &str, lines: &[&str]) -> String {
    let text = printed_by(name);
    let mut rest = &text[..];
    for line in lines {
        let Some(at) = rest.find(line) else { panic!("{name} does not print {line:?}, or too early:\n{text}") };
        rest = &rest[at + line.len()..];
    }
    text
}

/// The number after the last `label`.
#[track_caller]
fn number(text: &str, label: &str) -> f64 {
    let (_, rest) = text.rsplit_once(label).unwrap_or_else(|| panic!("no {label:?} in\n{text}"));
    let word = rest.split_whitespace().next().unwrap_or_default().trim_end_matches([',', ':']);
    word.parse().unwrap_or_else(|_| panic!("{word:?} after {label:?} is no number in\n{text}"))
}

#[test]
fn tensors() {
    let lines = [
        "linspace = tensor([0.00, 0.25, 0.50, 0.75, 1.00]",
        "last two columns, backwards = tensor([[3., 2.],\n        [6., 5.]]",
        "x · xᵀ = tensor([[14., 32.],\n        [32., 77.]]",
        "3 numbers are big",
        "[matmul] a [2, 3], b [2, 3]: a has 3 columns, b has 2 rows",
    ];
    tells("01_tensors", &lines);
}

#[test]
fn autodiff() {
    let text = tells("02_autodiff", &["d(x·x)/dx = 6", "x = 0.693147180560, ln 2 = 0.693147180560", "[floor] has no"]);
    let [by_hand, by_backward, by_difference] =
        ["by hand:       dw = ", "by backward:   dw = ", "by difference: dw = "].map(|label| number(&text, label));
    for other in [by_backward, by_difference] {
        assert!((other - by_hand).abs() < 1e-8, "{text}");
    }
    assert!(number(&text, "step 300: loss = ") < 0.01 * number(&text, "step 0: loss = "), "{text}");
}

#[test]
fn a_custom_op() {
    let text = tells("03_custom_op", &["checked: 144 first", "[mistaken] the gradient is wrong", "2 times too small"]);
    let loss = number(&text, "-> ");
    assert!(loss < 0.05, "{text}");
}

#[test]
fn linear_regression() {
    let text = tells("04_linear_regression", &["Model: \"sequential\"", "loss: ", "by formula"]);
    for (learned, formula) in [("dense/kernel = ", "by formula: w = "), ("dense/bias = ", ", b = ")] {
        let (learned, formula) = (number(&text, learned), number(&text, formula));
        assert!((learned - formula).abs() < 0.01, "{learned} is not {formula}:\n{text}");
    }
}

#[test]
fn exclusive_or() {
    let text = tells("05_xor", &["one layer : loss", "-> 0.693", "two layers: loss", "accuracy 1.00", "a xor b"]);
    let table: Vec<Vec<f64>> =
        text.lines().map(|line| line.split(' ').filter_map(|x| x.parse().ok()).collect()).collect();
    let rows: Vec<&Vec<f64>> = table.iter().filter(|row| row.len() == 5).collect();
    assert_eq!(rows.len(), 4, "{text}");
    for row in rows {
        assert!((row[3] - 0.5).abs() < 0.05 && (row[4] - row[2]).abs() < 0.05, "{text}");
    }
}

#[test]
fn the_training_loop() {
    let text = tells("06_training_loop", &["before: accuracy 0.1", "epoch 1: loss", "epoch 4: loss"]);
    assert!(number(&text, "test accuracy ") > 0.9, "{text}");
}

#[test]
fn callbacks_and_checkpoints() {
    let lines = ["stopped after epoch", "evaluated", "epoch 4 of 4", "history has 4 epochs", "the last bit: true"];
    let text = tells("07_callbacks", &lines);
    assert!(number(&text, "stopped after epoch ") < 100.0, "{text}");
    let back_at = number(text.split("evaluated").next().unwrap(), "with val_loss ");
    assert_eq!(number(&text, "evaluated: val_loss "), back_at, "the best weights are back:\n{text}");
    assert!(number(&text, "loaded: test accuracy ") > 0.8, "{text}");
}

#[test]
fn two_inputs() {
    let text = tells("08_two_inputs", &["left (InputLayer)", "right[0][0]", "size[1][0]", "size of 0:", "size of 9:"]);
    assert!(number(&text, "test accuracy on pairs: ") > 0.8, "{text}");
    assert!(number(&text, "size of 0:") < number(&text, "size of 9:"), "{text}");
}

#[test]
fn looking_inside() {
    let lines = [
        "SIMD:",
        "confusion matrix",
        "conv2d sees [4, 24, 24, 8]",
        "ops took",
        "layer   ",
        "of pooled images",
        "the largest",
        "layer \"dense\": [linear] made",
    ];
    let folder = PathBuf::from("target/looking_inside");
    let _ = std::fs::remove_dir_all(&folder); // of an earlier run
    tells("09_looking_inside", &lines);
    for file in ["confusion.png", "filters.png", "activations.png", "step.json"] {
        let path = folder.join(file);
        assert!(path.metadata().is_ok_and(|file| file.len() > 1000), "{}", path.display());
    }
}
