//! Cotangent's kernels for the CPU: slices and layouts in, buffers out. No tensor, no gradient.

mod buffer;
#[cfg(test)]
mod cases;
pub mod compare;
pub mod conv;
mod dense;
mod device;
mod dispatch;
pub mod gemm;
pub mod index;
mod keep;
mod known;
pub mod memory;
pub mod naive;
pub mod norm;
pub mod par;
pub mod pointwise;
pub mod pool;
pub mod random;
pub mod reduce;
pub mod simd;
pub mod softmax;
mod strided;
mod transpose;
pub mod usage;
mod walk;

pub use buffer::Buffer;
pub use device::CpuDevice;
