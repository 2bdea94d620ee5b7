//! [`Device`]: where a tensor's memory is and its kernels run.

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
    /// The fastest device there is.
    pub fn best() -> Device {
        Device::Cpu
    }

    /// What computes there: `cpu (avx512, 2 threads)`.
    ///
    /// ```
    /// # use cotangent_core::Device;
    /// println!("computing on {}", Device::best().describe());
    /// ```
    pub fn describe(&self) -> String {
        match self {
            Device::Cpu => format!("cpu ({}, {} threads)", simd::Level::current().name(), par::threads()),
        }
    }
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

impl Storage {
    pub(crate) fn device(&self) -> Device {
        match self {
            Storage::Cpu(_) => Device::Cpu,
        }
    }
}

/// The CPU's kernels: a value without state.
pub(crate) const CPU: CpuDevice = CpuDevice;
