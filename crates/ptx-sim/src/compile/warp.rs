//! What the lanes of a warp do together.

use super::Compiler;
use super::memory::atomic_op;
use crate::PtxError;
use crate::ins::{Op, Shape, Shuffle, Vote};
use crate::parse::Instruction;
use crate::types::Type;

impl<'a> Compiler<'_, 'a> {
    pub(super) fn warp(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        match ins.parts[0] {
            "activemask" => {
                let [d] = self.operands::<1>(ins)?;
                let target = self.target(d, Type::U32)?;
                self.emit(Op::ActiveMask, &[target], &[], 0);
                return Ok(());
            }
            "mma" => return self.mma(ins),
            _ if !ins.has("sync") => return Err(self.unsupported(ins)),
            _ => {}
        }
        match ins.parts[0] {
            "shfl" => self.shuffle(ins),
            "vote" => self.vote(ins),
            "match" => {
                let ([d, a, mask], ty) = (self.operands::<3>(ins)?, self.ty(ins)?);
                let writes = self.pair(d, Type::U32)?;
                let reads = [self.source(a, ty)?, self.source(mask, Type::U32)?];
                self.emit(Op::Match { all: ins.has("all"), class: ty.class() }, &writes, &reads, 0);
                Ok(())
            }
            _ => {
                let ([d, a, mask], ty) = (self.operands::<3>(ins)?, self.ty(ins)?);
                let op = atomic_op(ins).filter(|_| ty.size() == 4 && !ty.is_float());
                let op = op.ok_or_else(|| self.unsupported(ins))?;
                let target = self.target(d, ty)?;
                let reads = [self.source(a, ty)?, self.source(mask, Type::U32)?];
                self.emit(Op::Reduce { op, ty }, &[target], &reads, 0);
                Ok(())
            }
        }
    }

    fn shuffle(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let mode = match (ins.has("up"), ins.has("down"), ins.has("bfly"), ins.has("idx")) {
            (true, ..) => Shuffle::Up,
            (_, true, ..) => Shuffle::Down,
            (_, _, true, _) => Shuffle::Butterfly,
            (.., true) => Shuffle::Index,
            _ => return Err(self.unsupported(ins)),
        };
        let [d, a, b, c, mask] = self.operands::<5>(ins)?;
        let writes = self.pair(d, Type::U32)?;
        let mut reads = vec![self.source(a, Type::U32)?];
        for operand in [b, c, mask] {
            reads.push(self.source(operand, Type::U32)?);
        }
        self.emit(Op::Shuffle(mode), &writes, &reads, 0);
        Ok(())
    }

    fn vote(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let (vote, ty) = match (ins.has("all"), ins.has("any"), ins.has("uni"), ins.has("ballot")) {
            (true, ..) => (Vote::All, Type::Pred),
            (_, true, ..) => (Vote::Any, Type::Pred),
            (_, _, true, _) => (Vote::Uniform, Type::Pred),
            (.., true) => (Vote::Ballot, Type::U32),
            _ => return Err(self.unsupported(ins)),
        };
        let [d, p, mask] = self.operands::<3>(ins)?;
        let target = self.target(d, ty)?;
        let (p, negate) = self.predicate(p)?;
        let mask = self.source(mask, Type::U32)?;
        self.emit(Op::Vote { vote, negate }, &[target], &[p, mask], 0);
        Ok(())
    }

    /// `mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {d}, {a}, {b}, {c}`
    fn mma(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let types: Vec<Type> = ins.parts.iter().filter_map(|part| Type::named(part)).collect();
        let k = ins.parts.iter().find_map(|part| part.strip_prefix("m16n8k")?.parse().ok());
        let (Some(k), &[sums, operands, other, addend]) = (k, &types[..]) else {
            return Err(self.unsupported(ins));
        };
        let played = match operands {
            Type::TF32 => matches!(k, 4 | 8) && sums == Type::F32,
            Type::BF16 => matches!(k, 8 | 16) && sums == Type::F32,
            Type::F16 => matches!(k, 8 | 16) && matches!(sums, Type::F32 | Type::F16),
            _ => false,
        };
        let regular = operands == other && sums == addend && ins.has("row") && ins.has("col") && ins.has("sync");
        if !played || !regular {
            return Err(self.unsupported(ins));
        }
        let shape = Shape { k, operands, half_sums: sums == Type::F16 };
        let [d, a, b, c] = self.operands::<4>(ins)?;
        let (a_count, b_count) = shape.operand_registers();
        let wanted = [shape.sum_registers(), a_count, b_count, shape.sum_registers()];
        let found = [d, a, b, c].map(|operand| self.members(operand).len());
        if wanted != found {
            return Err(self.error(format!("registers of the fragments: {wanted:?} wanted, {found:?} found")));
        }
        let writes = self.members(d).iter().map(|d| self.target(d, Type::U32)).collect::<Result<Vec<_>, _>>()?;
        let mut reads = Vec::new();
        for operand in [a, b, c] {
            reads.extend(self.sources(self.members(operand), Type::U32)?);
        }
        self.emit(Op::Mma(shape), &writes, &reads, 0);
        Ok(())
    }
}

impl Shape {
    /// 32-bit registers of a lane for the left and for the right operand.
    pub fn operand_registers(self) -> (usize, usize) {
        let per_register = if self.operands == Type::TF32 { 1 } else { 2 };
        (usize::from(self.k) * 16 / 32 / per_register, usize::from(self.k) * 8 / 32 / per_register)
    }

    /// 32-bit registers of a lane for the sums.
    pub fn sum_registers(self) -> usize {
        if self.half_sums { 2 } else { 4 }
    }
}
