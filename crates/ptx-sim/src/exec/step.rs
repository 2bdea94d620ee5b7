//! The loop over instructions: one match for all lanes of a warp.

use super::block::Block;
use super::compare::{self, Combine};
use super::lane::{File, Words, lanes_of};
use super::warp::{Waiting, Warp};
use super::{Checked, convert, float, int};
use crate::fault::FaultKind;
use crate::ins::{Ins, Op, Reduce};

/// Why a warp stopped for now.
pub enum Stop {
    Done,
    Barrier(Waiting),
    /// It has had its turn; it may be waiting for another warp.
    Turn,
}

/// Instructions that a warp runs before others have their turn.
const TURN: u64 = 1 << 16;

/// Whether the lanes that an operation needs are there.
pub enum Presence {
    All,
    /// Some are elsewhere in the code and may still come.
    Wait,
}

impl Block<'_> {
    /// Runs `warp` until it ends, reaches a barrier, or has had its turn.
    pub fn run_warp(&mut self, warp: &mut Warp) -> Checked<Stop> {
        let kernel = self.kernel;
        for ran in 0..TURN {
            if (warp.pc >= warp.meet || warp.mask == 0) && !warp.regroup() {
                if warp.groups.is_empty() {
                    self.abandon_copies(warp);
                    return Ok(Stop::Done);
                }
                return Err(self.stuck(warp));
            }
            let ins = &kernel.code[warp.pc];
            let active = warp.mask & (warp.predicates[usize::from(ins.guard)] ^ ins.flip);
            if let Some(&lists @ 1..) = kernel.touching.get(warp.pc) {
                self.touch_sums(warp, ins, active, lists)?;
            }
            self.counts.instructions[ins.class as usize] += 1;
            self.counts.lanes += u64::from(active.count_ones());
            warp.pc += 1;
            match ins.op {
                Op::Fma32 => float::fma32(warp, ins, active),
                Op::Branch => branch(warp, ins.imm as usize, active),
                Op::Exit => {
                    warp.mask &= !active;
                    warp.live &= !active;
                }
                Op::Barrier { reduce, negate } => {
                    if let Some(waiting) = self.barrier(warp, ins, active, reduce, negate)? {
                        self.charge(ran + 1, ins)?;
                        return Ok(Stop::Barrier(waiting));
                    }
                }
                _ if active == 0 => {}
                _ => self.step(warp, ins, active)?,
            }
        }
        self.charge(TURN, &kernel.code[warp.pc.min(kernel.code.len() - 1)])?;
        Ok(Stop::Turn)
    }

    /// Takes instructions from what the block may still run.
    fn charge(&mut self, ran: u64, ins: &Ins) -> Checked {
        self.budget = self.budget.saturating_sub(ran);
        if self.budget > 0 {
            return Ok(());
        }
        let message = format!("more than {} instructions in one block", self.options.max_instructions);
        Err(self.fault(FaultKind::Timeout, ins, None, message))
    }

    /// Everything that does not change where the warp is.
    #[inline(always)]
    fn step(&mut self, warp: &mut Warp, ins: &Ins, active: u32) -> Checked {
        match ins.op {
            Op::Int(op, ty) => int::int(warp, ins, active, op, ty),
            Op::MulWide(ty) => int::wide(warp, ins, active, ty, false),
            Op::MadWide(ty) => int::wide(warp, ins, active, ty, true),
            Op::Carry { op, ty, takes, leaves } => int::carry(warp, ins, active, op, ty, takes, leaves),
            Op::Float(op, ty, mode) => float::float(warp, ins, active, op, ty, mode),
            Op::Logic(op) => compare::logic(warp, ins, active, op),
            Op::Setp { cmp, ty, combine, negate, ftz } => {
                compare::setp(warp, ins, active, cmp, ty, Combine { op: combine, negate }, ftz);
            }
            Op::Set { cmp, ty, to, combine, negate, ftz } => {
                compare::set(warp, ins, active, cmp, ty, to, Combine { op: combine, negate }, ftz);
            }
            Op::Select(class) => compare::select(warp, ins, active, class),
            Op::Testp(kind, ty) => compare::testp(warp, ins, active, kind, ty),
            Op::Convert(how) => convert::convert(warp, ins, active, how),
            Op::ConvertPair { to, relu } => convert::convert_pair(warp, ins, active, to, relu),
            Op::Pack { class, bits, parts } => convert::pack(warp, ins, active, class, bits, parts),
            Op::Unpack { class, bits, parts } => convert::unpack(warp, ins, active, class, bits, parts),
            Op::Cvta { space, to } => self.cvta(warp, ins, active, space, to),
            Op::IsSpace(space) => self.is_space(warp, ins, active, space),
            Op::LoadParam { ty, lanes } => self.load_param(warp, ins, active, ty, lanes),
            Op::Load { space, ty, lanes, base } => self.load(warp, ins, active, space, ty, lanes, base)?,
            Op::Store { space, ty, lanes, base } => self.store(warp, ins, active, space, ty, lanes, base)?,
            Op::Atomic { op, space, ty, base } => self.atomic(warp, ins, active, op, space, ty, base)?,
            Op::CopyAsync { bytes, to, source_offset } => {
                self.copy_async(warp, ins, active, bytes.into(), to, source_offset)?;
            }
            Op::CopyCommit => warp.copies.commit(),
            Op::CopyWait { all } => self.copy_wait(warp, ins, all)?,
            Op::LoadMatrix { matrices, transposed, base } => {
                self.load_matrix(warp, ins, active, matrices.into(), transposed, base)?;
            }
            Op::Mma(shape) => self.mma(warp, ins, active, shape)?,
            Op::Wgmma(shape) => self.wgmma(warp, ins, active, shape)?,
            Op::WgmmaFence => warp.products.fence(),
            Op::WgmmaCommit => warp.products.commit(),
            Op::WgmmaWait => self.wgmma_wait(warp, ins.imm as usize),
            Op::ProxyFence => self.races.fence(warp.id),
            Op::BranchIndexed => self.branch_indexed(warp, ins, active)?,
            Op::Trap => {
                let lane = active.trailing_zeros() as usize;
                let message = "the kernel stopped itself".to_owned();
                return Err(self.fault(FaultKind::Trap, ins, Some((warp.id, lane)), message));
            }
            Op::SyncWarp => {
                self.together(warp, ins, active, 0)?;
            }
            Op::Shuffle(mode) => self.shuffle(warp, ins, active, mode)?,
            Op::Vote { vote, negate } => self.vote(warp, ins, active, vote, negate)?,
            Op::Match { all, class } => self.matching(warp, ins, active, all, class)?,
            Op::Reduce { op, ty } => self.reduce(warp, ins, active, op, ty)?,
            Op::ActiveMask => warp.put(ins.regs[0], [warp.mask; 32], active),
            Op::Clock(class) => self.clock(warp, ins, active, class),
            Op::Fma32 | Op::Branch | Op::Exit | Op::Barrier { .. } | Op::Fence => {}
        }
        Ok(())
    }

    fn branch_indexed(&mut self, warp: &mut Warp, ins: &Ins, active: u32) -> Checked {
        let index: Words = *warp.read(ins.regs[0]);
        let table = &self.kernel.tables[ins.imm as usize];
        for lane in lanes_of(active) {
            let Some(&target) = table.get(index[lane] as usize) else {
                let message = format!("branch {} of a table of {}", index[lane], table.len());
                return Err(self.fault(FaultKind::OutOfBounds, ins, Some((warp.id, lane)), message));
            };
            warp.split(target, 1 << lane);
        }
        Ok(())
    }

    /// A barrier; `None` if lanes of the warp are still to come.
    fn barrier(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        reduce: Option<Reduce>,
        negate: bool,
    ) -> Checked<Option<Waiting>> {
        if active != warp.live {
            if active != warp.mask {
                let message = format!("lanes {:#x} of {:#x} skip the barrier", warp.mask & !active, warp.live);
                return Err(self.fault(FaultKind::Barrier, ins, None, message));
            }
            warp.park(warp.pc - 1);
            return Ok(None);
        }
        let first = usize::from(reduce.is_some());
        let (barrier, threads): (&Words, &Words) = (warp.read(ins.regs[first]), warp.read(ins.regs[first + 1]));
        let lane = active.trailing_zeros() as usize % 32;
        let (barrier, threads) = (barrier[lane], threads[lane]);
        let reduce = reduce.map(|op| (op, warp.predicate(ins.regs[3], negate) & active, ins.regs[0]));
        Ok(Some(Waiting { barrier, threads, reduce, line: ins.line }))
    }

    /// All lanes that are left wait for others.
    fn stuck(&self, warp: &Warp) -> Box<crate::Fault> {
        let waiting = warp
            .groups
            .iter()
            .map(|group| format!("lanes {:#x} at line {}", group.mask, self.kernel.code[group.pc].line));
        let waiting: Vec<String> = waiting.collect();
        let ins = &self.kernel.code[warp.groups[0].pc];
        let kind = if matches!(ins.op, Op::Barrier { .. }) { FaultKind::Barrier } else { FaultKind::Divergence };
        let lane = warp.groups[0].mask.trailing_zeros() as usize;
        let message = format!("only a part of warp {} gets here: {}", warp.id, waiting.join(", "));
        self.fault(kind, ins, Some((warp.id, lane)), message)
    }
}

fn branch(warp: &mut Warp, target: usize, taken: u32) {
    if taken == warp.mask {
        warp.pc = target;
    } else if taken != 0 {
        warp.split(target, taken);
    }
}
