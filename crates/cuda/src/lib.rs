//! Cotangent's kernels for NVIDIA GPUs, over the driver alone: no CUDA toolkit, neither to build nor to run. No tensor,
//! no gradient.

mod driver;

pub use driver::{count, open};
