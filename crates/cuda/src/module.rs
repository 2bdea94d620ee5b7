//! Kernels, loaded once for each device: those of `kernels/*.ptx` by name, emitted ones by what they compute.

use crate::emit;
use cotangent_kernels::File;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUfunction, CUfunction_attribute_enum};
use std::any::TypeId;
use std::collections::HashMap;
use std::ffi::CString;

/// A kernel on a device, and the bytes of shared memory that a launch gives it beside its own.
#[derive(Clone, Copy)]
pub struct Function(pub CUfunction, pub u32);

// SAFETY: a handle that the driver looks up; it may be used from any thread.
unsafe impl Send for Function {}

/// What an emitted kernel computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The formula's type, and which of the frames it is in.
    pub formula: (TypeId, &'static str),
    /// What distinguishes kernels of one formula: dtypes, an operation.
    pub variant: u64,
    /// The number of axes.
    pub rank: usize,
}

/// The kernels of one device.
#[derive(Default)]
pub struct Modules {
    named: HashMap<(&'static str, String), Function>,
    emitted: HashMap<Key, (Function, Vec<u64>)>,
    texts: HashMap<(Key, u64), Function>,
}

impl Modules {
    /// Kernel `name` of `file`, to be launched with `shared` bytes of shared memory: a module of its own, so that the driver assembles
    /// no kernel that nobody runs.
    pub fn named(&mut self, file: File, name: String, shared: u32) -> Result<Function, DriverError> {
        let key = (file.stem, name);
        if let Some(&function) = self.named.get(&key) {
            return Ok(function);
        }
        let mut function = function(load(&file.only(&key.1))?, &key.1)?;
        if shared > 0 {
            let most = CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            // SAFETY: the function was loaded just now.
            unsafe { result::function::set_function_attribute(function.0, most, shared as i32) }?;
            function.1 = shared;
        }
        self.named.insert(key, function);
        Ok(function)
    }

    /// What a kernel is called, for messages.
    pub fn name(&self, function: Function) -> String {
        let named = self.named.iter().find(|(_, known)| known.0 == function.0);
        let emitted = self.texts.iter().find(|(_, known)| known.0 == function.0);
        match (named, emitted) {
            (Some(((_, name), _)), _) => format!("kernel {name}"),
            (None, Some(((key, _), _))) => format!("the emitted kernel of {}", key.formula.1),
            (None, None) => "a kernel".to_owned(),
        }
    }

    /// The kernel of `key`, with the constants of its formula, if it was loaded by [`Modules::emitted`] with `keep`.
    pub fn known(&self, key: Key) -> Option<(Function, Vec<u64>)> {
        self.emitted.get(&key).cloned()
    }

    /// The kernel of a graph, and its constants. `keep` says that `key` alone decides both.
    pub fn emitted(
        &mut self,
        key: Key,
        keep: bool,
        graph: emit::Graph,
        slots: usize,
    ) -> Result<(Function, Vec<u64>), DriverError> {
        let constants = graph.constants().to_vec();
        let text = (key, graph.fingerprint());
        let function = match self.texts.get(&text) {
            Some(&function) => function,
            None => {
                let module = load(&emit::ptx(&graph, slots + graph.constant_slots()))?;
                let function = function(module, emit::ENTRY)?;
                self.texts.insert(text, function);
                function
            }
        };
        if keep {
            self.emitted.insert(key, (function, constants.clone()));
        }
        Ok((function, constants))
    }
}

/// Modules stay loaded as long as the program runs.
fn load(ptx: &str) -> Result<usize, DriverError> {
    let text = CString::new(ptx).expect("PTX has no zero bytes");
    // SAFETY: the text ends in a zero byte, and the driver copies what it needs of it.
    Ok(unsafe { result::module::load_data(text.as_ptr().cast()) }? as usize)
}

fn function(module: usize, name: &str) -> Result<Function, DriverError> {
    let name = CString::new(name).expect("a kernel's name has no zero bytes");
    // SAFETY: the module came from `load` and is never unloaded.
    Ok(Function(unsafe { result::module::get_function(module as _, name) }?, 0))
}
