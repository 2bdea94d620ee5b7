//! Work that goes into a stream: run at once, or kept in a graph and run at each of its launches.

use std::ffi::c_void;
use std::sync::Arc;

use ptx_sim::{FaultKind, Launch, LaunchError, OutsideMemory};

use crate::answer::{Answer, Error};
use crate::driver::{Driver, Function};
use crate::pointers::Host;

/// A piece of work.
pub enum Work {
    Launch {
        function: Arc<Function>,
        grid: [u32; 3],
        block: [u32; 3],
        dynamic_shared: usize,
        params: Vec<u8>,
    },
    ToDevice {
        to: u64,
        from: Host,
        bytes: usize,
    },
    ToHost {
        to: Host,
        from: u64,
        bytes: usize,
    },
    OnDevice {
        to: u64,
        from: u64,
        bytes: usize,
    },
    /// `count` values of `width` bytes.
    Fill {
        address: u64,
        value: [u8; 4],
        width: usize,
        count: usize,
    },
    Call {
        function: extern "C" fn(*mut c_void),
        argument: Host,
    },
}

impl Work {
    /// Refuses what the driver refuses when work is submitted.
    pub fn check(&self, driver: &Driver) -> Answer {
        let Work::Launch { function, grid, block, dynamic_shared, params } = self else { return Ok(()) };
        let launch = Launch { grid: *grid, block: *block, dynamic_shared: *dynamic_shared, params };
        driver.device.check(&function.kernel, &launch, function.shared_limit(driver)).map_err(|e| refused(&e))
    }

    /// Does it.
    pub fn run(&self, driver: &Driver) -> Answer {
        let memory = &driver.device.memory;
        match *self {
            Work::Launch { ref function, grid, block, dynamic_shared, ref params } => {
                let launch = Launch { grid, block, dynamic_shared, params };
                run_kernel(driver, function, &launch)
            }
            Work::ToDevice { to, from, bytes } => {
                on_host(driver, from, bytes)?;
                memory.write(to, from.read(0, bytes)?).map_err(|e| outside(&e))
            }
            Work::ToHost { to, from, bytes } => {
                on_host(driver, to, bytes)?;
                memory.read(from, to.write(bytes)?).map_err(|e| outside(&e))
            }
            Work::OnDevice { to, from, bytes } => memory.copy(to, from, bytes).map_err(|e| outside(&e)),
            Work::Fill { address, value, width, count } => {
                memory.fill(address, &value[..width], count).map_err(|e| outside(&e))
            }
            Work::Call { function, argument } => {
                function(argument.address() as *mut c_void);
                Ok(())
            }
        }
    }
}

fn run_kernel(driver: &Driver, function: &Function, launch: &Launch<'_>) -> Answer {
    match driver.device.launch_with(&function.kernel, launch, function.shared_limit(driver)) {
        Ok(counts) => {
            driver.report().add(&function.kernel.name, counts);
            Ok(())
        }
        Err(LaunchError::Fault(fault)) => {
            eprintln!("ptxsim: {fault}");
            driver.report().fault(&fault);
            driver.poison(match fault.kind {
                FaultKind::OutOfBounds => Error::IllegalAddress,
                FaultKind::Misaligned => Error::MisalignedAddress,
                FaultKind::Timeout => Error::LaunchTimeout,
                FaultKind::Trap => Error::IllegalInstruction,
                _ => Error::LaunchFailed,
            })
        }
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &LaunchError) -> Error {
    eprintln!("ptxsim: {error}");
    match error {
        LaunchError::OutOfResources(_) => Error::LaunchOutOfResources,
        _ => Error::InvalidValue,
    }
}

fn outside(error: &OutsideMemory) -> Error {
    eprintln!("ptxsim: {error}");
    Error::InvalidValue
}

/// An address of the device where one of the host belongs is an invalid value, not a crash.
fn on_host(driver: &Driver, host: Host, bytes: usize) -> Answer {
    if bytes > 0 && driver.device.memory.allocation(host.address()).is_some() {
        eprintln!("ptxsim: {:#x} is an address of the device, not of the host", host.address());
        return Err(Error::InvalidValue);
    }
    Ok(())
}
