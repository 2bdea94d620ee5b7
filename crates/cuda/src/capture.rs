//! Recording what a thread launches as a graph, and running that again.
//!
//! A graph's kernels and their parameters stay as they were recorded. What must change from run to run is in a block of
//! words in the device's memory: how far each generator of random numbers has moved, then the numbers of optimizer rules.
//! Kernels that are recorded read those there, and [`Graph::run`] sets them before it launches.
//!
//! While a thread records, other threads wait before they give the device work: there is one stream. Where the recording thread
//! asks for what no graph can give (numbers on the host), the recording ends, all that was recorded is done, and the
//! thread goes on as if it had never recorded.

use crate::Buffer;
use crate::chain::{Chain, Waiting};
use crate::device::{CudaDevice, Turn};
use crate::emit::{WORDS, store_words};
use crate::kernels::elementwise::Link;
use crate::kernels::update::constants;
use crate::module::Key;
use cotangent_base::{DType, Error, Result, Rng, Stream, Update};
use cudarc::driver::result::{graph, stream};
use cudarc::driver::sys::{CUgraphExec, CUgraphInstantiate_flags, CUstreamCaptureMode};
use std::any::TypeId;
use std::cell::RefCell;

/// The most words that change from run to run.
const CAPACITY: usize = 4096;

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
    static COUNTING: RefCell<Option<Counting>> = const { RefCell::new(None) };
    /// Why the last recording of this thread was ended early.
    static REFUSED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The numbers of a rule in the block of words.
#[derive(Clone)]
struct Entry {
    rule: TypeId,
    dtype: DType,
    at: usize,
    len: usize,
}

/// A graph that is being recorded.
struct Recording {
    device: CudaDevice,
    /// Its number in the pool.
    id: u64,
    block: Buffer,
    words: Vec<u64>,
    generators: Vec<Rng>,
    entries: Vec<Entry>,
    waiting: Waiting,
    /// The memory that the next kernel uses.
    used: Vec<u64>,
    /// Keeps other threads waiting.
    turn: Turn,
}

/// Whether this thread records.
pub fn is_recording() -> bool {
    RECORDING.with_borrow(|r| r.is_some())
}

/// Whether this thread records what that GPU does.
pub(crate) fn records_on(device: CudaDevice) -> bool {
    RECORDING.with_borrow(|r| r.as_ref().is_some_and(|r| r.device.ordinal() == device.ordinal()))
}

/// `f` of the recording, if this thread records.
fn with_recording<R: Default>(f: impl FnOnce(&mut Recording) -> R) -> R {
    // memory may be given up when the thread ends
    RECORDING.try_with(|r| r.borrow_mut().as_mut().map(f)).ok().flatten().unwrap_or_default()
}

/// The next kernel uses this block.
pub(crate) fn will_use(block: u64) {
    with_recording(|r| r.used.push(block));
}

/// A buffer gives up this block.
pub(crate) fn give_up(block: u64) {
    with_recording(|r| r.waiting.give_up(block));
}

/// Whether something waits that will read or write this block.
pub(crate) fn is_awaited(block: u64) -> bool {
    with_recording(|r| r.waiting.touch(block))
}

/// Takes a computation into the record, at the latest when its memory is needed.
pub(crate) fn wait(device: CudaDevice, link: Link) -> Result<()> {
    match link.shape().count() {
        0 => Ok(()),
        _ => launch(device, with_recording(|r| r.waiting.push(link))),
    }
}

/// Launches what must be done before the next kernel.
pub(crate) fn settle(device: CudaDevice) -> Result<()> {
    launch(device, with_recording(|r| r.waiting.take_users(&std::mem::take(&mut r.used))))
}

fn launch(device: CudaDevice, chains: Vec<Chain>) -> Result<()> {
    chains.into_iter().filter_map(Chain::joined).try_for_each(|link| link.launch(device))
}

