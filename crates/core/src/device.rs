//! [`Device`]: where a tensor's memory is and its kernels run.

use crate::Tensor;
use crate::inspect;
use cotangent_base::{DType, Error, Kernels, MatmulPrecision, Result, ShapeError, View};
use cotangent_cpu::{Buffer, CpuDevice, par, simd};
use std::fmt;

#[cfg(feature = "cuda")]
use cotangent_cuda::CudaDevice;

/// Where tensors live. Chosen at run time; tensors of different devices do not mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// This computer's processor: SIMD chosen at run time, all cores.
    #[default]
    Cpu,
    /// An NVIDIA GPU. [`Device::cuda`] makes it, having found it there.
    #[cfg(feature = "cuda")]
    Cuda {
        /// Its number.
        ordinal: usize,
        /// How exactly it computes products: [`Device::with_precision`].
        precision: MatmulPrecision,
    },
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
        CudaDevice::get(ordinal).map(|device| Home::device(&device))
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

    /// The same device with matrix products and convolutions of f32 tensors of another [`MatmulPrecision`]. The precision belongs to the
    /// device, so whatever is computed from its tensors has it. Tensors of the same GPU with another precision do not mix with
    /// them; [`to_device`](Tensor::to_device) leads from one to the other.
    ///
    /// ```
    /// # use cotangent_core::{Device, MatmulPrecision};
    /// let device = Device::best();
    /// let device = device.with_precision(MatmulPrecision::Tf32).unwrap_or(device);
    /// println!("products of {}", device.precision());
    /// ```
    ///
    /// # Errors
    /// If the device has only fp32: the CPU, and GPUs of a compute capability before 8.0.
    pub fn with_precision(self, precision: MatmulPrecision) -> Result<Device> {
        match self {
            Device::Cpu if precision == MatmulPrecision::Fp32 => Ok(self),
            Device::Cpu => Err(Error::new("cpu", format!("the CPU computes in fp32, not in {precision}"))
                .hint("tf32 and bf16 need an NVIDIA GPU of compute capability 8.0 or later")),
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, .. } => {
                CudaDevice::get(ordinal)?.with_precision(precision).map(|device| Home::device(&device))
            }
        }
    }

    /// How exactly products of f32 tensors are computed there.
    pub fn precision(&self) -> MatmulPrecision {
        match self {
            Device::Cpu => MatmulPrecision::Fp32,
            #[cfg(feature = "cuda")]
            Device::Cuda { precision, .. } => *precision,
        }
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
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, precision } => match CudaDevice::get(*ordinal) {
                Ok(device) => format!("cuda:{ordinal} ({}, {precision})", device.name()),
                Err(_) => self.to_string(),
            },
        }
    }

    /// What is known of the device, as names and values: of a GPU its compute capability, the driver's version, its memory and
    /// what tensors hold of it; of the CPU what [`describe`](Device::describe) says.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn facts(&self) -> Result<Vec<(&'static str, String)>> {
        match self {
            Device::Cpu => Ok(vec![("device", self.describe())]),
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, .. } => CudaDevice::get(*ordinal)?.facts(),
        }
    }

    /// Waits until all work that was given to the device is done. Only clocks need it: whatever reads a tensor's elements waits
    /// by itself.
    ///
    /// # Errors
    /// If a kernel has failed.
    pub fn synchronize(&self) -> Result<()> {
        match self {
            Device::Cpu => Ok(()),
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, .. } => CudaDevice::get(*ordinal)?.synchronize(),
        }
    }

    /// Runs `f`. An op on a tensor has no `Result` to give: where a GPU has too little memory for it, or a kernel cannot be
    /// started, it panics with the error's text, and inside an `attempt` the error comes out here instead. Either way the
    /// device works on.
    ///
    /// ```
    /// # use cotangent_core::{Device, Tensor};
    /// let sum = Device::attempt(|| Tensor::ones([2, 3]).sum(..).item())?;
    /// assert_eq!(sum, 6.0);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the device said.
    pub fn attempt<R>(f: impl FnOnce() -> R) -> Result<R> {
        #[cfg(feature = "cuda")]
        return cotangent_cuda::attempt(f);
        #[cfg(not(feature = "cuda"))]
        Ok(f())
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
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, precision: MatmulPrecision::Fp32 } => write!(f, "cuda:{ordinal}"),
            #[cfg(feature = "cuda")]
            Device::Cuda { ordinal, precision } => write!(f, "cuda:{ordinal} ({precision})"),
        }
    }
}

/// The memory of a tensor, on its device.
pub(crate) enum Storage {
    Cpu(Buffer),
    #[cfg(feature = "cuda")]
    Cuda(cotangent_cuda::Buffer),
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
            #[cfg(feature = "cuda")]
            Storage::Cuda(buffer) => Home::device(&buffer.device()),
        }
    }
}

/// The CPU's kernels: a value without state.
pub(crate) const CPU: CpuDevice = CpuDevice;

