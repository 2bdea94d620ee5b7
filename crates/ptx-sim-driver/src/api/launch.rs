//! Launches.

use std::ffi::{c_uint, c_void};

use crate::answer::{Answer, Error};
use crate::driver::{Handle, driver};
use crate::pointers::{Host, In};
use crate::work::Work;

/// `CUlaunchConfig`
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Config {
    grid: [c_uint; 3],
    block: [c_uint; 3],
    dynamic_shared: c_uint,
    stream: Handle,
    attributes: *const c_void,
    attribute_count: c_uint,
}

fn launch(
    function: Handle,
    grid: [c_uint; 3],
    block: [c_uint; 3],
    dynamic_shared: c_uint,
    stream: Handle,
    values: In<Host>,
    extra: In<Host>,
) -> Answer {
    let function = super::module::function(function)?;
    let kernel = &function.kernel;
    if !extra.is_null() {
        return Err(Error::NotSupported);
    }
    let mut params = vec![0; kernel.param_bytes];
    for (i, param) in kernel.params.iter().enumerate() {
        params[param.offset..param.offset + param.bytes].copy_from_slice(values.at(i)?.read(0, param.bytes)?);
    }
    let dynamic_shared = dynamic_shared as usize;
    driver().submit(stream, Work::Launch { function, grid, block, dynamic_shared, params })
}

exports! {
    /// Launches a kernel.
    fn cuLaunchKernel(
        function: Handle,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        dynamic_shared: c_uint,
        stream: Handle,
        values: In<Host>,
        extra: In<Host>,
    ) {
        let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        launch(function, grid, block, dynamic_shared, stream, values, extra)
    }

    /// Launches a kernel with attributes, which are hints here: programmatic launches wait for what is before them.
    fn cuLaunchKernelEx(config: In<Config>, function: Handle, values: In<Host>, extra: In<Host>) {
        let Config { grid, block, dynamic_shared, stream, .. } = config.get()?;
        launch(function, grid, block, dynamic_shared, stream, values, extra)
    }
}
