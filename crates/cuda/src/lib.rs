//! Cotangent's kernels for NVIDIA GPUs, over the driver alone: no CUDA toolkit, neither to build nor to run. No tensor,
//! no gradient.
//!
//! Kernels come from two places. Whatever works element by element is emitted at run time from the same text over
//! [`Lane`](cotangent_base::Lane) that the CPU's loops are made of ([`emit`]). The rest is written in CUDA C++, and its PTX
//! is committed (the crate `cotangent-kernels`). Either way the driver assembles it when it is first used.

mod buffer;
pub mod capture;
mod chain;
mod contract;
mod device;
mod driver;
pub mod emit;
mod fault;
mod kernels;
mod module;
mod pool;
mod staging;

pub use buffer::Buffer;
pub use device::CudaDevice;
pub use driver::count;
pub use fault::attempt;
