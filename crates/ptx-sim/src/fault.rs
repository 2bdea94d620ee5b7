//! What a check found.

use std::fmt;

/// The rule that a kernel broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// An access outside every allocation, or outside shared or local memory.
    OutOfBounds,
    /// An address that is no multiple of the access's size.
    Misaligned,
    /// A read of memory, or of a register, that nobody has written.
    Unwritten,
    /// Two warps touched the same shared memory between two barriers and at least one wrote; or somebody touched what
    /// a `cp.async` was still copying, or what a `wgmma` was still reading or adding to.
    Race,
    /// A barrier that not all lanes or warps reach.
    Barrier,
    /// Lanes missing from an operation that needs them: a shuffle, a vote, an `mma`.
    Divergence,
    /// The kernel stopped itself: `trap` or a failed `assert`.
    Trap,
    /// More instructions than allowed: it would probably never end.
    Timeout,
}

impl FaultKind {
    /// A short name: `out-of-bounds`, `race`.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::OutOfBounds => "out-of-bounds",
            FaultKind::Misaligned => "misaligned",
            FaultKind::Unwritten => "unwritten",
            FaultKind::Race => "race",
            FaultKind::Barrier => "barrier",
            FaultKind::Divergence => "divergence",
            FaultKind::Trap => "trap",
            FaultKind::Timeout => "timeout",
        }
    }
}

/// What a check found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule that was broken.
    pub kind: FaultKind,
    /// What happened, with addresses.
    pub message: String,
    /// The kernel.
    pub kernel: String,
    /// The line in the PTX text, counted from 1.
    pub line: u32,
    /// The instruction there.
    pub instruction: String,
    /// The block's index in the grid.
    pub block: [u32; 3],
    /// The thread's index in the block, where one thread can be named.
    pub thread: Option<[u32; 3]>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { kind, message, kernel, line, instruction, block, thread } = self;
        write!(f, "{}: {message}\n  in {kernel}, line {line}: {instruction}\n  block {block:?}", kind.name())?;
        thread.map_or(Ok(()), |thread| write!(f, ", thread {thread:?}"))
    }
}

impl std::error::Error for Fault {}

/// The allocation nearest to an address outside all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its first address.
    pub base: u64,
    /// Its size.
    pub bytes: usize,
    /// On which side of it the access lies.
    pub access: Access,
    /// How many bytes away.
    pub distance: u64,
}

/// On which side of an allocation an access lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Before its first byte.
    Before,
    /// In it, but reaching past its end, or after it.
    After,
}

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.access == Access::Before { "before the begin" } else { "past the end" };
        let Nearest { base, bytes, distance, .. } = self;
        write!(f, "{distance} bytes {side} of the nearest allocation, {bytes} bytes at {base:#x}")
    }
}
