//! Decoded instructions: what the interpreter matches on.

use crate::count::InsClass;
use crate::types::{Class, Space, Type};

/// The most registers that one instruction names: `mma.m16n8k16` has 4 + 4 + 2 + 4.
pub const MAX_REGISTERS: usize = 14;

/// One instruction of a kernel.
#[derive(Clone, Debug)]
pub struct Ins {
    pub op: Op,
    /// The predicate that guards it; [`TRUE`] where there is none.
    pub guard: u16,
    /// All ones where the guard is negated.
    pub flip: u32,
    /// What it counts as.
    pub class: InsClass,
    /// The line in the text.
    pub line: u32,
    /// An offset, a branch target or a count.
    pub imm: i64,
    /// What it writes, then what it reads.
    pub regs: [u16; MAX_REGISTERS],
}

/// The predicate that is always true.
pub const TRUE: u16 = 0;
/// The predicate that is always false.
pub const FALSE: u16 = 1;

/// A virtual register, before slots are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reg {
    pub class: Class,
    pub index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// `d = f(a, b, c)` on integers or bits.
    Int(IntOp, Type),
    /// `d = a·b` with twice the width.
    MulWide(Type),
    /// `d = a·b + c` with twice the width.
    MadWide(Type),
    /// Arithmetic that takes a carry, leaves one, or both.
    Carry {
        op: CarryOp,
        ty: Type,
        takes: bool,
        leaves: bool,
    },
    /// `fma.rn.f32` without modifiers: the most frequent instruction has a match arm of its own.
    Fma32,
    Float(FloatOp, Type, Mode),
    /// On predicates.
    Logic(LogicOp),
    /// `p, q = (a ? b) ∘ c` and its opposite; with `negate`, of `!c`.
    Setp {
        cmp: Cmp,
        ty: Type,
        combine: Option<LogicOp>,
        negate: bool,
        ftz: bool,
    },
    /// The same as a number: all ones, or 1.0 for a float `to`.
    Set {
        cmp: Cmp,
        ty: Type,
        to: Type,
        combine: Option<LogicOp>,
        negate: bool,
        ftz: bool,
    },
    Select(Class),
    Testp(FloatKind, Type),
    Convert(Convert),
    /// Two singles to a pair of halves, the first in the upper one.
    ConvertPair {
        to: Type,
        relu: bool,
    },
    /// A register of `parts` parts of `bits` bits.
    Pack {
        class: Class,
        bits: u32,
        parts: u8,
    },
    Unpack {
        class: Class,
        bits: u32,
        parts: u8,
    },
    /// To or from a generic address.
    Cvta {
        space: Space,
        to: bool,
    },
    IsSpace(Space),
    /// A kernel's parameter at a known place.
    LoadParam {
        ty: Type,
        lanes: u8,
    },
    Load {
        space: Space,
        ty: Type,
        lanes: u8,
        base: Class,
    },
    Store {
        space: Space,
        ty: Type,
        lanes: u8,
        base: Class,
    },
    Atomic {
        op: AtomicOp,
        space: Space,
        ty: Type,
        base: Class,
    },
    /// Bytes per lane; the third register is the number of bytes to take from the source, the rest is zero.
    CopyAsync {
        bytes: u8,
        to: Class,
        source_offset: i32,
    },
    CopyCommit,
    /// Until at most `imm` groups are in flight; with `all`, the open one too.
    CopyWait {
        all: bool,
    },
    LoadMatrix {
        matrices: u8,
        transposed: bool,
        base: Class,
    },
    Mma(Shape),
    /// A product of four warps, `wgmma`: the operands' descriptors are registers 0 and 1, register 2 tells whether to
    /// add to the sums, `imm` which of the kernel's lists of sums.
    Wgmma(WgmmaShape),
    WgmmaFence,
    WgmmaCommit,
    /// Until at most `imm` groups are in flight.
    WgmmaWait,
    /// Makes what the warp has written to shared memory known to products of four warps.
    ProxyFence,
    Branch,
    /// Through table `imm`.
    BranchIndexed,
    Exit,
    Trap,
    /// The barrier in register 0, the number of threads in register 1 (0 for all).
    Barrier {
        reduce: Option<Reduce>,
        negate: bool,
    },
    /// Orders what a single block at a time does in order anyway.
    Fence,
    SyncWarp,
    Shuffle(Shuffle),
    Vote {
        vote: Vote,
        negate: bool,
    },
    Match {
        all: bool,
        class: Class,
    },
    Reduce {
        op: AtomicOp,
        ty: Type,
    },
    ActiveMask,
    Clock(Class),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntOp {
    Mov,
    Not,
    Cnot,
    Neg,
    Abs,
    Popc,
    Clz,
    Brev,
    /// The highest set bit (of a negative number, the highest clear one); with `true`, its distance from the top.
    Bfind(bool),
    Add,
    Sub,
    Mul,
    MulHi,
    Div,
    Rem,
    Min,
    Max,
    And,
    Or,
    Xor,
    Shl,
    Shr,
    Mad,
    MadHi,
    Sad,
    Bfe,
    Bfi,
    Prmt,
    Lop3(u8),
    /// Funnel shift left or right; with `true`, by at most 32 instead of modulo 32.
    ShfLeft(bool),
    ShfRight(bool),
    /// Four products of bytes, signed or not, and a sum.
    Dp4a(bool, bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarryOp {
    Add,
    Sub,
    MadLo,
    MadHi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatOp {
    Add,
    Sub,
    Mul,
    Div,
    Fma,
    Min,
    Max,
    MinNan,
    MaxNan,
    Neg,
    Abs,
    CopySign,
    Sqrt,
    Rsqrt,
    Rcp,
    Ex2,
    Lg2,
    Sin,
    Cos,
    Tanh,
}

/// How a float operation rounds, and whether it flushes subnormals and saturates to [0, 1].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    pub round: Round,
    pub ftz: bool,
    pub sat: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    Nearest,
    Zero,
    Down,
    Up,
    /// To nearest, ties away from zero: `cvt.rna.tf32`.
    Away,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogicOp {
    Mov,
    Not,
    And,
    Or,
    Xor,
}

/// A comparison; with `unordered`, also true if an operand is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cmp {
    pub relation: Relation,
    pub unordered: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// Both are numbers.
    Num,
    /// At least one is NaN.
    Nan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatKind {
    Finite,
    Infinite,
    Number,
    NotANumber,
    Normal,
    Subnormal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convert {
    pub to: Type,
    pub from: Type,
    pub round: Round,
    /// A float to a float without a fraction (`.rni` and the like).
    pub integral: bool,
    pub sat: bool,
    pub ftz: bool,
    pub relu: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicOp {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
    Exchange,
    CompareAndSwap,
    Increment,
    Decrement,
}

/// A matrix product of one warp: `m16n8kK` and the type of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub k: u8,
    pub operands: Type,
    /// Whether the sums are halves, two to a register.
    pub half_sums: bool,
}

/// A product of four warps: `m64nNkK`, where K values are 32 bytes, and the type of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WgmmaShape {
    pub n: u16,
    pub operands: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    Count,
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shuffle {
    Up,
    Down,
    Butterfly,
    Index,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    All,
    Any,
    Uniform,
    Ballot,
}
