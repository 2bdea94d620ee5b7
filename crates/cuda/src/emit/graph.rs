//! [`Graph`]: the instructions of one kernel, each a value of its own, recorded as they are asked for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Which kind of register a value lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A truth value.
    Pred,
    /// A word; also bytes and bools.
    B32,
    /// A double word: integers and addresses.
    B64,
    /// A float.
    F32,
    /// A double.
    F64,
}

/// The number of a value in its graph.
pub type Id = u32;

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arg {
    /// A value.
    Value(Id),
    /// The memory at the address that is this value.
    At(Id),
    /// The 8-byte slot of the parameters with this number.
    Slot(u32),
    /// An integer constant.
    Int(i64),
    /// The bits of a float constant.
    F32(u32),
    /// The bits of a double constant.
    F64(u64),
    /// A register that the hardware fills: `%tid.x`.
    Special(&'static str),
}

/// One instruction, `op.ty result, args…`. Those with a result have no effect beyond it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The operation with its modifiers: `add.rn`.
    pub op: &'static str,
    /// The type that ends the opcode: `f32`.
    pub ty: &'static str,
    /// The register of the result; `None` for a store or a branch.
    pub class: Option<Class>,
    /// What it reads, in order.
    pub args: Vec<Arg>,
}

/// The instructions of one kernel in an order in which they can run.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(super) instructions: Vec<Instruction>,
    known: HashMap<Instruction, Id>,
    /// The bits of the numbers that the caller's formula holds: not part of the kernel's text, but parameters of each launch.
    constants: Vec<u64>,
    /// The slot of the first of them.
    pub(super) first_constant: u32,
    /// Whether they are in memory, and only their address among the parameters.
    pub(super) live: bool,
    /// Above 0 while a function of the library is recorded, whose constants never change.
    fixed: u32,
}

thread_local!(static RECORDING: RefCell<Graph> = RefCell::default());

/// The instructions that `body` asks for. The constants of its formula go to the slots from `first_constant` on.
pub fn record(first_constant: u32, body: impl FnOnce()) -> Graph {
    RECORDING.set(Graph { first_constant, ..Graph::default() });
    body();
    RECORDING.take()
}

/// The value of `op.ty args…`: the old one if it was asked for before.
pub fn value(op: &'static str, ty: &'static str, class: Class, args: &[Arg]) -> Id {
    let instruction = Instruction { op, ty, class: Some(class), args: args.to_vec() };
    RECORDING.with_borrow_mut(|graph| {
        if let Some(&id) = graph.known.get(&instruction) {
            return id;
        }
        let id = graph.instructions.len() as Id;
        graph.instructions.push(instruction.clone());
        graph.known.insert(instruction, id);
        id
    })
}

/// An instruction for its effect: a store, or the end of a thread that has no element.
pub fn effect(op: &'static str, ty: &'static str, args: &[Arg]) {
    let instruction = Instruction { op, ty, class: None, args: args.to_vec() };
    RECORDING.with_borrow_mut(|graph| graph.instructions.push(instruction));
}

/// The slot of a parameter that has these bits at this launch.
pub fn parameter(bits: u64) -> u32 {
    RECORDING.with_borrow_mut(|graph| {
        graph.constants.push(bits);
        graph.first_constant + graph.constants.len() as u32 - 1
    })
}

/// A number of the caller's formula: the slot of a parameter, or `None` where the number is part of the text.
pub fn constant(bits: u64) -> Option<u32> {
    let fixed = RECORDING.with_borrow(|graph| graph.fixed > 0);
    (!fixed).then(|| parameter(bits))
}

/// Records `body` with its constants in the text.
pub fn fixed<R>(body: impl FnOnce() -> R) -> R {
    RECORDING.with_borrow_mut(|graph| graph.fixed += 1);
    let result = body();
    RECORDING.with_borrow_mut(|graph| graph.fixed -= 1);
    result
}

impl Graph {
    /// The number of instructions, those included that nobody needs.
    pub fn size(&self) -> usize {
        self.instructions.len()
    }

    /// The bits of the parameters that follow those of the frame.
    pub fn constants(&self) -> &[u64] {
        &self.constants
    }

    /// This kernel with the constants in memory: their slots hold the address of the first.
    pub(super) fn with_live_constants(self) -> Self {
        Self { live: true, ..self }
    }

    /// How many slots follow those of the frame.
    pub fn constant_slots(&self) -> usize {
        if self.live { 1 } else { self.constants.len() }
    }

    /// A hash of the text, without the constants of the formula.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.instructions, self.live).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether each instruction has an effect, or is read by one that counts.
    pub(super) fn needed(&self) -> Vec<bool> {
        let mut needed: Vec<bool> = self.instructions.iter().map(|i| i.class.is_none()).collect();
        for i in (0..needed.len()).rev().filter(|&i| needed[i]).collect::<Vec<_>>() {
            self.mark(i, &mut needed);
        }
        needed
    }

    /// Marks all that instruction `from` reads, directly or not.
    fn mark(&self, from: usize, needed: &mut [bool]) {
        let mut open = vec![from];
        while let Some(i) = open.pop() {
            for arg in &self.instructions[i].args {
                if let Arg::Value(id) | Arg::At(id) = *arg
                    && !needed[id as usize]
                {
                    needed[id as usize] = true;
                    open.push(id as usize);
                }
            }
        }
    }
}
