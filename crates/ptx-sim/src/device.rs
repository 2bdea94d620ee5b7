//! A device: memory, limits, and launches.

use std::fmt;

use crate::count::Counts;
use crate::exec;
use crate::fault::Fault;
use crate::kernel::Kernel;
use crate::memory::Memory;

/// A device.
pub struct Device {
    /// Its memory.
    pub memory: Memory,
    /// How it plays.
    pub options: Options,
}

/// What a device allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Major and minor.
    pub compute_capability: (u32, u32),
    /// Threads of a block.
    pub threads: u32,
    /// Threads of a block along each axis.
    pub block: [u32; 3],
    /// Blocks along each axis.
    pub grid: [u32; 3],
    /// Bytes of shared memory of a block.
    pub shared: usize,
    /// The same for a kernel that asks for more.
    pub shared_opt_in: usize,
    /// Bytes of shared memory of a multiprocessor.
    pub shared_per_multiprocessor: usize,
    /// 32-bit registers of a block.
    pub registers: u32,
    /// Multiprocessors.
    pub multiprocessors: u32,
    /// Bytes of a kernel's parameters.
    pub param_bytes: usize,
}

impl Limits {
    /// The default with another compute capability, and the shared memory that goes with it from 9.0 on.
    pub fn of(compute_capability: (u32, u32)) -> Self {
        let of_8_0 = Self { compute_capability, ..Self::default() };
        if compute_capability < (9, 0) {
            return of_8_0;
        }
        Self { shared_opt_in: 227 << 10, shared_per_multiprocessor: 228 << 10, ..of_8_0 }
    }
}

impl Default for Limits {
    /// Those of an A100, but for the multiprocessors, of which there are only as many as a test has patience for.
    fn default() -> Self {
        Self {
            compute_capability: (8, 0),
            threads: 1024,
            block: [1024, 1024, 64],
            grid: [i32::MAX as u32, 65535, 65535],
            shared: 48 << 10,
            shared_opt_in: 163 << 10,
            shared_per_multiprocessor: 164 << 10,
            registers: 65536,
            multiprocessors: 16,
            param_bytes: 4096,
        }
    }
}

/// How a device plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What it allows.
    pub limits: Limits,
    /// Bytes of memory.
    pub memory: usize,
    /// Host threads that run blocks.
    pub threads: usize,
    /// Whether reads of memory that nobody wrote are faults.
    pub check_unwritten: bool,
    /// Whether shared-memory races are faults.
    pub check_races: bool,
    /// The most warp instructions of one block.
    pub max_instructions: u64,
    /// The newest `.version` that is taken; `None` for the newest that is known.
    pub newest_ptx: Option<(u32, u32)>,
}

impl Default for Options {
    /// All checks, 4 GiB, as many threads as the host has.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            memory: 4 << 30,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            check_unwritten: true,
            check_races: true,
            max_instructions: 1 << 30,
            newest_ptx: None,
        }
    }
}

/// What to launch a kernel with.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Blocks along each axis.
    pub grid: [u32; 3],
    /// Threads of a block along each axis.
    pub block: [u32; 3],
    /// Bytes of shared memory beyond what the kernel declares.
    pub dynamic_shared: usize,
    /// The parameters' bytes, each at its alignment.
    pub params: &'a [u8],
}

/// Why a launch failed.
#[derive(Debug)]
pub enum LaunchError {
    /// The configuration is no launch at all: an empty grid, too many blocks, too few parameters.
    InvalidValue(String),
    /// The device has not that much: threads, registers, shared memory.
    OutOfResources(String),
    /// The kernel broke a rule while it ran.
    Fault(Box<Fault>),
}

impl fmt::Display for LaunchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LaunchError::InvalidValue(message) | LaunchError::OutOfResources(message) => f.write_str(message),
            LaunchError::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for LaunchError {}

impl Device {
    /// A device with nothing in its memory.
    pub fn new(options: Options) -> Self {
        Self { memory: Memory::new(options.memory), options }
    }

    /// Runs a kernel with at most the shared memory that every kernel may have.
    pub fn launch(&self, kernel: &Kernel, launch: &Launch<'_>) -> Result<Counts, LaunchError> {
        self.launch_with(kernel, launch, self.options.limits.shared)
    }

    /// Runs a kernel that has asked for up to `shared` bytes of shared memory.
    pub fn launch_with(&self, kernel: &Kernel, launch: &Launch<'_>, shared: usize) -> Result<Counts, LaunchError> {
        self.check(kernel, launch, shared)?;
        exec::run(self, kernel, launch).map_err(LaunchError::Fault)
    }

    /// Refuses what a real device would, without running anything.
    pub fn check(&self, kernel: &Kernel, launch: &Launch<'_>, shared: usize) -> Result<(), LaunchError> {
        let (limits, name) = (&self.options.limits, &kernel.name);
        let Launch { grid, block, dynamic_shared, params } = *launch;
        let invalid = |message: String| Err(LaunchError::InvalidValue(format!("{name}: {message}")));
        let resources = |message: String| Err(LaunchError::OutOfResources(format!("{name}: {message}")));
        let fits = |size: [u32; 3], most: [u32; 3]| (0..3).all(|axis| (1..=most[axis]).contains(&size[axis]));
        if !fits(grid, limits.grid) {
            return invalid(format!("a grid of {grid:?} blocks; at most {:?}", limits.grid));
        }
        let threads = block.iter().map(|&n| u64::from(n)).product::<u64>();
        if !fits(block, limits.block) || threads > u64::from(limits.threads) {
            return invalid(format!("blocks of {block:?} threads; at most {} in all", limits.threads));
        }
        match kernel.max_threads {
            Some(most) if threads > u64::from(most) || (kernel.exact_threads && threads != u64::from(most)) => {
                return invalid(format!("blocks of {threads} threads; the kernel is made for {most}"));
            }
            _ => {}
        }
        let registers = threads * u64::from(kernel.max_registers.unwrap_or(0));
        if registers > u64::from(limits.registers) {
            return resources(format!("{registers} registers; a block has {}", limits.registers));
        }
        let bytes = kernel.dynamic_start * usize::from(dynamic_shared > 0) + dynamic_shared;
        if bytes.max(kernel.static_shared) > shared {
            return invalid(format!(
                "{bytes} bytes of shared memory; at most {shared} unless the kernel asks for more"
            ));
        }
        if params.len() < kernel.param_bytes || params.len() > limits.param_bytes {
            return invalid(format!("{} bytes of parameters; {} needed", params.len(), kernel.param_bytes));
        }
        Ok(())
    }
}
