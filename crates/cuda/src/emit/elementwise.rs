//! The frame of every emitted kernel: one thread for one element; where the element lies in each operand; loads, the
//! formula, stores.

use super::graph::{Arg, Class, Graph, Id, effect, record, value};
use cotangent_base::{DType, Layout, MAX_RANK};

/// How the elements of several operands of one shape are walked together: as few axes as serve them all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The number of elements.
    pub count: usize,
    /// The sizes of the axes, at least one.
    pub sizes: Vec<usize>,
    /// For each operand: its first element, and a stride for each axis.
    pub operands: Vec<(usize, Vec<isize>)>,
}

impl Plan {
    /// Merges the axes of `layouts`, which have one shape.
    pub fn new(layouts: &[Layout]) -> Self {
        let shape = layouts[0].shape;
        debug_assert!(layouts.iter().all(|l| l.shape == shape), "operands of one shape");
        let mut sizes: Vec<usize> = Vec::with_capacity(MAX_RANK);
        let mut strides: Vec<Vec<isize>> = vec![Vec::with_capacity(MAX_RANK); layouts.len()];
        for axis in (0..shape.rank()).filter(|&axis| shape[axis] != 1) {
            let n = shape[axis];
            let merges =
                |(done, l): (&Vec<isize>, &Layout)| done.last().is_some_and(|&s| s == n as isize * l.strides()[axis]);
            if !sizes.is_empty() && strides.iter().zip(layouts).all(merges) {
                *sizes.last_mut().expect("not empty") *= n;
                strides.iter_mut().zip(layouts).for_each(|(s, l)| *s.last_mut().expect("as long") = l.strides()[axis]);
            } else {
                sizes.push(n);
                strides.iter_mut().zip(layouts).for_each(|(s, l)| s.push(l.strides()[axis]));
            }
        }
        if sizes.is_empty() {
            sizes.push(1);
            strides.iter_mut().for_each(|s| s.push(0));
        }
        let operands = layouts.iter().map(|l| l.offset).zip(strides).collect();
        Self { count: shape.count(), sizes, operands }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.sizes.len()
    }

    /// The slots of the parameters before a formula's constants.
    pub fn slots(&self) -> usize {
        first_constant(self.rank(), self.operands.len())
    }
}

/// Slot 0 is the count, then the sizes, then for each operand its address and strides; then the constants.
fn first_constant(rank: usize, operands: usize) -> usize {
    1 + rank + operands * (1 + rank)
}

/// What the formula of a kernel has at hand.
pub struct Body<'a> {
    /// The number of the element, in row-major order.
    pub index: Arg,
    /// Where the element lies in each input.
    pub at: &'a [Id],
    /// The elements of the inputs.
    pub x: &'a [Arg],
}

/// The kernel that computes `outputs` from `inputs`, element by element. The operands of its plan are the outputs, then the
/// inputs.
pub fn elementwise(rank: usize, outputs: &[DType], inputs: &[DType], body: impl FnOnce(Body) -> Vec<Arg>) -> Graph {
    let operands = outputs.len() + inputs.len();
    record(first_constant(rank, operands) as u32, || {
        let index = index();
        let along = unravel(index, rank);
        let address = |operand: usize, dtype: DType| address(operand, dtype, &along);
        let at: Vec<Id> = inputs.iter().enumerate().map(|(k, &dtype)| address(outputs.len() + k, dtype)).collect();
        let x: Vec<Arg> = at.iter().zip(inputs).map(|(&at, &dtype)| load(dtype, at)).collect();
        let y = body(Body { index, at: &at, x: &x });
        for (k, (&dtype, y)) in outputs.iter().zip(y).enumerate() {
            effect("st.global", memory_type(dtype), &[Arg::At(address(k, dtype)), y]);
        }
    })
}

/// The thread's number; threads beyond the count end.
fn index() -> Arg {
    let special = |name| Arg::Value(value("mov", "u32", Class::B32, &[Arg::Special(name)]));
    let (block, width, thread) = (special("%ctaid.x"), special("%ntid.x"), special("%tid.x"));
    let index = Arg::Value(value("mad.lo", "u32", Class::B32, &[block, width, thread]));
    let beyond = value("setp.ge", "u32", Class::Pred, &[index, size(0)]);
    effect("ret", "", &[Arg::Value(beyond)]);
    index
}

fn size(slot: usize) -> Arg {
    Arg::Value(value("ld.param", "u32", Class::B32, &[Arg::Slot(slot as u32)]))
}

/// The index along each axis.
fn unravel(index: Arg, rank: usize) -> Vec<Arg> {
    let mut along = vec![index; rank];
    for axis in (1..rank).rev() {
        let (all, n) = (along[0], size(1 + axis));
        let above = Arg::Value(value("div", "u32", Class::B32, &[all, n]));
        let whole = Arg::Value(value("mul.lo", "u32", Class::B32, &[above, n]));
        along[axis] = Arg::Value(value("sub", "u32", Class::B32, &[all, whole]));
        along[0] = above;
    }
    along
}

/// Where the element lies in operand `operand`.
fn address(operand: usize, dtype: DType, along: &[Arg]) -> Id {
    let slot = 1 + along.len() + operand * (1 + along.len());
    let base = Arg::Value(value("ld.param", "u64", Class::B64, &[Arg::Slot(slot as u32)]));
    let stride = |axis: usize| Arg::Value(value("ld.param", "s32", Class::B32, &[Arg::Slot((slot + 1 + axis) as u32)]));
    let mut place = Arg::Value(value("mul.lo", "s32", Class::B32, &[along[0], stride(0)]));
    for (axis, &i) in along.iter().enumerate().skip(1) {
        place = Arg::Value(value("mad.lo", "s32", Class::B32, &[i, stride(axis), place]));
    }
    value("mad.wide", "s32", Class::B64, &[place, Arg::Int(dtype.bytes() as i64), base])
}

pub(super) fn memory_type(dtype: DType) -> &'static str {
    match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::U32 => "u32",
        DType::I64 => "s64",
        DType::U8 | DType::Bool => "u8",
    }
}

/// The registers of a dtype's elements: bytes and bools widen to words.
pub fn class(dtype: DType) -> Class {
    match dtype {
        DType::F32 => Class::F32,
        DType::F64 => Class::F64,
        DType::I64 => Class::B64,
        DType::U32 | DType::U8 | DType::Bool => Class::B32,
    }
}

/// The element at `address`.
pub fn load(dtype: DType, address: Id) -> Arg {
    Arg::Value(value("ld.global", memory_type(dtype), class(dtype), &[Arg::At(address)]))
}
