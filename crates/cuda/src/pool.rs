//! Device memory by size class: freed blocks are kept and handed out again, so that a training loop asks the driver for
//! none after its first step.
//!
//! All work is on one stream, so a block may be handed out while the kernels that used it last still wait to run: what
//! writes it next runs after them.

use cudarc::driver::result::{self, DriverError};
use std::collections::BTreeMap;

/// The alignment of whatever the driver gives, and the least class.
const ALIGN: usize = 256;

/// The free blocks of one device.
#[derive(Default)]
pub struct Pool {
    free: BTreeMap<usize, Vec<u64>>,
    /// Bytes in blocks that tensors hold.
    held: usize,
}

/// The block size for `bytes`: eight classes for each power of two, so at most an eighth is wasted.
fn class(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGN);
    let step = (bytes.next_power_of_two() / 16).max(ALIGN);
    bytes.next_multiple_of(step)
}

impl Pool {
    /// A block of at least `bytes`. Where the driver has none left, all free blocks go back to it first.
    pub fn take(&mut self, bytes: usize) -> Result<u64, DriverError> {
        let class = class(bytes);
        let block = match self.free.get_mut(&class).and_then(Vec::pop) {
            Some(block) => block,
            // SAFETY: the size is not 0.
            None => unsafe { result::malloc_sync(class) }.or_else(|_| {
                self.give_back();
                // SAFETY: as above.
                unsafe { result::malloc_sync(class) }
            })?,
        };
        self.held += class;
        Ok(block)
    }

    /// Takes back a block that [`Pool::take`] gave for `bytes`.
    pub fn keep(&mut self, block: u64, bytes: usize) {
        let class = class(bytes);
        self.held -= class;
        self.free.entry(class).or_default().push(block);
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
        self.free.iter().map(|(class, blocks)| class * blocks.len()).sum()
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
}
