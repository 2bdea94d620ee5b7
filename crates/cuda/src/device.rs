//! [`CudaDevice`]: one GPU with its stream, memory and kernels.

use crate::driver::{self, name};
use crate::emit;
use crate::module::{Function, Key, Modules};
use crate::pool::Pool;
use crate::staging::Staging;
use crate::{Buffer, capture, fault};
use cotangent_base::{DType, Error, MatmulPrecision, Result};
use cotangent_kernels::File;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUdevice_attribute as Attribute, CUstream};
use cudarc::driver::{CudaContext, CudaStream};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};

/// A GPU, and how exactly it shall compute products. A cheap handle: what it stands for lives as long as the program.
#[derive(Clone, Copy)]
pub struct CudaDevice(&'static Shared, MatmulPrecision);

struct Shared {
    ordinal: usize,
    context: Arc<CudaContext>,
    /// The compute capability.
    capability: (i32, i32),
    /// All work goes here, so it is done in the order in which it is asked for.
    stream: Arc<CudaStream>,
    pool: Mutex<Pool>,
    staging: Mutex<Option<Staging>>,
    modules: Mutex<Modules>,
    /// Every call takes part in it; a thread that records has it alone.
    turn: RwLock<()>,
}

/// A thread's right to be the only one that gives a device work.
pub(crate) type Turn = RwLockWriteGuard<'static, ()>;

impl PartialEq for CudaDevice {
    fn eq(&self, other: &Self) -> bool {
        (self.0.ordinal, self.1) == (other.0.ordinal, other.1)
    }
}
impl Eq for CudaDevice {}

impl fmt::Debug for CudaDevice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.place())
    }
}

/// Every device that was asked for.
static OPEN: Mutex<BTreeMap<usize, CudaDevice>> = Mutex::new(BTreeMap::new());

