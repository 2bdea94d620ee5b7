//! Branches and barriers.

use super::Compiler;
use crate::PtxError;
use crate::ins::{Op, Reduce};
use crate::parse::{Instruction, Operand};
use crate::types::{Class, Type};

impl<'a> Compiler<'_, 'a> {
    pub(super) fn control(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        match (ins.parts[0], &ins.operands[..]) {
            ("bra", [Operand::Name(label)]) => {
                self.frame.branches.push((self.code.len(), label));
                self.emit(Op::Branch, &[], &[], 0);
            }
            ("brx", [index, Operand::Name(list)]) => {
                let index = self.source(index, Type::U32)?;
                self.frame.pending_tables.push((self.tables.len(), list));
                self.emit(Op::BranchIndexed, &[], &[index], self.tables.len() as i64);
                self.tables.push(Vec::new());
            }
            ("ret", []) if self.calls.len() > 1 => {
                self.frame.returns.push(self.code.len());
                self.emit(Op::Branch, &[], &[], 0);
            }
            ("ret" | "exit", []) => self.emit(Op::Exit, &[], &[], 0),
            ("trap", []) => self.emit(Op::Trap, &[], &[], 0),
            ("fence", []) if ins.has("proxy") && ins.has("async") => self.emit(Op::ProxyFence, &[], &[], 0),
            ("membar" | "fence" | "nanosleep" | "griddepcontrol", _) => self.emit(Op::Fence, &[], &[], 0),
            ("bar", [mask]) if ins.has("warp") => {
                let mask = self.source(mask, Type::U32)?;
                self.emit(Op::SyncWarp, &[], &[mask], 0);
            }
            ("bar" | "barrier", _) => self.barrier(ins)?,
            _ => return Err(self.unsupported(ins)),
        }
        Ok(())
    }

    /// `bar.sync a{, threads}` and `bar.red.op d, a{, threads}, p`.
    fn barrier(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.only(ins, &["sync", "red", "aligned", "cta", "popc", "and", "or"])?;
        let none = self.constant(Class::Word, 0);
        if ins.has("sync") {
            let barrier = match ins.operands.first() {
                Some(operand) => self.source(operand, Type::U32)?,
                None => none,
            };
            let threads = match ins.operands.get(1) {
                Some(operand) => self.source(operand, Type::U32)?,
                None => none,
            };
            self.emit(Op::Barrier { reduce: None, negate: false }, &[], &[barrier, threads], 0);
            return Ok(());
        }
        let (reduce, ty) = match (ins.has("popc"), ins.has("and"), ins.has("or")) {
            (true, ..) => (Reduce::Count, Type::U32),
            (_, true, _) => (Reduce::And, Type::Pred),
            (.., true) => (Reduce::Or, Type::Pred),
            _ => return Err(self.unsupported(ins)),
        };
        let (d, barrier, threads, p) = match &ins.operands[..] {
            [d, barrier, p] => (d, barrier, None, p),
            [d, barrier, threads, p] => (d, barrier, Some(threads), p),
            _ => return Err(self.unsupported(ins)),
        };
        let target = self.target(d, ty)?;
        let barrier = self.source(barrier, Type::U32)?;
        let threads = match threads {
            Some(operand) => self.source(operand, Type::U32)?,
            None => none,
        };
        let (p, negate) = self.predicate(p)?;
        self.emit(Op::Barrier { reduce: Some(reduce), negate }, &[target], &[barrier, threads, p], 0);
        Ok(())
    }
}
