//! A module that is loaded: its variables have addresses, its kernels are ready to run.

use std::collections::HashMap;
use std::sync::Arc;

use crate::compile::{self, Shared};
use crate::device::{Device, Limits};
use crate::error::{PtxError, PtxErrorKind};
use crate::kernel::Kernel;
use crate::memory::Memory;
use crate::parse::{Initial, Module, Variable};

/// The newest PTX that is played.
const NEWEST: (u32, u32) = (9, 0);

/// A module that is loaded.
#[derive(Debug)]
pub struct Program {
    kernels: HashMap<String, Arc<Kernel>>,
    globals: HashMap<String, (u64, usize)>,
}

impl Program {
    /// Reads `text`, places its variables in the memory of `device` and compiles its kernels.
    pub fn load(text: &str, device: &Device) -> Result<Program, PtxError> {
        let module = Module::parse(text)?;
        check_head(&module, &device.options.limits, device.options.newest_ptx)?;
        let globals = place(&module, &device.memory)?;
        let shared = Shared {
            functions: module.functions.iter().filter(|f| f.body.is_some()).map(|f| (f.name, f)).collect(),
            globals: globals.iter().map(|(&name, &(address, _))| (name, address)).collect(),
            shared: module.variables.iter().filter(|v| is_shared(v)).map(|v| (v.name, v)).collect(),
            source: Arc::from(text),
        };
        let mut kernels = HashMap::new();
        for function in module.functions.iter().filter(|f| f.is_kernel && f.body.is_some()) {
            kernels.insert(function.name.to_owned(), Arc::new(compile::kernel(function, &shared)?));
        }
        let globals = globals.into_iter().map(|(name, place)| (name.to_owned(), place)).collect();
        Ok(Program { kernels, globals })
    }

    /// The kernel of that name.
    pub fn kernel(&self, name: &str) -> Option<&Arc<Kernel>> {
        self.kernels.get(name)
    }

    /// All kernels, in no order.
    pub fn kernels(&self) -> impl Iterator<Item = &Arc<Kernel>> {
        self.kernels.values()
    }

    /// The address of a module's variable, and its bytes.
    pub fn global(&self, name: &str) -> Option<(u64, usize)> {
        self.globals.get(name).copied()
    }

    /// Gives the variables' memory back.
    pub fn unload(self, memory: &Memory) {
        self.globals.values().for_each(|&(address, _)| {
            memory.free(address);
        });
    }
}

fn is_shared(variable: &Variable<'_>) -> bool {
    variable.storage == crate::parse::Storage::Shared
}

/// Refuses what another driver or device would be needed for.
fn check_head(module: &Module<'_>, limits: &Limits, newest: Option<(u32, u32)>) -> Result<(), PtxError> {
    let (major, minor) = module.version;
    let newest = newest.unwrap_or(NEWEST);
    let refuse = |kind, message| Err(PtxError { kind, line: 1, message });
    if module.version == (0, 0) {
        return refuse(PtxErrorKind::Invalid, "there is no .version".to_owned());
    }
    if module.version > newest {
        let (a, b) = newest;
        let message = format!(".version {major}.{minor} is newer than {a}.{b}, the newest that is played");
        return refuse(PtxErrorKind::Version, message);
    }
    let (a, b) = limits.compute_capability;
    let target = module.target.strip_prefix("sm_").unwrap_or_default();
    // a target with a letter is for one capability alone
    let (number, only) = target.strip_suffix('a').map_or((target, false), |number| (number, true));
    let fits = |number: u32| if only { number == 10 * a + b } else { number <= 10 * a + b };
    if !number.parse().is_ok_and(fits) {
        let message = format!(".target {} is not for the sm_{a}{b} that is played", module.target);
        return refuse(PtxErrorKind::Target, message);
    }
    Ok(())
}

/// Gives global and constant variables their memory, and fills it.
fn place<'a>(module: &Module<'a>, memory: &Memory) -> Result<HashMap<&'a str, (u64, usize)>, PtxError> {
    let mut places = HashMap::new();
    let variables = || module.variables.iter().filter(|variable| !is_shared(variable));
    for variable in variables() {
        let error = |_| PtxError {
            kind: PtxErrorKind::Memory,
            line: variable.line,
            message: format!("no memory for {}", variable.name),
        };
        places.insert(variable.name, (memory.allocate(variable.bytes()).map_err(error)?, variable.bytes()));
    }
    for variable in variables() {
        let mut data = Vec::with_capacity(variable.bytes());
        for initial in &variable.initial {
            let bits = match *initial {
                Initial::Number(number) => number.bits(variable.ty == crate::types::Type::F64),
                Initial::Address(name, offset) => {
                    let missing = || PtxError::syntax(variable.line, format!("{name} is not declared"));
                    places.get(name).ok_or_else(missing)?.0.wrapping_add_signed(offset)
                }
            };
            data.extend_from_slice(&bits.to_le_bytes()[..variable.ty.size()]);
        }
        if data.len() > variable.bytes() {
            return Err(PtxError::syntax(variable.line, format!("{} has too many initial values", variable.name)));
        }
        data.resize(variable.bytes(), 0);
        memory.write(places[variable.name].0, &data).expect("its place is allocated");
    }
    Ok(places)
}
