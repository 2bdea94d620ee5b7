//! What a launch did, counted.

use std::ops::AddAssign;

use crate::ins::Op;
use crate::types::{Space, Type};

/// Kinds of instructions, as a profiler groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InsClass {
    /// Integers, bits, moves, predicates.
    Integer,
    /// Arithmetic on singles.
    Single,
    /// Arithmetic on doubles.
    Double,
    /// Arithmetic on halves.
    Half,
    /// Conversions between types.
    Convert,
    /// Matrix products.
    Matrix,
    /// Loads of parameters.
    Param,
    /// Loads and stores of global memory, generic ones included.
    Global,
    /// Loads and stores of shared memory, `ldmatrix` and `cp.async` included.
    Shared,
    /// Loads and stores of local memory.
    Local,
    /// Atomics.
    Atomic,
    /// Branches and exits.
    Branch,
    /// Barriers and fences.
    Barrier,
    /// Shuffles, votes, matches.
    Exchange,
}

/// Every class, in order.
pub const CLASSES: [InsClass; 14] = [
    InsClass::Integer,
    InsClass::Single,
    InsClass::Double,
    InsClass::Half,
    InsClass::Convert,
    InsClass::Matrix,
    InsClass::Param,
    InsClass::Global,
    InsClass::Shared,
    InsClass::Local,
    InsClass::Atomic,
    InsClass::Branch,
    InsClass::Barrier,
    InsClass::Exchange,
];

impl InsClass {
    pub(crate) fn of(op: &Op) -> InsClass {
        match *op {
            Op::Fma32 => InsClass::Single,
            Op::Float(_, ty, _) => match ty {
                Type::F64 => InsClass::Double,
                Type::F32 | Type::TF32 => InsClass::Single,
                _ => InsClass::Half,
            },
            Op::Convert(_) | Op::ConvertPair { .. } => InsClass::Convert,
            Op::Mma(_) | Op::Wgmma(_) => InsClass::Matrix,
            Op::LoadParam { .. } => InsClass::Param,
            Op::Load { space, .. } | Op::Store { space, .. } => match space {
                Space::Param => InsClass::Param,
                Space::Global | Space::Generic => InsClass::Global,
                Space::Shared => InsClass::Shared,
                Space::Local => InsClass::Local,
            },
            Op::CopyAsync { .. } | Op::CopyCommit | Op::CopyWait { .. } | Op::LoadMatrix { .. } => InsClass::Shared,
            Op::Atomic { .. } => InsClass::Atomic,
            Op::Branch | Op::BranchIndexed | Op::Exit | Op::Trap => InsClass::Branch,
            Op::Barrier { .. } | Op::Fence | Op::SyncWarp | Op::ProxyFence => InsClass::Barrier,
            Op::WgmmaFence | Op::WgmmaCommit | Op::WgmmaWait => InsClass::Barrier,
            Op::Shuffle(_) | Op::Vote { .. } | Op::Match { .. } | Op::Reduce { .. } | Op::ActiveMask => {
                InsClass::Exchange
            }
            _ => InsClass::Integer,
        }
    }
}

/// What one launch, or several, did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Launches.
    pub launches: u64,
    /// Warp instructions by [class](InsClass).
    pub instructions: [u64; CLASSES.len()],
    /// Instructions times the lanes that took part.
    pub lanes: u64,
    /// Multiplications with an addition that matrix products did.
    pub matrix_macs: u64,
    /// Requests to global memory: instructions of a warp, `cp.async` included.
    pub global_requests: u64,
    /// Pieces of 32 bytes that these touched; 4 per request is perfect for 4-byte accesses.
    pub global_sectors: u64,
    /// Requests to shared memory.
    pub shared_requests: u64,
    /// Passes that these took at least, by their width alone.
    pub shared_ideal: u64,
    /// Passes that these took; more than the ideal is bank conflicts.
    pub shared_passes: u64,
}

impl Counts {
    /// Warp instructions of one class.
    pub fn of(&self, class: InsClass) -> u64 {
        self.instructions[class as usize]
    }

    /// All warp instructions.
    pub fn warp_instructions(&self) -> u64 {
        self.instructions.iter().sum()
    }

