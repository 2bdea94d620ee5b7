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
    let asked = catch_unwind(|| {
        result::init()?;
        result::device::get_count()
    });
    match asked {
        Ok(Ok(0)) => Err("the CUDA driver finds no device".to_owned()),
        Ok(Ok(count)) => Ok(count as usize),
        Ok(Err(error)) => Err(format!("the CUDA driver does not start: {}", name(error))),
        Err(_) => Err("the CUDA driver lacks a function of CUDA 11.8".to_owned()),
    }
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
