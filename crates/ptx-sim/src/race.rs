//! Finds accesses to shared memory that no barrier orders.
//!
//! Time is cut into epochs by barriers. A cell of memory remembers who wrote it and who read it last, and when; two
//! warps in one epoch, at least one of them writing, are a race. A `cp.async` may write at any time until it is waited
//! for, so from its issue on nobody may touch its target at all. A barrier of only a part of the warps begins an epoch
//! for all, so races across one may go unnoticed.

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

/// Another access that the one at hand races with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rival {
    /// Read or written by this warp, or by several.
    Warp(Option<u32>),
    /// A copy of this warp that is on its way.
    Copy(u32),
}

/// The detector of one block.
pub struct Races {
    cells: Vec<Cell>,
    granule_shift: u32,
    epoch: u32,
}

impl Races {
    /// For `bytes` bytes, told apart by `granule` (1, 2 or 4).
    pub fn new(bytes: usize, granule: usize) -> Self {
        Self {
            cells: vec![Cell::default(); bytes.div_ceil(granule)],
            granule_shift: granule.trailing_zeros(),
            epoch: 1,
        }
    }

    /// A barrier: what came before is ordered before what comes now.
    pub fn barrier(&mut self) {
        self.epoch += 1;
        if self.epoch >> (32 - EPOCH_SHIFT) != 0 {
            self.clear();
        }
    }

    /// Another block begins, with memory that nobody has touched.
    pub fn clear(&mut self) {
        self.cells.fill(Cell::default());
        self.epoch = 1;
    }

    fn range(&self, start: u64, bytes: usize) -> std::ops::Range<usize> {
        let first = start as usize >> self.granule_shift;
        first..first + (bytes >> self.granule_shift).max(1)
    }

    /// Whether the tag is of this epoch and of somebody else than `warp`.
    #[inline(always)]
    fn foreign(&self, tag: u32, warp: u32) -> bool {
        tag >> EPOCH_SHIFT == self.epoch && (tag & MANY != 0 || tag & WHO != warp)
    }

    /// Notes an access of `warp`; tells whom it races with.
    #[inline(always)]
    pub fn touch(&mut self, start: u64, bytes: usize, warp: u32, touch: Touch) -> Option<Rival> {
        for at in self.range(start, bytes) {
            let Cell { write, read } = self.cells[at];
            if write & COPYING != 0 {
                return Some(Rival::Copy(write & WHO));
            }
            let other_write = self.foreign(write, warp);
            let both_atomic = touch == Touch::Atomic && write & ATOMIC != 0;
            if other_write && !both_atomic {
                return Some(rival(write));
            }
            let other_read = self.foreign(read, warp);
            if other_read && touch != Touch::Read {
                return Some(rival(read));
            }
            let now = self.epoch << EPOCH_SHIFT | warp;
            let cell = &mut self.cells[at];
            match touch {
                Touch::Read => cell.read = now | if other_read { MANY } else { 0 },
                Touch::Write => cell.write = now,
                Touch::Atomic => cell.write = now | ATOMIC | if other_write { MANY } else { 0 },
            }
        }
        None
    }

    /// A copy is on its way; tells whom it races with.
    pub fn begin_copy(&mut self, start: u64, bytes: usize, warp: u32) -> Option<Rival> {
        let found = self.touch(start, bytes, warp, Touch::Write);
        for at in self.range(start, bytes) {
            self.cells[at].write |= COPYING;
        }
        found
    }

    /// The copy has arrived and was waited for by its warp.
    pub fn end_copy(&mut self, start: u64, bytes: usize, warp: u32) {
        for at in self.range(start, bytes) {
            self.cells[at].write = self.epoch << EPOCH_SHIFT | warp;
        }
    }
}

fn rival(tag: u32) -> Rival {
    Rival::Warp((tag & MANY == 0).then_some(tag & WHO))
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
        assert_eq!(races.touch(0, 4, 1, Touch::Read), Some(Rival::Warp(Some(0))));
        races.barrier();
        assert_eq!(races.touch(0, 16, 1, Touch::Read), None);
        assert_eq!(races.touch(0, 4, 2, Touch::Read), None, "two readers");
        assert_eq!(races.touch(0, 4, 2, Touch::Write), Some(Rival::Warp(None)));
    }

    #[test]
    fn bytes_are_told_apart_where_asked() {
        let mut races = Races::new(64, 1);
        assert_eq!(races.touch(0, 1, 0, Touch::Write), None);
        assert_eq!(races.touch(1, 1, 1, Touch::Write), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Write), Some(Rival::Warp(Some(0))));
    }

    #[test]
    fn atomics_race_with_plain_accesses_only() {
        let mut races = Races::new(64, 4);
        assert_eq!(races.touch(0, 4, 0, Touch::Atomic), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Atomic), None);
        assert_eq!(races.touch(0, 4, 1, Touch::Read), Some(Rival::Warp(None)));
        races.barrier();
        assert_eq!(races.touch(0, 4, 1, Touch::Read), None);
        assert_eq!(races.touch(0, 4, 0, Touch::Atomic), Some(Rival::Warp(Some(1))));
    }

    #[test]
    fn nobody_touches_what_is_being_copied() {
        let mut races = Races::new(64, 4);
        assert_eq!(races.begin_copy(16, 16, 3), None);
        races.barrier();
        assert_eq!(races.touch(20, 4, 3, Touch::Read), Some(Rival::Copy(3)), "a barrier is no wait");
        races.end_copy(16, 16, 3);
        assert_eq!(races.touch(20, 4, 3, Touch::Read), None);
        assert_eq!(races.touch(24, 4, 1, Touch::Read), Some(Rival::Warp(Some(3))), "a wait is no barrier");
        races.barrier();
        assert_eq!(races.touch(24, 4, 1, Touch::Read), None);
    }
}
