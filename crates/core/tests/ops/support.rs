//! What the tests share: numbers to try, comparisons that NaN fails, and the text of a panic.

use cotangent_core::{DType, Shape, Tensor};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// f64 numbers spread over `[low, high)` in no order, the same at every call.
pub fn sample(shape: impl Into<Shape>, low: f64, high: f64) -> Tensor {
    let shape = shape.into();
    let golden = 0.618_033_988_749_894_9;
    let value = |i: usize| low + (high - low) * ((i as f64 + 0.37) * golden).fract();
    Tensor::from_slice(&(0..shape.count()).map(value).collect::<Vec<f64>>(), shape)
}

/// The elements as f64, whatever the dtype.
pub fn numbers(x: &Tensor) -> Vec<f64> {
    x.cast(DType::F64).to_vec()
}

/// Fails unless every element is within `tol`, relative to the greater of 1 and its size.
#[track_caller]
pub fn close(got: &[f64], want: &[f64], tol: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}: counts");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let within = (g - w).abs() <= tol * w.abs().max(1.0);
        assert!(within || g == w, "{what}: element {i} is {g}, wants {w}");
    }
}

/// The text that `f` panics with.
#[track_caller]
pub fn panic_text<R>(f: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else { panic!("there was no panic") };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("a panic has a text").to_string(),
    }
}
