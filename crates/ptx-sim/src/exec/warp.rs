//! A warp: its registers, and which lanes are where.

use super::copy::Copies;
use super::lane::{Wides, Words};
use super::scratch::Scratch;
use super::wgmma::Products;
use crate::ins::Reduce;
use crate::ins::{FALSE, TRUE};
use crate::kernel::Kernel;

/// A warp of 32 lanes.
pub struct Warp {
    pub id: u32,
    pub words: Vec<Words>,
    pub wides: Vec<Wides>,
    /// Each a bit per lane.
    pub predicates: Vec<u32>,
    /// The carry flag of each lane.
    pub carry: u32,
    /// Where the running lanes are.
    pub pc: usize,
    /// The running lanes.
    pub mask: u32,
    /// Lanes that have not exited.
    pub live: u32,
    /// Lanes that are elsewhere.
    pub groups: Vec<Group>,
    /// The smallest program counter among them: to be looked at when the running lanes get there.
    pub meet: usize,
    pub local: Vec<Scratch>,
    pub copies: Copies,
    pub products: Products,
    pub barrier: Option<Waiting>,
    pub done: bool,
}

/// Lanes that wait while others run.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub pc: usize,
    pub mask: u32,
    /// Cannot go on before others come to the same place.
    pub parked: bool,
}

/// A warp at a barrier.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub barrier: u32,
    /// How many threads it waits for; all where it is 0.
    pub threads: u32,
    /// What to do with the predicate when all are there: the operation, the lanes where it holds, and the register.
    pub reduce: Option<(Reduce, u32, u16)>,
    pub line: u32,
}

impl Warp {
    pub fn new(id: u32, kernel: &Kernel) -> Self {
        let mut predicates = vec![0; kernel.predicates];
        predicates[usize::from(TRUE)] = u32::MAX;
        predicates[usize::from(FALSE)] = 0;
        let lanes = if kernel.local_bytes > 0 { 32 } else { 0 };
        Self {
            id,
            words: vec![[u32::MAX; 32]; kernel.words],
            wides: vec![[u64::MAX; 32]; kernel.wides],
            predicates,
            carry: 0,
            pc: 0,
            mask: 0,
            live: 0,
            groups: Vec::new(),
            meet: usize::MAX,
            local: (0..lanes).map(|_| Scratch::marked(kernel.local_bytes)).collect(),
            copies: Copies::default(),
            products: Products::default(),
            barrier: None,
            done: false,
        }
    }

    /// Back to the first instruction, with the first `threads` lanes.
    pub fn restart(&mut self, threads: u32) {
        self.live = if threads >= 32 { u32::MAX } else { (1 << threads) - 1 };
        (self.mask, self.pc, self.meet) = (self.live, 0, usize::MAX);
        self.groups.clear();
        self.local.iter_mut().for_each(Scratch::forget);
        self.copies = Copies::default();
        self.products = Products::default();
        (self.barrier, self.done, self.carry) = (None, false, 0);
    }

    /// Lets the running lanes wait, and those go on that are furthest behind; lanes at one place become one group.
    /// False if no lane can go on.
    pub fn regroup(&mut self) -> bool {
        if self.mask != 0 {
            self.groups.push(Group { pc: self.pc, mask: self.mask, parked: false });
            self.mask = 0;
        }
        let Some(pc) = self.groups.iter().filter(|group| !group.parked).map(|group| group.pc).min() else {
            return false;
        };
        self.pc = pc;
        self.mask = self.groups.iter().filter(|group| group.pc == pc).fold(0, |mask, group| mask | group.mask);
        self.groups.retain(|group| group.pc != pc);
        self.find_meeting();
        true
    }

    /// Splits lanes off that go to `pc`.
    pub fn split(&mut self, pc: usize, mask: u32) {
        self.groups.push(Group { pc, mask, parked: false });
        self.mask &= !mask;
        self.find_meeting();
    }

    /// The running lanes wait at `pc` until others come there.
    pub fn park(&mut self, pc: usize) {
        self.groups.push(Group { pc, mask: self.mask, parked: true });
        self.mask = 0;
    }

    fn find_meeting(&mut self) {
        self.meet = self.groups.iter().map(|group| group.pc).min().unwrap_or(usize::MAX);
    }
}
