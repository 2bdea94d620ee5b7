//! Device memory by size class: freed blocks are kept and handed out again, so that a training loop asks the driver for
//! none after its first step.
//!
//! All work is on one stream, so a block may be handed out while the kernels that used it last still wait to run: what
//! writes it next runs after them. A graph runs its kernels again and again, so the blocks that they were recorded with
//! stay its own: nobody else gets them as long as it lives.

use cudarc::driver::result::{self, DriverError};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The alignment of whatever the driver gives, and the least class.
const ALIGN: usize = 256;

/// Free blocks by class.
type Free = BTreeMap<usize, Vec<u64>>;

/// The memory of one device.
#[derive(Default)]
pub struct Pool {
    free: Free,
    /// Bytes in blocks that tensors hold.
    held: usize,
    /// The graph that is being recorded.
    recording: Option<u64>,
    graphs: BTreeMap<u64, Reserve>,
    /// The graph that a block belongs to.
    owner: HashMap<u64, u64>,
    next: u64,
}

/// What a graph keeps to itself.
#[derive(Default)]
struct Reserve {
    free: Free,
    /// Blocks of others that its kernels read or write.
    borrowed: HashSet<u64>,
    /// Whether one of those was given up by its tensor.
    stale: bool,
}

/// The block size for `bytes`: eight classes for each power of two, so at most an eighth is wasted.
fn class(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGN);
    let step = (bytes.next_power_of_two() / 16).max(ALIGN);
    bytes.next_multiple_of(step)
}

fn pop(free: &mut Free, class: usize) -> Option<u64> {
    free.get_mut(&class).and_then(Vec::pop)
}

impl Pool {
    /// A block of at least `bytes`. Where the driver has none left, all free blocks go back to it first.
    pub fn take(&mut self, bytes: usize) -> Result<u64, DriverError> {
        let class = class(bytes);
        let reserve = self.recording.and_then(|graph| self.graphs.get_mut(&graph));
        let block = match reserve.and_then(|r| pop(&mut r.free, class)).or_else(|| pop(&mut self.free, class)) {
            Some(block) => block,
            // SAFETY: the size is not 0.
            None => unsafe { result::malloc_sync(class) }.or_else(|_| {
                self.give_back();
                // SAFETY: as above.
                unsafe { result::malloc_sync(class) }
            })?,
        };
        if let Some(graph) = self.recording {
            self.owner.insert(block, graph);
        }
        self.held += class;
        Ok(block)
    }

    /// Takes back a block that [`Pool::take`] gave for `bytes`.
    pub fn keep(&mut self, block: u64, bytes: usize) {
        let class = class(bytes);
        self.held -= class;
        for (graph, reserve) in self.graphs.iter_mut().filter(|(_, reserve)| reserve.borrowed.contains(&block)) {
            reserve.stale = true;
            self.owner.entry(block).or_insert(*graph);
        }
        let owner = self.owner.get(&block).and_then(|graph| self.graphs.get_mut(graph));
        owner.map_or(&mut self.free, |reserve| &mut reserve.free).entry(class).or_default().push(block);
    }

    /// Begins to record a graph: what it takes from now on is its own. Gives its number.
    pub fn begin(&mut self) -> u64 {
        self.next += 1;
        self.graphs.insert(self.next, Reserve::default());
        self.recording = Some(self.next);
        self.next
    }

    /// A kernel of the graph that is being recorded uses this block.
    pub fn note(&mut self, block: u64) {
        let Some(graph) = self.recording else { return };
        if self.owner.get(&block) != Some(&graph) {
            self.graphs.entry(graph).or_default().borrowed.insert(block);
        }
    }

    /// Ends the recording.
    pub fn end(&mut self) {
        self.recording = None;
    }

    /// Whether memory that the graph uses was given up.
    pub fn is_stale(&self, graph: u64) -> bool {
        self.graphs.get(&graph).is_none_or(|reserve| reserve.stale)
    }

    /// Takes over what a graph has that is no more.
    pub fn forget(&mut self, graph: u64) {
        let Some(reserve) = self.graphs.remove(&graph) else { return };
        self.owner.retain(|_, owner| *owner != graph);
        for (class, blocks) in reserve.free {
            for block in blocks {
                self.keep_free(block, class);
            }
        }
    }

    /// A free block goes to a graph that still uses it, or to everybody.
    fn keep_free(&mut self, block: u64, class: usize) {
        let user = self.graphs.iter_mut().find(|(_, reserve)| reserve.borrowed.contains(&block));
        let free = match user {
            Some((graph, reserve)) => {
                self.owner.insert(block, *graph);
                reserve.stale = true;
                &mut reserve.free
            }
            None => &mut self.free,
        };
        free.entry(class).or_default().push(block);
    }

    /// Gives the free blocks to the driver.
    pub fn give_back(&mut self) {
        for block in std::mem::take(&mut self.free).into_values().flatten() {
            // SAFETY: the block came from `malloc_sync` and nobody holds it. The driver waits for the kernels that use it.
            // If it cannot free it there is nothing to be done.
            let _ = unsafe { result::free_sync(block) };
        }
    }

    /// Bytes in blocks that tensors hold.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Bytes in blocks that are kept for later.
    pub fn kept(&self) -> usize {
        let all = |free: &Free| free.iter().map(|(class, blocks)| class * blocks.len()).sum::<usize>();
        all(&self.free) + self.graphs.values().map(|reserve| all(&reserve.free)).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_waste_little() {
        for bytes in [1, 256, 257, 1000, 4097, 1 << 20, (1 << 20) + 1, 3 << 30] {
            let class = class(bytes);
            assert!(class >= bytes && class.is_multiple_of(ALIGN), "{bytes} -> {class}");
            assert!(class <= 2 * ALIGN || class <= bytes + bytes / 7 + ALIGN, "{bytes} -> {class}");
        }
    }

    /// A pool with free blocks of the least class, and what tensors hold of them.
    fn pool(blocks: std::ops::Range<u64>) -> Pool {
        let mut pool = Pool::default();
        pool.free.insert(ALIGN, blocks.collect());
        pool
    }

    #[test]
    fn what_a_graph_has_used_is_nobody_elses() {
        let mut pool = pool(1..4);
        let graph = pool.begin();
        let own = pool.take(1).unwrap();
        pool.keep(own, 1);
        assert_eq!(pool.take(1).unwrap(), own, "within the graph it is used again");
        pool.keep(own, 1);
        pool.end();
        assert!((0..2).all(|_| pool.take(1).unwrap() != own));
        pool.forget(graph);
        assert_eq!(pool.take(1).unwrap(), own);
    }

    #[test]
    fn what_outlives_its_graph_is_free_after_it() {
        let mut pool = pool(1..2);
        let graph = pool.begin();
        let result = pool.take(1).unwrap();
        pool.end();
        pool.forget(graph);
        pool.keep(result, 1);
        assert_eq!((pool.take(1).unwrap(), pool.held()), (result, ALIGN));
    }

    #[test]
    fn a_graph_whose_operand_is_gone_is_stale_and_keeps_the_memory() {
        let mut pool = pool(1..3);
        let operand = pool.take(1).unwrap();
        let graph = pool.begin();
        pool.note(operand);
        pool.end();
        assert!(!pool.is_stale(graph));
        pool.keep(operand, 1);
        assert!(pool.is_stale(graph));
        assert_ne!(pool.take(1).unwrap(), operand);
        pool.forget(graph);
        assert_eq!(pool.take(1).unwrap(), operand);
    }
}
