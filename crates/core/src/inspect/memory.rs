//! What holds memory.

use super::units::Bytes;
use super::watch::{MEMORY, Phase, set_watcher};
use crate::Spec;
use crate::device::{Device, Storage};
use cotangent_cpu::usage;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Which op made a tensor, in which phase and layer.
type Maker = (&'static str, Phase, Option<Arc<str>>);

/// A tensor's memory that is in use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LiveTensor {
    /// Shape and dtype it was made with; views share it.
    pub spec: Spec,
    /// Where it is.
    pub device: Device,
    /// The op that made it; `None` if none did (data, fills, random numbers) or nobody looked on.
    pub op: Option<&'static str>,
    /// Whether that op ran forward, backward, or in an optimizer.
    pub phase: Option<Phase>,
    /// The [`scope`](crate::inspect::scope) that it was made in.
    pub layer: Option<String>,
}

impl LiveTensor {
    /// Its size.
    pub fn bytes(&self) -> u64 {
        (self.spec.shape.count() * self.spec.dtype.bytes()) as u64
    }
}

/// What holds memory at a moment; made by [`memory_report`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemoryReport {
    /// Bytes of this computer's memory that tensors hold, in the whole process.
    pub live: u64,
    /// The greatest that `live` has been since the process began or [`reset_peak_memory`] was called.
    pub peak: u64,
    /// Bytes of freed memory that this thread keeps for its next tensors.
    pub reusable: u64,
    /// The tensors made since [`track_memory`] that are still there, the largest first; `None` if nobody tracks.
    pub tensors: Option<Vec<LiveTensor>>,
}

/// How many guards there are.
static TRACKERS: AtomicUsize = AtomicUsize::new(0);

/// The live tensors by the address of their storage.
static TENSORS: LazyLock<Mutex<HashMap<usize, LiveTensor>>> = LazyLock::new(Mutex::default);

thread_local!(static MAKER: RefCell<Option<Maker>> = const { RefCell::new(None) });

fn tensors() -> MutexGuard<'static, HashMap<usize, LiveTensor>> {
    TENSORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What holds memory now: how much is live, how much was at most, and, where [`track_memory`] is on, the largest
/// tensors with the op and layer that made them.
///
/// `live` and `peak` are always counted; they are exact to within 64 KiB for each thread that makes tensors.
///
/// ```
/// use cotangent_core::{Tensor, inspect};
/// let guard = inspect::track_memory();
/// let y = Tensor::ones([1000, 256]).exp();
/// let report = inspect::memory_report();
/// let largest = &report.tensors.as_ref().unwrap()[0];
/// assert_eq!((largest.op, largest.bytes()), (Some("exp"), 1_024_000));
/// assert!(report.live >= 1_024_000);
/// println!("{report}");
/// # drop((y, guard));
/// ```
pub fn memory_report() -> MemoryReport {
    let usage::Usage { live, peak, reusable } = usage::usage();
    let tensors = is_tracking().then(|| {
        let mut found: Vec<LiveTensor> = tensors().values().cloned().collect();
        found.sort_by_key(|x| (std::cmp::Reverse(x.bytes()), x.spec.shape.to_vec(), x.layer.clone(), x.op));
        found
    });
    MemoryReport { live: live as u64, peak: peak as u64, reusable: reusable as u64, tensors }
}

/// Begins a new peak: [`memory_report`] then tells the greatest since now.
pub fn reset_peak_memory() {
    usage::reset_peak();
}

/// Keeps a list of every tensor made from now on, in the whole process, until the guard is dropped. The ops and
/// layers that made them are known for this thread.
pub fn track_memory() -> MemoryGuard {
    TRACKERS.fetch_add(1, Ordering::Relaxed);
    set_watcher(MEMORY, true);
    MemoryGuard(PhantomData)
}

/// Tracks tensors as long as it lives; made by [`track_memory`].
#[must_use = "tensors are tracked only as long as the guard lives"]
pub struct MemoryGuard(PhantomData<*const ()>);

impl Drop for MemoryGuard {
    fn drop(&mut self) {
        set_watcher(MEMORY, false);
        if TRACKERS.fetch_sub(1, Ordering::Relaxed) == 1 {
            tensors().clear();
        }
    }
}

#[inline]
fn is_tracking() -> bool {
    TRACKERS.load(Ordering::Relaxed) > 0
}

/// Who makes the tensors from now on.
pub(super) fn set_maker(maker: Option<Maker>) {
    MAKER.set(maker);
}

/// There is a new tensor.
#[inline]
pub(crate) fn born(storage: &Arc<Storage>, spec: Spec) {
    if is_tracking() {
        register(Arc::as_ptr(storage) as usize, storage.device(), spec);
    }
}

/// The memory of a tensor goes.
#[inline]
pub(crate) fn gone(storage: &Storage) {
    if is_tracking() {
        tensors().remove(&(storage as *const Storage as usize));
    }
}

#[cold]
fn register(key: usize, device: Device, spec: Spec) {
    let (op, phase, layer) = match MAKER.with_borrow(Clone::clone) {
        Some((op, phase, layer)) => (Some(op), Some(phase), layer),
        None => (None, None, super::scope::current()),
    };
    let layer = layer.as_deref().map(str::to_owned);
    tensors().insert(key, LiveTensor { spec, device, op, phase, layer });
}

/// How many tensors the text of a report names.
const SHOWN: usize = 10;

impl fmt::Display for MemoryReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [live, peak, reusable] = [self.live, self.peak, self.reusable].map(Bytes);
        writeln!(f, "{live} in tensors, {peak} at most, {reusable} free for the next ones")?;
        let Some(tensors) = &self.tensors else {
            return writeln!(f, "which tensors these are is known after `track_memory()`");
        };
        let total = Bytes(tensors.iter().map(LiveTensor::bytes).sum());
        writeln!(f, "{} tensors made since `track_memory()` hold {total}; the largest:", tensors.len())?;
        tensors.iter().take(SHOWN).try_for_each(|x| writeln!(f, "{x}"))
    }
}

/// `1.00 MB  f32 [1000, 256]  exp, forward, in dense_1`.
impl fmt::Display for LiveTensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:>10}  {} {}", Bytes(self.bytes()), self.spec.dtype, self.spec.shape)?;
        match (self.op, self.phase) {
            (Some(op), Some(phase)) => write!(f, "  {op}, {phase}")?,
            _ => f.write_str("  no op")?,
        }
        self.layer.iter().try_for_each(|layer| write!(f, ", in {layer}"))
    }
}
