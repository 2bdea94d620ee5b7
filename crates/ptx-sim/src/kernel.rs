//! A kernel that is ready to run.

use std::sync::Arc;

use crate::ins::Ins;
use crate::types::Class;

/// A kernel that is ready to run.
#[derive(Debug)]
pub struct Kernel {
    /// Its name in the text.
    pub name: String,
    /// Its parameters, in order.
    pub params: Vec<Param>,
    /// Bytes of all parameters.
    pub param_bytes: usize,
    /// Bytes of shared memory that the text declares.
    pub static_shared: usize,
    /// Bytes of local memory of each thread.
    pub local_bytes: usize,
    /// The most threads that a block may have by `.maxntid` or `.reqntid`.
    pub max_threads: Option<u32>,
    /// Whether a block must have exactly that many.
    pub exact_threads: bool,
    /// `.maxnreg`.
    pub max_registers: Option<u32>,
    pub(crate) code: Vec<Ins>,
    pub(crate) words: usize,
    pub(crate) wides: usize,
    pub(crate) predicates: usize,
    pub(crate) prefill: Vec<(Class, u16, Prefill)>,
    /// Registers that some way through the code reads before it writes them: each block begins with NaNs there.
    pub(crate) unset: Vec<(Class, u16)>,
    pub(crate) tables: Vec<Vec<usize>>,
    /// The lists of registers that products of four warps add to.
    pub(crate) sums: Vec<Vec<u16>>,
    /// For each instruction which of these lists it reads or writes a register of, one bit each; empty without lists.
    pub(crate) touching: Vec<u64>,
    /// Where dynamic shared memory begins.
    pub(crate) dynamic_start: usize,
    /// Bytes that a cell of the race detector stands for: the narrowest access to shared memory.
    pub(crate) granule: usize,
    /// Registers that are read and never written: name and line.
    pub(crate) undefined: Vec<(String, u32)>,
    pub(crate) source: Arc<str>,
}

/// A kernel's parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in the text.
    pub name: String,
    /// Where it begins among the parameters' bytes.
    pub offset: usize,
    /// Its bytes.
    pub bytes: usize,
}

/// A register that holds something before the first instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prefill {
    /// An immediate.
    Bits(u64),
    Special(Special),
    /// An address in dynamic shared memory.
    Dynamic(u64),
}

/// A special register that stays the same while a block runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Special {
    Tid(u8),
    Ntid(u8),
    Ctaid(u8),
    Nctaid(u8),
    LaneId,
    WarpId,
    WarpCount,
    LaneMaskEq,
    LaneMaskLt,
    LaneMaskLe,
    LaneMaskGt,
    LaneMaskGe,
    DynamicShared,
    TotalShared,
    /// Always zero here: the multiprocessor, the grid.
    Zero,
}

impl Special {
    /// The register that `name` (with its `%`) stands for.
    pub(crate) fn named(name: &str) -> Option<Special> {
        if let Some((vector, axis)) = name.split_once('.') {
            let axis = match axis {
                "x" => 0,
                "y" => 1,
                "z" => 2,
                _ => return None,
            };
            return Some(match vector {
                "%tid" => Special::Tid(axis),
                "%ntid" => Special::Ntid(axis),
                "%ctaid" => Special::Ctaid(axis),
                "%nctaid" => Special::Nctaid(axis),
                _ => return None,
            });
        }
        Some(match name {
            "%laneid" => Special::LaneId,
            "%warpid" => Special::WarpId,
            "%nwarpid" => Special::WarpCount,
            "%lanemask_eq" => Special::LaneMaskEq,
            "%lanemask_lt" => Special::LaneMaskLt,
            "%lanemask_le" => Special::LaneMaskLe,
            "%lanemask_gt" => Special::LaneMaskGt,
            "%lanemask_ge" => Special::LaneMaskGe,
            "%dynamic_smem_size" => Special::DynamicShared,
            "%total_smem_size" => Special::TotalShared,
            "%smid" | "%gridid" => Special::Zero,
            _ => return None,
        })
    }
}

impl Kernel {
    /// Registers of 32 bits that a thread needs at most at once, as far as one can tell without an assembler.
    pub fn registers(&self) -> u32 {
        let estimate = (self.words + 2 * self.wides) as u32;
        estimate.clamp(16, self.max_registers.unwrap_or(255).min(255))
    }

    /// The text of a line, without the white space around it.
    pub(crate) fn line(&self, line: u32) -> &str {
        self.source.lines().nth(line.saturating_sub(1) as usize).unwrap_or("").trim()
    }
}