/// A lock whose data stays sound when a thread panics: every change is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CudaDevice {
    /// Device `ordinal`, opened at the first call, with products of fp32.
    ///
    /// # Errors
    /// Where there is no driver or no such device, or it cannot be opened.
    pub fn get(ordinal: usize) -> Result<Self> {
        let mut open = lock(&OPEN);
        if let Some(&device) = open.get(&ordinal) {
            return Ok(device);
        }
        let context = driver::open(ordinal)?;
        let refused = |e| Error::new(format!("cuda:{ordinal}"), name(e));
        let stream = context.new_stream().map_err(refused)?;
        let capability = context.compute_capability().map_err(refused)?;
        let shared = Shared {
            ordinal,
            context,
            capability,
            stream,
            pool: Mutex::default(),
            staging: Mutex::default(),
            modules: Mutex::default(),
            turn: RwLock::default(),
        };
        let device = CudaDevice(Box::leak(Box::new(shared)), MatmulPrecision::Fp32);
        open.insert(ordinal, device);
        Ok(device)
    }

    /// Device `ordinal`, which tensors of it show to be open.
    ///
    /// # Panics
    /// If it cannot be opened: whoever names a device by hand asks [`CudaDevice::get`] first.
    pub fn opened(ordinal: usize, precision: MatmulPrecision) -> Self {
        fault::expect(Self::get(ordinal).and_then(|device| device.with_precision(precision)))
    }

    /// The same GPU with products of another precision.
    ///
    /// # Errors
    /// If it has no such tensor cores.
    pub fn with_precision(self, precision: MatmulPrecision) -> Result<Self> {
        if precision != MatmulPrecision::Fp32 && !self.tensor_cores() {
            let (major, minor) = self.0.capability;
            let message = format!("a GPU of compute capability {major}.{minor} has no tensor cores for {precision}");
            return Err(Error::new(self.place(), message).hint("fp32 works everywhere; tf32 and bf16 begin with 8.0"));
        }
        Ok(Self(self.0, precision))
    }

    /// How exactly products are computed.
    pub fn precision(&self) -> MatmulPrecision {
        self.1
    }

    /// Major and minor number of what it can.
    pub(crate) fn capability(&self) -> (i32, i32) {
        self.0.capability
    }

    /// Whether it has tensor cores for TF32 and bf16.
    pub(crate) fn tensor_cores(&self) -> bool {
        self.0.capability >= (8, 0)
    }

    /// Memory for `count` elements, whose values are anything.
    ///
    /// # Panics
    /// Where there is too little: see [`attempt`](crate::attempt).
    pub fn uninit(&self, dtype: DType, count: usize) -> Buffer {
        fault::expect(Buffer::uninit(*self, dtype, count))
    }

    /// Its number.
    pub fn ordinal(&self) -> usize {
        self.0.ordinal
    }

    /// `cuda:0`.
    pub fn place(&self) -> String {
        format!("cuda:{}", self.0.ordinal)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        self.0.context.name().unwrap_or_else(|_| "unknown".to_owned())
    }

    /// What is known of it, as names and values.
    ///
    /// # Errors
    /// If the driver does not answer.
    pub fn facts(&self) -> Result<Vec<(&'static str, String)>> {
        const MIB: usize = 1 << 20;
        let (major, minor) = self.0.capability;
        let processors = Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let processors = self.call("asking for its processors", || self.0.context.attribute(processors))?;
        let driver = self.call("asking for the driver's version", driver::version)?;
        let ((free, all), (held, kept)) = (self.memory()?, self.pooled());
        Ok(vec![
            ("compute capability", format!("{major}.{minor}")),
            ("multiprocessors", processors.to_string()),
            ("driver", format!("for CUDA {}.{}", driver / 1000, driver % 1000 / 10)),
            ("memory", format!("{} of {} MiB free", free / MIB, all / MIB)),
            ("tensors", format!("hold {} MiB, {} MiB are kept for more", held / MIB, kept / MIB)),
        ])
    }

    /// Free and all memory in bytes, as the driver counts them.
    ///
    /// # Errors
    /// If the driver does not say.
    pub fn memory(&self) -> Result<(usize, usize)> {
        self.call("asking for its memory", result::mem_get_info)
    }

    /// Bytes that tensors hold, and bytes that are kept for tensors to come.
    pub fn pooled(&self) -> (usize, usize) {
        let pool = self.pool();
        (pool.held(), pool.kept())
    }

    /// Waits for all work.
    ///
    /// # Errors
    /// If a kernel has failed.
    pub fn synchronize(&self) -> Result<()> {
        capture::refuse(*self, "it waits for the device")?;
        // SAFETY: the stream lives as long as the program.
        self.call("waiting", || unsafe { result::stream::synchronize(self.stream()) })
    }

    /// Waits until no other thread gives the device work, and keeps them from it.
    pub(crate) fn take_turn(&self) -> Turn {
        self.0.turn.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory.
    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.0.pool)
    }

    pub(crate) fn stream(&self) -> CUstream {
        self.0.stream.cu_stream()
    }

    /// Calls the driver with this device's context; an error says what was being done.
    pub(crate) fn call<R>(&self, doing: &str, f: impl FnOnce() -> std::result::Result<R, DriverError>) -> Result<R> {
        self.call_or(doing, None, f)
    }

    /// The same with a hint for the reader of the error.
    fn call_or<R>(
        &self,
        doing: &str,
        hint: Option<&str>,
        f: impl FnOnce() -> std::result::Result<R, DriverError>,
    ) -> Result<R> {
        let turn = &self.0.turn;
        let _shared = (!capture::is_recording()).then(|| turn.read().unwrap_or_else(PoisonError::into_inner));
        let done = self.0.context.bind_to_thread().and_then(|()| f());
        done.map_err(|error| {
            let hint = if driver::is_final(error) { Some(driver::FINAL) } else { hint };
            let error = Error::new(self.place(), format!("{doing}: {}", name(error)));
            hint.into_iter().fold(error, Error::hint)
        })
    }

    pub(crate) fn allocate(&self, bytes: usize) -> Result<u64> {
        let mut short = false;
        let take = || self.pool().take(bytes).inspect_err(|error| short = driver::is_out_of_memory(*error));
        let taken = self.call("asking for memory", take);
        let at = taken.map_err(|error| if short { self.out_of_memory(bytes) } else { error })?;
        // what waits in a chain would come after it
        if cfg!(debug_assertions) && bytes > 0 && !capture::is_awaited(at) {
            // SAFETY: the block is at least as long.
            self.call("filling memory", || unsafe { result::memset_d8_async(at, 0xFF, bytes, self.stream()) })?;
        }
        Ok(at)
    }

    fn out_of_memory(&self, bytes: usize) -> Error {
        const MIB: usize = 1 << 20;
        let (free, all) = self.memory().unwrap_or((0, 0));
        let (bytes, held) = (bytes.div_ceil(MIB), self.pooled().0 / MIB);
        let message =
            format!("no {bytes} MiB of memory: {} of {} MiB are free, tensors hold {held}", free / MIB, all / MIB);
        Error::new(self.place(), message).hint("a smaller batch needs less; dropped tensors free theirs at once")
    }

    pub(crate) fn release(&self, block: u64, bytes: usize) {
        self.pool().keep(block, bytes);
    }

    fn staged<R>(&self, f: impl FnOnce(&mut Staging) -> std::result::Result<R, DriverError>) -> Result<R> {
        self.call("copying", || {
            let mut staging = lock(&self.0.staging);
            if staging.is_none() {
                *staging = Some(Staging::new()?);
            }
            f(staging.as_mut().expect("just made"))
        })
    }

    /// # Safety
    /// `to` is valid for as many bytes.
    pub(crate) unsafe fn upload(&self, bytes: &[u8], to: u64) -> Result<()> {
        capture::refuse(*self, "it moves numbers to the device")?;
        // SAFETY: the caller's promise.
        self.staged(|staging| unsafe { staging.upload(bytes, to, self.stream()) })
    }

    /// # Safety
    /// `from` is valid for as many bytes.
    pub(crate) unsafe fn download(&self, from: u64, bytes: &mut [u8]) -> Result<()> {
        capture::refuse(*self, "it reads numbers on the host")?;
        // SAFETY: the caller's promise.
        self.staged(|staging| unsafe { staging.download(from, bytes, self.stream()) })
    }

    /// Kernel `name` of `file`, to be launched with `shared` bytes of shared memory.
    pub(crate) fn named(&self, file: File, name: String, shared: u32) -> Result<Function> {
        let doing = format!("loading kernel {name} of {}", file.stem);
        self.call_or(&doing, Some(REFUSED), || lock(&self.0.modules).named(file, name, shared))
    }

    /// The kernel of `key`, and the constants of its formula. `keep` says that `key` alone decides both.
    pub(crate) fn emitted(
        &self,
        key: Key,
        keep: bool,
        slots: usize,
        graph: impl FnOnce() -> emit::Graph,
    ) -> Result<(Function, Vec<u64>)> {
        if let Some(known) = lock(&self.0.modules).known(key) {
            return Ok(known);
        }
        let graph = graph();
        let doing = format!("loading an emitted kernel ({})", key.formula.1);
        self.call_or(&doing, Some(REFUSED), || lock(&self.0.modules).emitted(key, keep, graph, slots))
    }

    /// Runs a kernel on `grid` blocks of `block` threads after all that its memory depends on; `params` is its one parameter.
    ///
    /// # Safety
    /// `params` has the type of the kernel's parameter, and what it tells the kernel to read and write is there.
    pub(crate) unsafe fn launch<P: ?Sized>(
        &self,
        function: Function,
        grid: [usize; 3],
        block: u32,
        params: &P,
    ) -> Result<()> {
        capture::settle(*self)?;
        // SAFETY: the caller's promise.
        unsafe { self.enqueue(function, grid, block, params) }
    }

    /// The same for a kernel that no waiting chain has to do with.
    ///
    /// # Safety
    /// As for [`CudaDevice::launch`].
    pub(crate) unsafe fn enqueue<P: ?Sized>(
        &self,
        function: Function,
        grid: [usize; 3],
        block: u32,
        params: &P,
    ) -> Result<()> {
        let grid = grid.map(|n| n as u32);
        let mut pointers = [std::ptr::from_ref(params).cast::<std::ffi::c_void>().cast_mut()];
        // SAFETY: the caller's promise; the driver copies the parameters before it returns.
        let launched = self.call("launching a kernel", || unsafe {
            let stream = self.stream();
            result::launch_kernel(function.0, grid.into(), (block, 1, 1), function.1, stream, &mut pointers)
        });
        launched.map_err(|error| {
            let what = lock(&self.0.modules).name(function);
            let [x, y, z] = grid;
            Error::new(self.place(), format!("{what} on {x} × {y} × {z} blocks of {block} threads")).because(error)
        })
    }
}

/// Why a driver may refuse a kernel.
const REFUSED: &str =
    "the kernels are for GPUs of compute capability 7.5 and later, with a driver of CUDA 11.8 or later";