/// Begins to record what this thread launches. `generators` are those that random numbers of the step are drawn from.
///
/// # Errors
/// If the device has too little memory, or cannot record.
pub fn begin(device: CudaDevice, generators: Vec<Rng>) -> Result<()> {
    let block = Buffer::uninit(device, DType::I64, CAPACITY)?;
    let turn = device.take_turn();
    let words = vec![0; generators.len()];
    let id = device.pool().begin();
    let (entries, waiting, used) = Default::default();
    let recording = Recording { device, id, block, words, generators, entries, waiting, used, turn };
    RECORDING.set(Some(recording));
    REFUSED.set(None);
    let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
    // SAFETY: the stream lives as long as the program, and nothing is recorded on it: this thread has the turn.
    let begun = device.call("beginning to record", || unsafe { stream::begin_capture(device.stream(), mode) });
    begun.inspect_err(|_| {
        device.pool().end();
        drop(RECORDING.take());
        device.pool().forget(id);
    })
}

/// Ends this thread's recording, if it is one on `device`, and does what was recorded: no graph can do what comes next.
pub(crate) fn refuse(device: CudaDevice, why: &str) -> Result<()> {
    if !records_on(device) {
        return Ok(());
    }
    let done = finish().map(drop);
    REFUSED.set(Some(why.to_owned()));
    done
}

/// Ends the recording and does what was recorded. `Ok(Err(_))` says why there is no graph.
///
/// # Errors
/// If the device fails.
pub fn end() -> Result<Result<Graph, String>> {
    match REFUSED.take() {
        Some(why) => Ok(Err(why)),
        None => finish().map(Ok),
    }
}

fn finish() -> Result<Graph> {
    let Some(device) = RECORDING.with_borrow(|r| r.as_ref().map(|r| r.device)) else {
        return Err(Error::new("capture", "nothing is recorded"));
    };
    let launched = launch(device, with_recording(|r| r.waiting.take_all()));
    // SAFETY: this thread began the capture.
    let recorded = device.call("ending the record", || unsafe { stream::end_capture(device.stream()) });
    device.pool().end();
    let recording = RECORDING.take().expect("it is there");
    let Recording { id, block, words, generators, entries, turn, .. } = recording;
    drop(turn);
    let mut graph = Graph { device, id, exec: None, block, words, sent: Vec::new(), generators, entries };
    let flags = CUgraphInstantiate_flags::CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    let recorded = launched.and(recorded)?;
    // SAFETY: the graph was just made; its executable copy needs it no more.
    graph.exec = Some(device.call("making a graph", || unsafe {
        let made = graph::instantiate(recorded, flags);
        graph::destroy(recorded)?;
        made
    })?);
    graph.launch()?;
    Ok(graph)
}

/// Where the kernels of a graph read how far the generator of this stream has moved; `None` where nothing is recorded.
pub(crate) fn shift(device: CudaDevice, drawn: Stream) -> Result<Option<u64>> {
    let found = RECORDING.with_borrow(|r| {
        let r = r.as_ref()?;
        let own = |g: &Rng| g.seed == drawn.seed && g.next <= drawn.stream;
        let nearest = (0..r.generators.len()).filter(|&i| own(&r.generators[i])).max_by_key(|&i| r.generators[i].next);
        Some(nearest.map(|i| r.block.address_within(i)))
    });
    match found {
        Some(None) => {
            refuse(device, "it draws random numbers from a generator that it was not handed")?;
            Ok(None)
        }
        found => Ok(found.flatten()),
    }
}

/// Where a rule's kernel reads its numbers; `None` where nothing is recorded.
pub(crate) fn numbers(rule: TypeId, dtype: DType, constants: impl FnOnce() -> Vec<u64>) -> Option<u64> {
    if !is_recording() {
        return None;
    }
    let constants = constants();
    if constants.is_empty() {
        return None;
    }
    RECORDING.with_borrow_mut(|r| {
        let r = r.as_mut().filter(|r| r.words.len() + constants.len() <= CAPACITY)?;
        let at = r.words.len();
        r.entries.push(Entry { rule, dtype, at, len: constants.len() });
        r.words.extend(&constants);
        Some(r.block.address_within(at))
    })
}

