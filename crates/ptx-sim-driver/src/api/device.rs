//! Initialization, errors and the device.

use std::ffi::{c_char, c_int, c_uint};

use crate::answer::{Answer, Error, describe};
use crate::driver::driver;
use crate::pointers::Out;
use crate::report::write_at_exit;

/// The driver's version that goes with the newest PTX: 8.0 came with CUDA 12.0.
const VERSION: c_int = 12000;

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> c_int;
}

/// The device, of which there is only number 0.
fn only(device: c_int) -> Answer {
    drop(driver().initialized()?);
    if (0..driver().settings.devices).contains(&device) { Ok(()) } else { Err(Error::InvalidDevice) }
}

exports! {
    /// Makes the other functions work.
    fn cuInit(flags: c_uint) {
        if flags != 0 {
            return Err(Error::InvalidValue);
        }
        let mut state = driver().state();
        if driver().settings.devices == 0 {
            return Err(Error::NoDevice);
        }
        if !std::mem::replace(&mut state.initialized, true) && driver().settings.report.is_some() {
            // SAFETY: the function takes nothing and stays loaded as long as the library.
            unsafe { atexit(write_at_exit) };
        }
        Ok(())
    }

    /// The version, as 1000·major + 10·minor.
    fn cuDriverGetVersion(version: Out<c_int>) {
        version.set(VERSION)
    }

    /// The name of a result code.
    fn cuGetErrorName(code: c_int, name: Out<*const c_char>) {
        name.set(describe(code).map_or(std::ptr::null(), |(name, _)| name.as_ptr()))?;
        describe(code).map(|_| ()).ok_or(Error::InvalidValue)
    }

    /// The text of a result code.
    fn cuGetErrorString(code: c_int, text: Out<*const c_char>) {
        text.set(describe(code).map_or(std::ptr::null(), |(_, text)| text.as_ptr()))?;
        describe(code).map(|_| ()).ok_or(Error::InvalidValue)
    }

    /// How many devices there are.
    fn cuDeviceGetCount(count: Out<c_int>) {
        drop(driver().initialized()?);
        count.set(driver().settings.devices)
    }

    /// The device of that number.
    fn cuDeviceGet(device: Out<c_int>, ordinal: c_int) {
        only(ordinal)?;
        device.set(ordinal)
    }

    /// Its name.
    fn cuDeviceGetName(name: Out<c_char>, room: c_int, device: c_int) {
        only(device)?;
        name.set_text("ptxsim", usize::try_from(room).unwrap_or(0))
    }

    /// An identity, always the same.
    fn cuDeviceGetUuid(uuid: Out<[u8; 16]>, device: c_int) {
        only(device)?;
        uuid.set(*b"ptxsim-device-00")
    }

    /// An identity, always the same.
    fn cuDeviceGetUuid_v2(uuid: Out<[u8; 16]>, device: c_int) {
        only(device)?;
        uuid.set(*b"ptxsim-device-00")
    }

    /// Its memory in bytes.
    fn cuDeviceTotalMem_v2(bytes: Out<usize>, device: c_int) {
        only(device)?;
        bytes.set(driver().device.memory.capacity())
    }

    /// One of its attributes.
    fn cuDeviceGetAttribute(value: Out<c_int>, attribute: c_int, device: c_int) {
        only(device)?;
        value.set(self::attribute(attribute)?)
    }
}

/// The attributes by the numbers that the driver gives them; those of what is absent are 0.
fn attribute(attribute: c_int) -> Answer<c_int> {
    let limits = &driver().device.options.limits;
    let (major, minor) = limits.compute_capability;
    let value = match attribute {
        1 => limits.threads,
        2..=4 => limits.block[attribute as usize - 2],
        5..=7 => limits.grid[attribute as usize - 5],
        8 => limits.shared as u32,
        9 => 64 << 10, // constant memory
        10 => 32,      // warp size
        11 => i32::MAX as u32,
        12 | 82 => limits.registers,
        13 | 36 => 1_000_000, // clock rates in kHz
        14 | 51 => 512,       // texture alignment
        15 | 31 | 40 => 1,    // overlap, concurrent kernels, copy engines
        16 => limits.multiprocessors,
        37 => 1024,     // bus width in bits
        38 => 40 << 20, // second-level cache
        39 => 2048,     // threads of a multiprocessor
        41 => 1,        // unified addressing
        75 => major,
        76 => minor,
        78..=80 => 1, // stream priorities, first-level caches
        81 => limits.shared_per_multiprocessor as u32,
        97 => limits.shared_opt_in as u32,
        106 => 32,   // blocks of a multiprocessor
        111 => 1024, // shared memory that the system keeps
        115 => 1,    // memory pools
        // What is absent: textures, managed memory, clusters, …
        17..=200 => 0,
        _ => return Err(Error::InvalidValue),
    };
    Ok(value as c_int)
}
