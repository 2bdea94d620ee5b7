//! Which registers are alive where, by the usual backward flow over basic blocks.

use std::collections::BTreeSet;

use super::Draft;
use crate::ins::Op;

/// For each register, by its dense number: the first and the last instruction where it is alive or named.
pub struct Liveness {
    pub ranges: Vec<Option<(usize, usize)>>,
    /// Registers that some way through the code reads before it writes them.
    pub unset: Vec<usize>,
}

struct Block {
    start: usize,
    end: usize,
    next: Vec<usize>,
    live_in: Bits,
    reads: Bits,
    kills: Bits,
}

impl Liveness {
    /// `dense` numbers registers from 0 to `count`.
    pub fn new(code: &[Draft], tables: &[Vec<usize>], count: usize, dense: impl Fn(crate::ins::Reg) -> usize) -> Self {
        let mut blocks = blocks(code, tables);
        for block in &mut blocks {
            block.reads = Bits::new(count);
            block.kills = Bits::new(count);
            block.live_in = Bits::new(count);
            for draft in code[block.start..block.end].iter().rev() {
                // Lanes whose guard is false keep the old value, so a guarded write ends no life.
                for &register in draft.writes.iter().filter(|_| draft.guard.is_none()) {
                    block.kills.insert(dense(register));
                    block.reads.remove(dense(register));
                }
                let guard = draft.guard.map(|(register, _)| register);
                for &register in draft.reads.iter().chain(&guard) {
                    block.reads.insert(dense(register));
                    block.kills.remove(dense(register));
                }
            }
        }
        settle(&mut blocks, count);
        let mut ranges = vec![None; count];
        let mut touch = |register: usize, at: usize| {
            let (first, last) = ranges[register].get_or_insert((at, at));
            (*first, *last) = ((*first).min(at), (*last).max(at));
        };
        for block in &blocks {
            block.live_in.for_each(|register| touch(register, block.start));
            for &next in &block.next {
                blocks[next].live_in.for_each(|register| touch(register, block.end - 1));
            }
            for (at, draft) in code[..block.end].iter().enumerate().skip(block.start) {
                draft.writes.iter().chain(&draft.reads).for_each(|&register| touch(dense(register), at));
            }
        }
        let mut unset = Vec::new();
        if let Some(first) = blocks.first() {
            first.live_in.for_each(|register| unset.push(register));
        }
        Self { ranges, unset }
    }
}

/// Repeats the flow until nothing changes.
fn settle(blocks: &mut [Block], count: usize) {
    loop {
        let mut changed = false;
        for at in (0..blocks.len()).rev() {
            let mut live = Bits::new(count);
            for &next in &blocks[at].next {
                live.add(&blocks[next].live_in);
            }
            live.subtract(&blocks[at].kills);
            live.add(&blocks[at].reads);
            changed |= live != blocks[at].live_in;
            blocks[at].live_in = live;
        }
        if !changed {
            return;
        }
    }
}

/// The basic blocks, in the order of the text.
fn blocks(code: &[Draft], tables: &[Vec<usize>]) -> Vec<Block> {
    let targets = |at: usize| -> Vec<usize> {
        match code[at].op {
            Op::Branch => vec![code[at].imm as usize],
            Op::BranchIndexed => tables[code[at].imm as usize].clone(),
            _ => Vec::new(),
        }
    };
    let ends = |at: usize| matches!(code[at].op, Op::Branch | Op::BranchIndexed | Op::Exit);
    let mut starts = BTreeSet::from([0]);
    for at in (0..code.len()).filter(|&at| ends(at)) {
        starts.extend(targets(at));
        starts.insert(at + 1);
    }
    let starts: Vec<usize> = starts.into_iter().filter(|&start| start < code.len()).collect();
    let number = |start: usize| starts.binary_search(&start).expect("a target starts a block");
    let block = |(i, &start): (usize, &usize)| {
        let end = starts.get(i + 1).copied().unwrap_or(code.len());
        let last = end - 1;
        let mut next: Vec<usize> = targets(last).into_iter().map(number).collect();
        if (!ends(last) || code[last].guard.is_some()) && end < code.len() {
            next.push(i + 1);
        }
        let empty = || Bits::new(0);
        Block { start, end, next, live_in: empty(), reads: empty(), kills: empty() }
    };
    starts.iter().enumerate().map(block).collect()
}

/// A set of small numbers.
#[derive(PartialEq)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }

    fn remove(&mut self, i: usize) {
        self.0[i / 64] &= !(1 << (i % 64));
    }

    fn add(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    fn subtract(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    fn for_each(&self, mut f: impl FnMut(usize)) {
        for (i, word) in self.0.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                f(64 * i + word.trailing_zeros() as usize);
                word &= word - 1;
            }
        }
    }
}
