//! The frame of kernels over several tensors at once: a table of them among the parameters, one element for one thread.

use super::elementwise::{load, memory_type};
use super::graph::{Arg, Class, Graph, Id, effect, record, value};
use cotangent_base::DType;

/// How many tensors a kernel's table holds, and where the elements of each are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// The number of entries, a power of two.
    pub capacity: usize,
    /// The addresses in each entry.
    pub operands: usize,
}

/// Slots of 8 bytes in the 4 KiB that a kernel's parameters may have.
const SLOTS: usize = 512;
/// Slots that are left for a formula's numbers.
const NUMBERS: usize = 64;
/// The first block of an entry that no tensor uses: beyond all blocks.
pub const UNUSED: u64 = u32::MAX as u64;

impl Table {
    /// A table for `count` tensors, or as many of them as fit.
    pub fn for_tensors(count: usize, operands: usize) -> Self {
        let fits = |&capacity: &usize| capacity * (2 + operands) <= SLOTS - NUMBERS;
        let capacity = [64, 32, 16].into_iter().find(|c| c / 2 < count && fits(c)).unwrap_or(8);
        Self { capacity, operands }
    }

    /// The slots of an entry: its first block, its number of elements, its addresses.
    pub fn width(&self) -> usize {
        2 + self.operands
    }

    /// The slots of the parameters before a formula's numbers.
    pub fn slots(&self) -> usize {
        self.capacity * self.width()
    }
}

/// The kernel that replaces the first `written` operands of each tensor in the table by what `body` makes of all of them.
/// With `live`, the numbers of its formula are in memory, at the address that stands in their place.
pub fn table(table: Table, written: usize, dtype: DType, live: bool, body: impl FnOnce(&[Arg]) -> Vec<Arg>) -> Graph {
    let graph = record(table.slots() as u32, || {
        let entry = entry(table);
        let index = index(entry);
        let at: Vec<Id> = (0..table.operands)
            .map(|k| {
                let start = slot(entry, 2 + k, "u64", Class::B64);
                value("mad.wide", "u32", Class::B64, &[index, Arg::Int(dtype.bytes() as i64), start])
            })
            .collect();
        let x: Vec<Arg> = at.iter().map(|&at| load(dtype, at)).collect();
        for (&at, y) in at.iter().zip(body(&x)).take(written) {
            effect("st.global", memory_type(dtype), &[Arg::At(at), y]);
        }
    });
    if live { graph.with_live_constants() } else { graph }
}

/// A kernel that writes `capacity` words or fewer to memory. Slot 0 is their number, slot 1 the address, then come the words.
pub fn words() -> Graph {
    record(0, || {
        let index = special("%tid.x");
        let count = Arg::Value(value("ld.param", "u32", Class::B32, &[Arg::Slot(0)]));
        effect("ret", "", &[Arg::Value(value("setp.ge", "u32", Class::Pred, &[index, count]))]);
        let along = |start: Arg| value("mad.wide", "u32", Class::B64, &[index, Arg::Int(8), start]);
        let word = slot(along(params()), 2, "u64", Class::B64);
        let to = Arg::Value(value("ld.param", "u64", Class::B64, &[Arg::Slot(1)]));
        effect("st.global", "u64", &[Arg::At(along(to)), word]);
    })
}

/// The most words that one launch of [`words`] writes.
pub const WORDS: usize = 126;

fn special(name: &'static str) -> Arg {
    Arg::Value(value("mov", "u32", Class::B32, &[Arg::Special(name)]))
}

/// Where the parameters lie.
fn params() -> Arg {
    Arg::Value(value("mov", "u64", Class::B64, &[Arg::Special("params")]))
}

/// Slot `number` from the address `start` in the parameters on.
fn slot(start: Id, number: usize, ty: &'static str, class: Class) -> Arg {
    let at = value("add", "u64", Class::B64, &[Arg::Value(start), Arg::Int(8 * number as i64)]);
    Arg::Value(value("ld.param", ty, class, &[Arg::At(at)]))
}

/// The entry of this block: the last one that begins with it or before it.
fn entry(table: Table) -> Id {
    let (block, params) = (special("%ctaid.x"), params());
    let at = |k: Arg| value("mad.wide", "u32", Class::B64, &[k, Arg::Int(8 * table.width() as i64), params]);
    let mut k = Arg::Value(value("mov", "u32", Class::B32, &[Arg::Int(0)]));
    let mut step = table.capacity / 2;
    while step > 0 {
        let next = Arg::Value(value("add", "u32", Class::B32, &[k, Arg::Int(step as i64)]));
        let first = slot(at(next), 0, "u32", Class::B32);
        let reached = Arg::Value(value("setp.ge", "u32", Class::Pred, &[block, first]));
        k = Arg::Value(value("selp", "b32", Class::B32, &[next, k, reached]));
        step /= 2;
    }
    at(k)
}

/// The number of the thread's element in its tensor; threads beyond the last end.
fn index(entry: Id) -> Arg {
    let first = slot(entry, 0, "u32", Class::B32);
    let block = Arg::Value(value("sub", "u32", Class::B32, &[special("%ctaid.x"), first]));
    let index = Arg::Value(value("mad.lo", "u32", Class::B32, &[block, special("%ntid.x"), special("%tid.x")]));
    let count = slot(entry, 1, "u32", Class::B32);
    effect("ret", "", &[Arg::Value(value("setp.ge", "u32", Class::Pred, &[index, count]))]);
    index
}
