//! [`Device`]: where a tensor's memory is and its kernels run.

use crate::inspect;
use cotangent_base::{Error, Result};
use cotangent_cpu::{Buffer, CpuDevice, par, simd};
use std::fmt;

/// Where tensors live. Chosen at run time; tensors of different devices do not mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// This computer's processor: SIMD chosen at run time, all cores.
    #[default]
    Cpu,
}

impl Device {
    /// The fastest device there is: a GPU if one can be used, else the CPU.
    pub fn best() -> Device {
        Device::cuda(0).unwrap_or_default()
    }

    /// The NVIDIA GPU number `ordinal`.
    ///
    /// # Errors
    /// Without the feature `cuda`; where there is no driver or no such device.
    #[cfg(feature = "cuda")]
    pub fn cuda(ordinal: usize) -> Result<Device> {
        let context = cotangent_cuda::open(ordinal)?;
        let name = context.name().unwrap_or_default();
        Err(Error::new(format!("cuda:{ordinal}"), format!("{name} is here, but not every op runs on it yet"))
            .hint("Device::best() takes the CPU"))
    }

    /// The NVIDIA GPU number `ordinal`.
    ///
    /// # Errors
    /// Without the feature `cuda`; where there is no driver or no such device.
    #[cfg(not(feature = "cuda"))]
    pub fn cuda(ordinal: usize) -> Result<Device> {
        Err(Error::new(format!("cuda:{ordinal}"), "this program was built without CUDA")
            .hint("build it with the feature `cuda`: cargo run --features cuda"))
    }

    /// What computes there: `cpu (avx512, 2 threads)`, and with the feature `cuda` why it is not a GPU.
    ///
    /// ```
    /// # use cotangent_core::Device;
    /// println!("computing on {}", Device::best().describe());
    /// ```
    pub fn describe(&self) -> String {
        match self {
            Device::Cpu => {
                format!("cpu ({}, {} threads{})", simd::Level::current().name(), par::threads(), why_no_gpu())
            }
        }
    }
}

/// `; no CUDA driver on this machine`; nothing where there is a GPU, or nobody asked for one.
fn why_no_gpu() -> String {
    #[cfg(feature = "cuda")]
    if let Err(why) = cotangent_cuda::count() {
        return format!("; {why}");
    }
    String::new()
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Device::Cpu => f.write_str("cpu"),
        }
    }
}

/// The memory of a tensor, on its device.
pub(crate) enum Storage {
    Cpu(Buffer),
}

/// Tells those who track memory.
impl Drop for Storage {
    fn drop(&mut self) {
        inspect::gone(self);
    }
}

impl Storage {
    pub(crate) fn device(&self) -> Device {
        match self {
            Storage::Cpu(_) => Device::Cpu,
        }
    }
}

/// The CPU's kernels: a value without state.
pub(crate) const CPU: CpuDevice = CpuDevice;
