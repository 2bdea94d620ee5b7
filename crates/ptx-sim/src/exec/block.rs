//! A block: what its warps share, and in which order they run.

use std::sync::Arc;

use super::Checked;
use super::scratch::Scratch;
use super::step::Stop;
use super::warp::{Waiting, Warp};
use crate::count::Counts;
use crate::device::{Device, Launch, Options};
use crate::fault::{Fault, FaultKind};
use crate::ins::{Ins, Reduce};
use crate::kernel::{Kernel, Prefill, Special};
use crate::memory::Region;
use crate::race::Races;
use crate::types::Class;

/// What the warps of a block share.
pub struct Block<'a> {
    pub kernel: &'a Kernel,
    pub options: &'a Options,
    pub launch: &'a Launch<'a>,
    pub regions: &'a [Arc<Region>],
    /// The allocation that was accessed last.
    pub recent: Option<&'a Region>,
    pub shared: Scratch,
    pub races: Races,
    pub index: [u32; 3],
    pub counts: Counts,
    /// Instructions that this block may still run.
    pub budget: u64,
    warps: Vec<Warp>,
}

impl<'a> Block<'a> {
    pub fn new(device: &'a Device, kernel: &'a Kernel, launch: &'a Launch<'a>, regions: &'a [Arc<Region>]) -> Self {
        let threads: u32 = launch.block.iter().product();
        let dynamic = if launch.dynamic_shared > 0 { kernel.dynamic_start + launch.dynamic_shared } else { 0 };
        let shared = kernel.static_shared.max(dynamic);
        let races = Races::new(shared, kernel.granule);
        Self {
            kernel,
            options: &device.options,
            launch,
            regions,
            recent: None,
            shared: Scratch::new(shared),
            races: if kernel.sums.is_empty() { races } else { races.with_products() },
            index: [0; 3],
            counts: Counts::default(),
            budget: 0,
            warps: (0..threads.div_ceil(32)).map(|id| Warp::new(id, kernel)).collect(),
        }
    }

    /// Runs the block of that number, counted along x, then y, then z.
    pub fn run(&mut self, number: u64) -> Checked {
        let [x, y, _] = self.launch.grid.map(u64::from);
        self.index = [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32];
        self.budget = self.options.max_instructions;
        self.shared.forget();
        self.races.clear();
        let mut warps = std::mem::take(&mut self.warps);
        let threads: u32 = self.launch.block.iter().product();
        for warp in &mut warps {
            warp.restart(threads - warp.id * 32);
            self.prefill(warp);
        }
        let result = self.run_warps(&mut warps);
        self.warps = warps;
        result
    }

    fn run_warps(&mut self, warps: &mut [Warp]) -> Checked {
        loop {
            let mut ran = false;
            for warp in warps.iter_mut().filter(|warp| !warp.done && warp.barrier.is_none()) {
                ran = true;
                match self.run_warp(warp)? {
                    Stop::Done => warp.done = true,
                    Stop::Barrier(waiting) => warp.barrier = Some(waiting),
                    Stop::Turn => {}
                }
            }
            if warps.iter().all(|warp| warp.done) {
                return self.groups_agree(warps);
            }
            if !ran || warps.iter().all(|warp| warp.done || warp.barrier.is_some()) {
                self.release(warps)?;
            }
        }
    }

