//! The kernel families: each checks nothing that the op has checked, allocates its result, and launches.

pub mod conv;
pub mod elementwise;
pub mod gemm;
pub mod index;
pub mod memory;
pub mod norm;
pub mod pointwise;
pub mod pool;
mod products;
pub mod random;
pub mod reduce;
pub mod softmax;
pub mod update;
mod wgmma;

pub use elementwise::whole;

use crate::Buffer;
use crate::device::CudaDevice;
use cotangent_base::{DType, Result};
use cotangent_kernels::File;

/// Threads in a block, where a kernel does not need another number.
const BLOCK: usize = 256;

/// The end of a kernel's name.
fn suffix(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::U32 => "u32",
        DType::I64 => "i64",
        DType::U8 | DType::Bool => "u8",
    }
}

/// Runs kernel `{name}_{dtype}` of `file`.
///
/// # Safety
/// `params` has the layout of the kernel's parameter, and the buffers it names are as large as it says.
unsafe fn launch<P>(
    device: CudaDevice,
    file: File,
    name: &str,
    dtype: DType,
    grid: [usize; 3],
    params: &P,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { launch_with(device, file, name, dtype, (grid, 0), params) }
}

/// The same with so many bytes of shared memory beside the grid.
///
/// # Safety
/// As for [`launch`].
unsafe fn launch_with<P>(
    device: CudaDevice,
    file: File,
    name: &str,
    dtype: DType,
    (grid, shared): ([usize; 3], usize),
    params: &P,
) -> Result<()> {
    let name = format!("{name}_{}", suffix(dtype));
    debug_assert!(
        file.entries().contains(&(name.as_str(), size_of::<P>())),
        "{name} has another parameter than {} bytes: {:?}",
        size_of::<P>(),
        file.entries()
    );
    let function = device.named(file, name, shared as u32)?;
    // SAFETY: the caller's promise.
    unsafe { device.launch(function, grid, BLOCK as u32, params) }
}

/// The address of a buffer's first element.
fn start(buffer: &Buffer) -> u64 {
    buffer.address(0)
}
