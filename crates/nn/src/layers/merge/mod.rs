//! The layers that make one output of several inputs.

mod concatenate;
mod elementwise;

pub use concatenate::Concatenate;
pub use elementwise::{Add, Average, Maximum, Minimum, Multiply, Subtract};

use cotangent_core::{Error, Result, Shape};

/// The shapes as messages show them: `[N, 3], [N, 4]`.
fn batches(inputs: &[Shape]) -> String {
    inputs.iter().map(Shape::of_batch).collect::<Vec<_>>().join(", ")
}

/// Fails if there are fewer than two inputs.
fn several(kind: &'static str, inputs: &[Shape]) -> Result<()> {
    match inputs.len() {
        0 | 1 => Err(Error::new(kind, format!("{} input, wants two or more", inputs.len()))
            .hint(format!("apply it to a list: `[&a, &b].apply({kind})`"))),
        _ => Ok(()),
    }
}
