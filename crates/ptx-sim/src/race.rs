//! Finds accesses to shared memory that no barrier orders, and reads of what nobody has written.
//!
//! Time is cut into epochs by barriers. A cell of memory remembers who wrote it and who read it last, and when; two
//! warps in one epoch, at least one of them writing, are a race. A `cp.async` may write at any time until it is waited
//! for, so from its issue on nobody may touch its target at all. A barrier of only a part of the warps begins an epoch
//! for all, so races across one may go unnoticed.

use crate::proxy::Proxy;

/// Who touched a cell, and when. Zero is nobody.
#[derive(Clone, Copy, Default)]
struct Cell {
    write: u32,
    read: u32,
}

/// Flags beside the warp's number in a cell, whose upper bits are the epoch.
const MANY: u32 = 0x20;
const ATOMIC: u32 = 0x40;
const COPYING: u32 = 0x80;
const WHO: u32 = 0x1F;
const EPOCH_SHIFT: u32 = 8;

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    Read,
    Write,
    Atomic,
}

/// What is wrong with an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It reads what nobody has written.
    Unwritten,
    /// It races with this warp, or with several.
    Warp(Option<u32>),
    /// It races with a copy of this warp that is on its way.
    Copy(u32),
    /// A product of four warps may still read it.
    Product,
    /// A product of four warps reads it, and no `fence.proxy.async` came after the write.
    Loose,
}

/// The detector of one block.
pub struct Races {
    cells: Vec<Cell>,
    granule_shift: u32,
    epoch: u32,
    /// There for kernels with products of four warps.
    proxy: Option<Proxy>,
}

impl Races {
    /// For `bytes` bytes, told apart by `granule` (1, 2 or 4).
    pub fn new(bytes: usize, granule: usize) -> Self {
        Self {
            cells: vec![Cell::default(); bytes.div_ceil(granule)],
            granule_shift: granule.trailing_zeros(),
            epoch: 1,
            proxy: None,
        }
    }

    /// Looks at what products of four warps read, too.
    pub fn with_products(mut self) -> Self {
        self.proxy = Some(Proxy::new(self.cells.len()));
        self
    }

    /// A barrier: what came before is ordered before what comes now.
    pub fn barrier(&mut self) {
        self.epoch += 1;
        if self.epoch >> (32 - EPOCH_SHIFT) != 0 {
            // The numbers are used up: what was written is written, by whom is long ago.
            for cell in &mut self.cells {
                *cell = Cell { write: if cell.write == 0 { 0 } else { MANY }, read: 0 };
            }
            self.epoch = 1;
        }
    }

    /// Another block begins, with memory that nobody has touched.
    pub fn clear(&mut self) {
        self.cells.fill(Cell::default());
        self.epoch = 1;
        self.proxy.iter_mut().for_each(Proxy::clear);
    }

    #[inline(always)]
    fn range(&self, start: u64, bytes: usize) -> std::ops::Range<usize> {
        let first = start as usize >> self.granule_shift;
        first..first + (bytes >> self.granule_shift).max(1)
    }

    /// Notes an access of `warp`, and tells what is wrong with it.
    #[inline(always)]
    pub fn touch(&mut self, start: u64, bytes: usize, warp: u32, touch: Touch) -> Option<Wrong> {
        let mut wrong = None;
        let (now, range) = (self.epoch << EPOCH_SHIFT | warp, self.range(start, bytes));
        for cell in &mut self.cells[range.clone()] {
            let Cell { write, read } = *cell;
            let (other_write, other_read) = (foreign(write, now), foreign(read, now));
            let both_atomic = touch == Touch::Atomic && write & ATOMIC != 0;
            if write & COPYING != 0 {
                wrong = Some(Wrong::Copy(write & WHO));
            } else if other_write && !both_atomic {
                wrong = Some(warps(write));
            } else if other_read && touch != Touch::Read {
                wrong = Some(warps(read));
            } else if write == 0 && touch != Touch::Write {
                wrong = Some(Wrong::Unwritten);
            }
            match touch {
                Touch::Read => cell.read = now | if other_read { MANY } else { 0 },
                Touch::Write => cell.write = now,
                Touch::Atomic => cell.write = now | ATOMIC | if other_write { MANY } else { 0 },
            }
        }
        if let Some(proxy) = self.proxy.as_mut().filter(|_| touch != Touch::Read) {
            if proxy.is_read(range.clone()) {
                wrong = Some(Wrong::Product);
            }
            proxy.wrote(range, warp);
        }
        wrong
    }

    /// A product of four warps begins to read; tells what is wrong with it.
    pub fn begin_read(&mut self, start: u64, bytes: usize, warp: u32) -> Option<Wrong> {
        let (found, range) = (self.touch(start, bytes, warp, Touch::Read), self.range(start, bytes));
        let proxy = self.proxy.as_mut()?;
        proxy.begin(range.clone());
        found.or(proxy.is_loose(range).then_some(Wrong::Loose))
    }