    /// Passes over shared memory that bank conflicts cost.
    pub fn bank_conflicts(&self) -> u64 {
        self.shared_passes - self.shared_ideal
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.launches += other.launches;
        self.instructions.iter_mut().zip(other.instructions).for_each(|(a, b)| *a += b);
        self.lanes += other.lanes;
        self.matrix_macs += other.matrix_macs;
        self.global_requests += other.global_requests;
        self.global_sectors += other.global_sectors;
        self.shared_requests += other.shared_requests;
        self.shared_ideal += other.shared_ideal;
        self.shared_passes += other.shared_passes;
    }
}

/// The 32-byte sectors that lanes touch with `bytes` bytes at each of `addresses`.
pub(crate) fn sectors(addresses: impl Iterator<Item = u64>, bytes: usize) -> u64 {
    let mut seen = [0u64; 64];
    let mut count = 0;
    for address in addresses {
        for sector in address / 32..=(address + bytes as u64 - 1) / 32 {
            // Neighbours mostly touch the sector before or the same one.
            if !seen[..count].iter().rev().any(|&other| other == sector) {
                seen[count] = sector;
                count += 1;
            }
        }
    }
    count as u64
}

/// The passes that shared memory takes to serve lanes with `bytes` bytes at each of `addresses`, and the fewest that
/// so many lanes of that width can take: 32 banks of 4 bytes, wide accesses in groups of lanes that fill 128 bytes.
pub(crate) fn passes(addresses: &[u64], bytes: usize) -> (u64, u64) {
    let group = if bytes > 4 { 128 / bytes } else { 32 };
    let ideal = addresses.len().div_ceil(group) as u64;
    if bytes == 4 && addresses.iter().all(|&address| address == addresses[0]) {
        return (ideal, ideal);
    }
    (addresses.chunks(group).map(|lanes| group_passes(lanes, bytes)).sum(), ideal)
}

/// The most different words in one bank.
fn group_passes(lanes: &[u64], bytes: usize) -> u64 {
    const NONE: u32 = u32::MAX;
    let (mut first, mut load) = ([NONE; 32], [0u8; 32]);
    // Words beyond the first of their bank, of which there are none without a conflict.
    let (mut others, mut count) = ([NONE; 32], 0);
    let mut seen = None;
    for &address in lanes.iter().filter(|&&address| seen.replace(address) != Some(address)) {
        for word in address as u32 / 4..(address as u32 + bytes as u32).div_ceil(4) {
            let bank = word as usize % 32;
            if first[bank] == word || others[..count].contains(&word) {
                continue;
            }
            if first[bank] == NONE {
                first[bank] = word;
            } else {
                others[count] = word;
                count += 1;
            }
            load[bank] += 1;
        }
    }
    load.into_iter().max().unwrap_or(0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_of_typical_patterns() {
        let count = |stride: u64, bytes| sectors((0..32).map(|lane| 4096 + lane * stride), bytes);
        assert_eq!(count(4, 4), 4, "neighbours");
        assert_eq!(count(0, 4), 1, "one word");
        assert_eq!(count(32, 4), 32, "a sector each");
        assert_eq!(count(16, 16), 16, "vectors");
        assert_eq!(count(8, 4), 8, "every other word");
        assert_eq!(sectors((0..32).map(|lane| 4100 + lane * 4), 4), 5, "not aligned");
    }

    #[test]
    fn passes_of_typical_patterns() {
        let count = |stride: u64, bytes| passes(&(0..32).map(|lane| lane * stride).collect::<Vec<_>>(), bytes);
        assert_eq!(count(4, 4), (1, 1), "a bank each");
        assert_eq!(count(0, 4), (1, 1), "one word for all");
        assert_eq!(count(128, 4), (32, 1), "one bank for all");
        assert_eq!(count(8, 4), (2, 1), "every other bank");
        assert_eq!(count(132, 4), (1, 1), "a padded column");
        assert_eq!(count(16, 16), (4, 4), "vectors");
        assert_eq!(count(8, 8), (2, 2), "doubles");
        assert_eq!(count(1, 1), (1, 1), "bytes share words");
    }
}