    /// Lets those warps go on whose barrier is complete, when all warps wait.
    fn release(&mut self, warps: &mut [Warp]) -> Checked {
        let waiting: Vec<Waiting> = warps.iter().filter_map(|warp| warp.barrier).collect();
        let complete = |at: &Waiting| {
            let same = waiting.iter().filter(|other| other.barrier == at.barrier);
            let all_agree = same.clone().all(|other| other.threads == at.threads);
            let arrived = same.count() as u32;
            all_agree && if at.threads == 0 { arrived == waiting.len() as u32 } else { arrived * 32 >= at.threads }
        };
        let Some(first) = waiting.iter().find(|at| complete(at)) else {
            let places: Vec<String> =
                waiting.iter().map(|at| format!("barrier {} (line {})", at.barrier, at.line)).collect();
            let message = format!("the warps wait for each other at {}", places.join(", "));
            return Err(self.fault_at(FaultKind::Barrier, waiting[0].line, message));
        };
        let barrier = first.barrier;
        self.races.barrier();
        let here = |warp: &&mut Warp| warp.barrier.is_some_and(|at| at.barrier == barrier);
        let (mut count, mut all, mut any) = (0, true, false);
        for warp in warps.iter_mut().filter(here) {
            if let Some((_, holds, _)) = warp.barrier.and_then(|at| at.reduce) {
                count += holds.count_ones();
                all &= holds == warp.live;
                any |= holds != 0;
            }
        }
        for warp in warps.iter_mut().filter(here) {
            let live = warp.live;
            match warp.barrier.take().and_then(|at| at.reduce) {
                Some((Reduce::Count, _, register)) => {
                    super::lane::File::put(warp, register, [count; 32], live);
                }
                Some((Reduce::And, _, register)) => warp.put_predicate(register, if all { u32::MAX } else { 0 }, live),
                Some((Reduce::Or, _, register)) => warp.put_predicate(register, if any { u32::MAX } else { 0 }, live),
                None => {}
            }
        }
        Ok(())
    }

    /// Fills the registers that hold something before the first instruction.
    fn prefill(&self, warp: &mut Warp) {
        for &(class, register) in &self.kernel.unset {
            match class {
                Class::Wide => warp.wides[usize::from(register)] = [u64::MAX; 32],
                _ => warp.words[usize::from(register)] = [u32::MAX; 32],
            }
        }
        for &(class, register, prefill) in &self.kernel.prefill {
            let value = |lane: u32| match prefill {
                Prefill::Bits(bits) => bits,
                Prefill::Dynamic(offset) => self.kernel.dynamic_start as u64 + offset,
                Prefill::Special(special) => self.special(special, warp.id, lane).into(),
            };
            let values: [u64; 32] = match prefill {
                Prefill::Special(_) => std::array::from_fn(|lane| value(lane as u32)),
                _ => [value(0); 32],
            };
            match class {
                Class::Wide => warp.wides[usize::from(register)] = values,
                _ => warp.words[usize::from(register)] = values.map(|value| value as u32),
            }
        }
    }

    fn special(&self, special: Special, warp: u32, lane: u32) -> u32 {
        let Launch { grid, block, dynamic_shared, .. } = *self.launch;
        match special {
            Special::Tid(axis) => self.thread(warp, lane)[usize::from(axis)],
            Special::Ntid(axis) => block[usize::from(axis)],
            Special::Ctaid(axis) => self.index[usize::from(axis)],
            Special::Nctaid(axis) => grid[usize::from(axis)],
            Special::LaneId => lane,
            Special::WarpId => warp,
            Special::WarpCount => block.iter().product::<u32>().div_ceil(32),
            Special::LaneMaskEq => 1 << lane,
            Special::LaneMaskLt => (1 << lane) - 1,
            Special::LaneMaskLe => (2u64 << lane) as u32 - 1,
            Special::LaneMaskGt => !((2u64 << lane) as u32).wrapping_sub(1),
            Special::LaneMaskGe => !((1 << lane) - 1),
            Special::DynamicShared => dynamic_shared as u32,
            Special::TotalShared => self.shared.bytes() as u32,
            Special::Zero => 0,
        }
    }

    /// The thread's index in the block.
    pub fn thread(&self, warp: u32, lane: u32) -> [u32; 3] {
        let [x, y, _] = self.launch.block;
        let number = warp * 32 + lane;
        [number % x, number / x % y, number / x / y]
    }

    /// A fault of one thread, at an instruction.
    #[cold]
    pub fn fault(&self, kind: FaultKind, ins: &Ins, thread: Option<(u32, usize)>, message: String) -> Box<Fault> {
        let thread = thread.map(|(warp, lane)| self.thread(warp, lane as u32));
        Box::new(Fault { thread, ..*self.fault_at(kind, ins.line, message) })
    }

    #[cold]
    pub fn fault_at(&self, kind: FaultKind, line: u32, message: String) -> Box<Fault> {
        Box::new(Fault {
            kind,
            message,
            kernel: self.kernel.name.clone(),
            line,
            instruction: self.kernel.line(line).to_owned(),
            block: self.index,
            thread: None,
        })
    }
}