    /// The product has been waited for.
    pub fn end_read(&mut self, start: u64, bytes: usize) {
        let range = self.range(start, bytes);
        self.proxy.iter_mut().for_each(|proxy| proxy.end(range.clone()));
    }

    /// A `fence.proxy.async` of one warp.
    pub fn fence(&mut self, warp: u32) {
        self.proxy.iter_mut().for_each(|proxy| proxy.fence(warp));
    }

    /// A copy is on its way; tells what is wrong with it.
    pub fn begin_copy(&mut self, start: u64, bytes: usize, warp: u32) -> Option<Wrong> {
        let found = self.touch(start, bytes, warp, Touch::Write);
        for at in self.range(start, bytes) {
            self.cells[at].write |= COPYING;
        }
        found
    }

    /// The copy has arrived and was waited for by its warp.
    pub fn end_copy(&mut self, start: u64, bytes: usize, warp: u32) {
        let range = self.range(start, bytes);
        for cell in &mut self.cells[range.clone()] {
            cell.write = self.epoch << EPOCH_SHIFT | warp;
        }
        self.proxy.iter_mut().for_each(|proxy| proxy.wrote(range.clone(), warp));
    }
}

/// Whether the tag is of the same epoch as `now`, and of another warp.
#[inline(always)]
fn foreign(tag: u32, now: u32) -> bool {
    tag >> EPOCH_SHIFT == now >> EPOCH_SHIFT && (tag ^ now) & (MANY | WHO) != 0
}

fn warps(tag: u32) -> Wrong {
    Wrong::Warp((tag & MANY == 0).then_some(tag & WHO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_race_with_everything_of_others() {
        let mut races = Races::new(64, 4);
        assert_eq!(races.touch(0, 4, 0, Touch::Write), None);
        assert_eq!(races.touch(0, 4, 0, Touch::Read), None, "its own");
        assert_eq!(races.touch(4, 4, 1, Touch::Write), None, "elsewhere");
        assert_eq!(races.touch(0, 4, 1, Touch::Read), Some(Wrong::Warp(Some(0))));
        races.barrier();
        assert_eq!(races.touch(0, 8, 1, Touch::Read), None);
        assert_eq!(races.touch(0, 4, 2, Touch::Read), None, "two readers");
        assert_eq!(races.touch(0, 4, 2, Touch::Write), Some(Wrong::Warp(None)));
    }

    #[test]
    fn reads_of_what_nobody_wrote() {
        let mut races = Races::new(64, 4);
        assert_eq!(races.touch(0, 4, 0, Touch::Read), Some(Wrong::Unwritten));
        assert_eq!(races.touch(4, 4, 0, Touch::Atomic), Some(Wrong::Unwritten));
        races.touch(8, 4, 0, Touch::Write);
        assert_eq!(races.touch(8, 8, 0, Touch::Read), Some(Wrong::Unwritten), "half of it");
        (0..1 << 24).for_each(|_| races.barrier());
        assert_eq!(races.touch(8, 4, 1, Touch::Read), None, "long ago");
        assert_eq!(races.touch(16, 4, 1, Touch::Read), Some(Wrong::Unwritten));
        races.clear();
        assert_eq!(races.touch(8, 4, 1, Touch::Read), Some(Wrong::Unwritten), "another block");
    }

    #[test]
    fn bytes_are_told_apart_where_asked() {
        let mut races = Races::new(64, 1);
        assert_eq!(races.touch(0, 1, 0, Touch::Write), None);
        assert_eq!(races.touch(1, 1, 1, Touch::Write), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Write), Some(Wrong::Warp(Some(0))));
    }

    #[test]
    fn atomics_race_with_plain_accesses_only() {
        let mut races = Races::new(64, 4);
        races.touch(0, 4, 0, Touch::Write);
        races.barrier();
        assert_eq!(races.touch(0, 4, 0, Touch::Atomic), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Atomic), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Read), Some(Wrong::Warp(None)));
        races.barrier();
        assert_eq!(races.touch(0, 4, 1, Touch::Read), None);
        assert_eq!(races.touch(0, 4, 0, Touch::Atomic), Some(Wrong::Warp(Some(1))));
    }

    #[test]
    fn nobody_touches_what_is_being_copied() {
        let mut races = Races::new(64, 4);
        assert_eq!(races.begin_copy(16, 16, 3), None);
        races.barrier();
        assert_eq!(races.touch(20, 4, 3, Touch::Read), Some(Wrong::Copy(3)), "a barrier is no wait");
        races.end_copy(16, 16, 3);
        assert_eq!(races.touch(20, 4, 3, Touch::Read), None);
        assert_eq!(races.touch(24, 4, 1, Touch::Read), Some(Wrong::Warp(Some(3))), "a wait is no barrier");
        races.barrier();
        assert_eq!(races.touch(24, 4, 1, Touch::Read), None);
    }
}
