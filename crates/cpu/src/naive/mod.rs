//! The kernels as plain loops in row-major order: the specification that the fast ones agree with.
//!
//! No SIMD, no threads, no care for memory; each text is as close to its equation as it can be. Marked
//! `inline` to be compiled where a test calls them, and not into the library.

pub mod conv;
pub mod index;
pub mod matmul;
pub mod norm;
pub mod pointwise;
pub mod pool;
pub mod random;
pub mod reduce;
pub mod softmax;

use crate::Buffer;
use cotangent_base::{Element, View};

/// The elements of `x` in row-major order.
#[inline]
pub fn elements<T: Element>(x: View<Buffer>) -> Vec<T> {
    x.layout.places().map(|place| x.buffer.as_slice()[place]).collect()
}
