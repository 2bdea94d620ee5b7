//! Whether there is a CUDA driver, and what it has.

use cotangent_base::{Error, Result};
use cudarc::driver::{CudaContext, result, sys};
use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock};

/// How many CUDA devices there are, or in a few words why none can be used. Asked once.
pub fn count() -> Result<usize, &'static str> {
    static FOUND: OnceLock<Result<usize, String>> = OnceLock::new();
    FOUND.get_or_init(ask).as_ref().map(|&count| count).map_err(String::as_str)
}

/// cudarc panics at its first call where there is no driver, or one that lacks a function: so this asks first.
fn ask() -> Result<usize, String> {
    // SAFETY: opens the driver's library, as any later call would, and calls nothing in it.
    if !unsafe { sys::is_culib_present() } {
        return Err("no CUDA driver on this machine".to_owned());
    }
    if let Some(missing) = NEEDED.iter().find(|name| !has(name)) {
        return Err(format!("the CUDA driver lacks {missing}, which CUDA {FLOOR} has"));
    }
    let asked = catch_unwind(|| {
        result::init()?;
        result::device::get_count()
    });
    match asked {
        Ok(Ok(0)) => Err("the CUDA driver finds no device".to_owned()),
        Ok(Ok(count)) => Ok(count as usize),
        Ok(Err(error)) => Err(format!("the CUDA driver does not start: {}", name(error))),
        Err(_) => Err(format!("the CUDA driver lacks a function of CUDA {FLOOR}")),
    }
}

/// The oldest CUDA whose driver has all that is called.
const FLOOR: &str = "11.8";

/// What every program calls, among it the youngest functions. cudarc panics where one is missing, so it is looked for first.
const NEEDED: [&str; 8] = [
    "cuInit",
    "cuDeviceGetCount",
    "cuDevicePrimaryCtxRetain",
    "cuMemAlloc_v2",
    "cuModuleLoadData",
    "cuLaunchKernel",
    "cuStreamBeginCapture_v2",
    "cuGraphInstantiateWithFlags",
];

/// Whether the driver's library has a function of this name.
fn has(name: &str) -> bool {
    // SAFETY: the library is there; the function is looked up, not called.
    unsafe { sys::culib().get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_ok()
}

/// The newest CUDA that the driver knows: 12080 for 12.8.
pub(crate) fn version() -> Result<i32, result::DriverError> {
    let mut version = 0;
    // SAFETY: the driver writes one number there.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result()?;
    Ok(version)
}

/// The context of device `ordinal`, or why there is none.
pub fn open(ordinal: usize) -> Result<Arc<CudaContext>> {
    let place = format!("cuda:{ordinal}");
    match count() {
        Err(why) => Err(Error::new(place, why).hint("Device::best() takes the CPU where there is no GPU")),
        Ok(count) if ordinal >= count => {
            let last = format!("{count} CUDA device{} here", if count == 1 { " is" } else { "s are" });
            Err(Error::new(place, last).hint(format!("ordinals are 0 to {}", count - 1)))
        }
        Ok(_) => CudaContext::new(ordinal).map_err(|error| Error::new(place, name(error))),
    }
}

/// The driver's name for what went wrong: `CUDA_ERROR_OUT_OF_MEMORY`.
pub(crate) fn name(error: result::DriverError) -> String {
    match error.error_name() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => format!("{:?}", error.0),
    }
}

/// Whether there is too little memory.
pub(crate) fn is_out_of_memory(error: result::DriverError) -> bool {
    error.0 == sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY
}

/// Whether nothing works any more in this process after such an error: a kernel has broken a rule.
pub(crate) fn is_final(error: result::DriverError) -> bool {
    use sys::CUresult as R;
    matches!(
        error.0,
        R::CUDA_ERROR_ILLEGAL_ADDRESS
            | R::CUDA_ERROR_MISALIGNED_ADDRESS
            | R::CUDA_ERROR_ILLEGAL_INSTRUCTION
            | R::CUDA_ERROR_LAUNCH_TIMEOUT
            | R::CUDA_ERROR_LAUNCH_FAILED
            | R::CUDA_ERROR_ECC_UNCORRECTABLE
            | R::CUDA_ERROR_HARDWARE_STACK_ERROR
            | R::CUDA_ERROR_INVALID_ADDRESS_SPACE
            | R::CUDA_ERROR_INVALID_PC
    )
}

/// What to do then.
pub(crate) const FINAL: &str = "a kernel has failed, this one or one before it, and the driver lets this process do nothing more on \
    the GPU: start the program again; CUDA_LAUNCH_BLOCKING=1 in the environment tells which kernel it is";
