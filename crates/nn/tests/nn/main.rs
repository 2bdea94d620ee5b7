//! Layers, initializers, losses, metrics and optimizers against Keras's formulas.

mod init;
mod layers;
mod loss_scale;
mod losses;
mod metrics;
mod optimizers;
mod schedules;
mod step_options;
mod update_rules;

use cotangent_core::Result;

/// Fails unless each number is within `tol` of what is wanted, relative to numbers above 1.
#[track_caller]
fn assert_close(got: &[f64], want: &[f64], tol: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let err = (got - want).abs() / want.abs().max(1.0);
        if !(err <= tol) {
            panic!("element {i}: got {got}, want {want}, off by {err:e}");
        }
    }
}

/// Fails unless the result is an error whose text has each of `parts`.
#[track_caller]
fn assert_says<T>(result: Result<T>, parts: &[&str]) {
    let text = match result {
        Ok(_) => panic!("no error that says {parts:?}"),
        Err(e) => e.to_string(),
    };
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}