/// A step that is counted on the host while a graph does it.
struct Counting {
    entries: Vec<Entry>,
    next: usize,
    words: Vec<u64>,
}

/// Takes the numbers of a rule for the graph that is about to run. Whether there is one: then nothing is to be computed.
pub fn counted<const S: usize, U: Update<S>>(rule: U) -> bool {
    COUNTING.with_borrow_mut(|counting| {
        let Some(Counting { entries, next, words }) = counting.as_mut() else { return false };
        let entry = entries.get(*next).filter(|entry| entry.rule == TypeId::of::<U>());
        if entry.is_none() && constants::<S, U>(rule, DType::F32).is_empty() {
            return true;
        }
        let entry =
            entry.expect("[capture] an optimizer moves parameters by other rules than those that were recorded");
        words[entry.at..][..entry.len].copy_from_slice(&constants::<S, U>(rule, entry.dtype));
        *next += 1;
        true
    })
}

/// What a thread has launched, to be done again.
pub struct Graph {
    device: CudaDevice,
    id: u64,
    exec: Option<CUgraphExec>,
    block: Buffer,
    words: Vec<u64>,
    /// The words that the device has.
    sent: Vec<u64>,
    generators: Vec<Rng>,
    entries: Vec<Entry>,
}

impl Graph {
    /// Whether memory that its kernels use was given up, so that it must not run.
    pub fn is_stale(&self) -> bool {
        self.device.pool().is_stale(self.id)
    }

    /// Does it all again. `count` does what the step does on the host; the generators stand at `generators` before it.
    ///
    /// # Errors
    /// If the device fails.
    ///
    /// # Panics
    /// If the rules that `count` moves parameters by are not those that were recorded.
    pub fn run(&mut self, generators: &[Rng], count: impl FnOnce()) -> Result<()> {
        for (word, (now, then)) in self.words.iter_mut().zip(generators.iter().zip(&self.generators)) {
            *word = now.next.wrapping_sub(then.next);
        }
        let (entries, words) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.words));
        COUNTING.set(Some(Counting { entries, next: 0, words }));
        count();
        let counting = COUNTING.take().expect("set above");
        (self.entries, self.words) = (counting.entries, counting.words);
        assert_eq!(
            counting.next,
            self.entries.len(),
            "[capture] an optimizer has moved fewer parameters than recorded"
        );
        self.launch()
    }

    fn launch(&mut self) -> Result<()> {
        if self.words != self.sent {
            self.send()?;
        }
        let exec = self.exec.expect("made when the recording ended");
        // SAFETY: the pool gives what the graph uses to nobody else.
        self.device.call("running a graph", || unsafe { graph::launch(exec, self.device.stream()) })
    }

    /// Writes the words to their block, in the order of the stream.
    fn send(&mut self) -> Result<()> {
        let key = Key { formula: (TypeId::of::<()>(), "words"), variant: 0, rank: 0 };
        let (function, _) = self.device.emitted(key, true, 2 + WORDS, store_words)?;
        for (i, words) in self.words.chunks(WORDS).enumerate() {
            let mut slots = [0; 2 + WORDS];
            (slots[0], slots[1]) = (words.len() as u64, self.block.address_within(i * WORDS));
            slots[2..][..words.len()].copy_from_slice(words);
            // SAFETY: the slots are those of the kernel, and the block holds all words.
            unsafe { self.device.launch(function, [1, 1, 1], WORDS.next_multiple_of(32) as u32, &slots)? };
        }
        self.sent.clone_from(&self.words);
        Ok(())
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        if let Some(exec) = self.exec {
            // SAFETY: nobody else has it; the driver lets a run that is under way end. If it cannot there is nothing to be done.
            let _ = self.device.call("dropping a graph", || unsafe { graph::exec_destroy(exec) });
        }
        self.device.pool().forget(self.id);
    }
}