/// A device's kernels, and where tensors keep its buffers.
pub(crate) trait Home: Kernels + Copy {
    /// Which device it is.
    fn device(&self) -> Device;
    /// The buffer in a tensor's memory, if it is of this kind of device.
    fn buffer(storage: &Storage) -> Option<&Self::Buffer>;
    /// The same, to write.
    fn buffer_mut(storage: &mut Storage) -> Option<&mut Self::Buffer>;
    /// A buffer as a tensor's memory.
    fn store(buffer: Self::Buffer) -> Storage;
    /// The buffer's dtype.
    fn dtype(buffer: &Self::Buffer) -> DType;
    /// How many elements it has.
    fn len(buffer: &Self::Buffer) -> usize;
    /// A buffer whose values are anything.
    fn uninit(&self, dtype: DType, count: usize) -> Self::Buffer;

    /// Indices cut to `0..size`, while a step is recorded.
    fn recorded_index(&self, index: View<Self::Buffer>, size: usize) -> Option<Self::Buffer> {
        let _ = (index, size);
        None
    }

    /// The tensor as the device's kernels see it.
    ///
    /// # Panics
    /// If it is on another device.
    fn view<'a>(&self, x: &'a Tensor) -> View<'a, Self::Buffer> {
        match Self::buffer(&x.storage) {
            Some(buffer) if x.device() == self.device() => View { buffer, layout: x.layout },
            _ => different("device", self.device(), x.device()).panic(),
        }
    }
}

/// Why an op refuses tensors of different devices.
pub(crate) fn different(op: &'static str, a: Device, b: Device) -> ShapeError {
    ShapeError::new(op, format!("one tensor is on {a}, another on {b}; move one with `to_device`"))
}

impl Home for CpuDevice {
    fn device(&self) -> Device {
        Device::Cpu
    }
    fn buffer(storage: &Storage) -> Option<&Buffer> {
        match storage {
            Storage::Cpu(buffer) => Some(buffer),
            #[cfg(feature = "cuda")]
            Storage::Cuda(_) => None,
        }
    }
    fn buffer_mut(storage: &mut Storage) -> Option<&mut Buffer> {
        match storage {
            Storage::Cpu(buffer) => Some(buffer),
            #[cfg(feature = "cuda")]
            Storage::Cuda(_) => None,
        }
    }
    fn store(buffer: Buffer) -> Storage {
        Storage::Cpu(buffer)
    }
    fn dtype(buffer: &Buffer) -> DType {
        buffer.dtype()
    }
    fn len(buffer: &Buffer) -> usize {
        buffer.len()
    }
    fn uninit(&self, dtype: DType, count: usize) -> Buffer {
        Buffer::uninit(dtype, count)
    }
}

#[cfg(feature = "cuda")]
impl Home for CudaDevice {
    fn device(&self) -> Device {
        Device::Cuda { ordinal: self.ordinal(), precision: self.precision() }
    }
    fn buffer(storage: &Storage) -> Option<&cotangent_cuda::Buffer> {
        match storage {
            Storage::Cuda(buffer) => Some(buffer),
            Storage::Cpu(_) => None,
        }
    }
    fn buffer_mut(storage: &mut Storage) -> Option<&mut cotangent_cuda::Buffer> {
        match storage {
            Storage::Cuda(buffer) => Some(buffer),
            Storage::Cpu(_) => None,
        }
    }
    fn store(buffer: cotangent_cuda::Buffer) -> Storage {
        Storage::Cuda(buffer)
    }
    fn dtype(buffer: &cotangent_cuda::Buffer) -> DType {
        buffer.dtype()
    }
    fn len(buffer: &cotangent_cuda::Buffer) -> usize {
        buffer.len()
    }
    fn uninit(&self, dtype: DType, count: usize) -> cotangent_cuda::Buffer {
        CudaDevice::uninit(self, dtype, count)
    }
    fn recorded_index(&self, index: View<cotangent_cuda::Buffer>, size: usize) -> Option<cotangent_cuda::Buffer> {
        (cotangent_cuda::capture::is_recording() && size > 0).then(|| CudaDevice::cut_index(self, index, size))
    }
}

/// `body` with `home`, of type `H`, the kernels of the device that tensor `x` is on.
macro_rules! on {
    ($x:expr, $H:ident, $home:ident => $body:expr) => {
        match &*$x.storage {
            $crate::device::Storage::Cpu(_) => {
                #[allow(dead_code, reason = "not every body names the type")]
                type $H = cotangent_cpu::CpuDevice;
                let $home = $crate::device::CPU;
                $body
            }
            #[cfg(feature = "cuda")]
            $crate::device::Storage::Cuda(buffer) => {
                #[allow(dead_code, reason = "not every body names the type")]
                type $H = cotangent_cuda::CudaDevice;
                let $home = buffer.device();
                $body
            }
        }
    };
}
pub(crate) use on;

/// `body` with `home`, of type `H`, the kernels of `device`.
macro_rules! on_device {
    ($device:expr, $H:ident, $home:ident => $body:expr) => {
        match $device {
            $crate::device::Device::Cpu => {
                type $H = cotangent_cpu::CpuDevice;
                let $home = $crate::device::CPU;
                $body
            }
            #[cfg(feature = "cuda")]
            $crate::device::Device::Cuda { ordinal, precision } => {
                type $H = cotangent_cuda::CudaDevice;
                let $home = cotangent_cuda::CudaDevice::opened(*ordinal, *precision);
                $body
            }
        }
    };
}
pub(crate) use on_device;
