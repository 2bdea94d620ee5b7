//! Modules, functions and their attributes.

use std::collections::HashMap;
use std::ffi::{c_int, c_uint};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ptx_sim::{Program, PtxErrorKind};

use crate::answer::{Answer, Error};
use crate::driver::{Function, Handle, Module, driver};
use crate::pointers::{Out, Text};
use crate::texts;

/// Loads PTX, but neither an ELF file nor a bundle of several.
fn load_image(module: Out<Handle>, image: Text) -> Answer {
    if image.starts_with(b"\x7fELF") || image.starts_with(&[0x50, 0xED, 0x55, 0xBA]) {
        eprintln!("ptxsim: a binary for a real device; only PTX is played");
        return Err(Error::InvalidImage);
    }
    load(module, image.get()?)
}

fn load(module: Out<Handle>, text: &str) -> Answer {
    drop(driver().uncaptured()?);
    let settings = &driver().settings;
    let text = &texts::instead(settings, text)?;
    texts::keep(settings, text)?;
    let program = Program::load(text, &driver().device).map_err(|error| {
        eprintln!("ptxsim: {error}");
        match error.kind {
            PtxErrorKind::Version => Error::UnsupportedPtxVersion,
            PtxErrorKind::Memory => Error::OutOfMemory,
            PtxErrorKind::Invalid | PtxErrorKind::Target => Error::InvalidPtx,
        }
    })?;
    let mut state = driver().context()?;
    let mut functions = HashMap::new();
    for kernel in program.kernels() {
        let handle = state.handle();
        let function = Function { kernel: Arc::clone(kernel), dynamic_shared: AtomicUsize::new(0) };
        state.functions.insert(handle, Arc::new(function));
        functions.insert(kernel.name.clone(), handle);
    }
    let handle = state.handle();
    state.modules.insert(handle, Module { program, functions });
    module.set(handle)
}

/// A function by its handle.
pub fn function(handle: Handle) -> Answer<Arc<Function>> {
    driver().context()?.functions.get(&handle).cloned().ok_or(Error::InvalidHandle)
}

exports! {
    /// Loads PTX from memory.
    fn cuModuleLoadData(module: Out<Handle>, image: Text) {
        load_image(module, image)
    }

    /// The same; options change nothing.
    fn cuModuleLoadDataEx(module: Out<Handle>, image: Text, _count: c_uint, _options: usize, _values: usize) {
        load_image(module, image)
    }

    /// Loads PTX from a file.
    fn cuModuleLoad(module: Out<Handle>, path: Text) {
        load(module, &std::fs::read_to_string(path.get()?).map_err(|_| Error::FileNotFound)?)
    }

    /// Unloads a module.
    fn cuModuleUnload(module: Handle) {
        let mut state = driver().context()?;
        let module = state.modules.remove(&module).ok_or(Error::InvalidHandle)?;
        for function in module.functions.values() {
            state.functions.remove(function);
        }
        module.program.unload(&driver().device.memory);
        Ok(())
    }

    /// A kernel of a module.
    fn cuModuleGetFunction(function: Out<Handle>, module: Handle, name: Text) {
        let state = driver().context()?;
        let module = state.modules.get(&module).ok_or(Error::InvalidHandle)?;
        function.set(*module.functions.get(name.get()?).ok_or(Error::NotFound)?)
    }

    /// A variable of a module.
    fn cuModuleGetGlobal_v2(address: Out<u64>, bytes: Out<usize>, module: Handle, name: Text) {
        let state = driver().context()?;
        let module = state.modules.get(&module).ok_or(Error::InvalidHandle)?;
        let (place, size) = module.program.global(name.get()?).ok_or(Error::NotFound)?;
        address.set_if_wanted(place);
        bytes.set_if_wanted(size);
        Ok(())
    }

    /// What a kernel needs.
    fn cuFuncGetAttribute(value: Out<c_int>, attribute: c_int, handle: Handle) {
        let function = function(handle)?;
        let (kernel, limits) = (&function.kernel, &driver().device.options.limits);
        let (major, minor) = limits.compute_capability;
        let found = match attribute {
            0 => kernel.max_threads.unwrap_or(limits.threads) as usize,
            1 => kernel.static_shared,
            3 => kernel.local_bytes,
            4 => kernel.registers() as usize,
            5 | 6 => (10 * major + minor) as usize,
            8 => function.dynamic_shared.load(Relaxed).max(limits.shared.saturating_sub(kernel.static_shared)),
            2 | 7 | 9..=15 => 0,
            _ => return Err(Error::InvalidValue),
        };
        value.set(found as c_int)
    }

    /// Asks for more shared memory than every kernel may have; other attributes are hints.
    fn cuFuncSetAttribute(handle: Handle, attribute: c_int, value: c_int) {
        let function = function(handle)?;
        if attribute != 8 {
            return if attribute == 9 { Ok(()) } else { Err(Error::InvalidValue) };
        }
        let bytes = usize::try_from(value).map_err(|_| Error::InvalidValue)?;
        if function.kernel.static_shared + bytes > driver().device.options.limits.shared_opt_in {
            return Err(Error::InvalidValue);
        }
        function.dynamic_shared.store(bytes, Relaxed);
        Ok(())
    }

    /// Caches are not played.
    fn cuFuncSetCacheConfig(handle: Handle, _config: c_int) {
        function(handle).map(drop)
    }

    /// How a kernel's parameter lies among the others.
    fn cuFuncGetParamInfo(handle: Handle, index: usize, offset: Out<usize>, bytes: Out<usize>) {
        let function = function(handle)?;
        let param = function.kernel.params.get(index).ok_or(Error::InvalidValue)?;
        offset.set(param.offset)?;
        bytes.set_if_wanted(param.bytes);
        Ok(())
    }

    /// Blocks that a multiprocessor can hold, as far as threads, shared memory and registers go.
    fn cuOccupancyMaxActiveBlocksPerMultiprocessor(count: Out<c_int>, handle: Handle, threads: c_int, dynamic: usize) {
        count.set(blocks(&*function(handle)?, threads, dynamic)?)
    }

    /// The same; flags change nothing.
    fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        count: Out<c_int>,
        handle: Handle,
        threads: c_int,
        dynamic: usize,
        _flags: c_uint,
    ) {
        count.set(blocks(&*function(handle)?, threads, dynamic)?)
    }
}

fn blocks(function: &Function, threads: c_int, dynamic: usize) -> Answer<c_int> {
    let limits = &driver().device.options.limits;
    let threads = u32::try_from(threads).ok().filter(|&n| n > 0).ok_or(Error::InvalidValue)?;
    let shared = (function.kernel.static_shared + dynamic + 1024) as u32;
    let registers = threads.next_multiple_of(32) * function.kernel.registers().next_multiple_of(8);
    let fits = [2048 / threads, limits.shared_per_multiprocessor as u32 / shared, limits.registers / registers, 32];
    Ok(fits.into_iter().min().unwrap_or(0) as c_int)
}
