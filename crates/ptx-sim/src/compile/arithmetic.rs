//! Integers and bits.

use super::Compiler;
use crate::PtxError;
use crate::ins::{CarryOp, IntOp, LogicOp, Op, Reg};
use crate::parse::{Instruction, Operand};
use crate::types::Type;

/// Modifiers of integer arithmetic that this file reads.
const KNOWN: [&str; 10] = ["lo", "hi", "wide", "cc", "shiftamt", "l", "r", "wrap", "clamp", "uni"];

impl<'a> Compiler<'_, 'a> {
    /// The last type among an opcode's modifiers.
    pub(super) fn ty(&self, ins: &Instruction<'_>) -> Result<Type, PtxError> {
        let found = ins.parts[1..].iter().rev().find_map(|part| Type::named(part));
        found.ok_or_else(|| self.error(format!("`{}` has no type", ins.parts.join("."))))
    }

    /// The operands, of which there must be `N`.
    pub(super) fn operands<'o, const N: usize>(
        &self,
        ins: &'o Instruction<'a>,
    ) -> Result<&'o [Operand<'a>; N], PtxError> {
        let found = ins.operands.len();
        let wrong = || self.error(format!("`{}` takes {N} operands, {found} found", ins.parts.join(".")));
        ins.operands.as_slice().try_into().map_err(|_| wrong())
    }

    pub(super) fn arithmetic(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let ty = self.ty(ins)?;
        let name = ins.parts[0];
        if ty == Type::Pred {
            return self.logic(ins);
        }
        if ty.is_float() {
            return self.float(ins, ty);
        }
        self.only(ins, &KNOWN)?;
        if ins.has("cc") || matches!(name, "addc" | "subc" | "madc") {
            return self.carry(ins, ty);
        }
        if ins.has("wide") {
            return self.wide(ins, ty);
        }
        match name {
            "lop3" => {
                let [d, a, b, c, Operand::Number(table)] = self.operands::<5>(ins)? else {
                    return Err(self.error("the table of `lop3` is no number"));
                };
                let op = IntOp::Lop3(table.bits(false) as u8);
                self.int(op, ty, d, &[(a, ty), (b, ty), (c, ty)])
            }
            "dp4a" => {
                let signed: Vec<bool> = ins.parts[1..].iter().map(|part| part.starts_with('s')).collect();
                let (&[x, y], [d, a, b, c]) = (&signed[..], self.operands::<4>(ins)?) else {
                    return Err(self.unsupported(ins));
                };
                self.int(IntOp::Dp4a(x, y), Type::U32, d, &[(a, Type::U32), (b, Type::U32), (c, Type::U32)])
            }
            _ => self.plain(ins, ty),
        }
    }

    /// Operations whose operands follow from their name alone.
    fn plain(&mut self, ins: &Instruction<'a>, ty: Type) -> Result<(), PtxError> {
        use IntOp::*;
        let high = ins.has("hi");
        let (op, sources): (IntOp, &[Type]) = match ins.parts[0] {
            "not" => (Not, &[ty]),
            "cnot" => (Cnot, &[ty]),
            "neg" => (Neg, &[ty]),
            "abs" => (Abs, &[ty]),
            "brev" => (Brev, &[ty]),
            "popc" => (Popc, &[ty]),
            "clz" => (Clz, &[ty]),
            "bfind" => (Bfind(ins.has("shiftamt")), &[ty]),
            "add" => (Add, &[ty, ty]),
            "sub" => (Sub, &[ty, ty]),
            "mul" if high => (MulHi, &[ty, ty]),
            "mul" => (Mul, &[ty, ty]),
            "div" => (Div, &[ty, ty]),
            "rem" => (Rem, &[ty, ty]),
            "min" => (Min, &[ty, ty]),
            "max" => (Max, &[ty, ty]),
            "and" => (And, &[ty, ty]),
            "or" => (Or, &[ty, ty]),
            "xor" => (Xor, &[ty, ty]),
            "shl" => (Shl, &[ty, Type::U32]),
            "shr" => (Shr, &[ty, Type::U32]),
            "mad" if high => (MadHi, &[ty, ty, ty]),
            "mad" => (Mad, &[ty, ty, ty]),
            "sad" => (Sad, &[ty, ty, ty]),
            "prmt" => (Prmt, &[ty, ty, ty]),
            "shf" if ins.has("l") => (ShfLeft(ins.has("clamp")), &[ty, ty, ty]),
            "shf" => (ShfRight(ins.has("clamp")), &[ty, ty, ty]),
            "bfe" => (Bfe, &[ty, Type::U32, Type::U32]),
            "bfi" => (Bfi, &[ty, ty, Type::U32, Type::U32]),
            _ => return Err(self.unsupported(ins)),
        };
        if ins.operands.len() != sources.len() + 1 {
            return Err(self.error(format!("{} operands of `{}`", ins.operands.len(), ins.parts.join("."))));
        }
        let sources: Vec<_> = ins.operands[1..].iter().zip(sources.iter().copied()).collect();
        self.int(op, ty, &ins.operands[0], &sources)
    }

    fn int(
        &mut self,
        op: IntOp,
        ty: Type,
        target: &Operand<'a>,
        sources: &[(&Operand<'a>, Type)],
    ) -> Result<(), PtxError> {
        let counts = matches!(op, IntOp::Popc | IntOp::Clz | IntOp::Bfind(_));
        let target = self.target(target, if counts { Type::U32 } else { ty })?;
        let reads = sources.iter().map(|(operand, ty)| self.source(operand, *ty)).collect::<Result<Vec<Reg>, _>>()?;
        self.emit(Op::Int(op, ty), &[target], &reads, 0);
        Ok(())
    }

    /// `mul.wide` and `mad.wide`.
    fn wide(&mut self, ins: &Instruction<'a>, ty: Type) -> Result<(), PtxError> {
        let target = self.target(&ins.operands[0], ty.widened())?;
        let mut reads = self.sources(&ins.operands[1..3], ty)?;
        if ins.parts[0] == "mul" {
            self.emit(Op::MulWide(ty), &[target], &reads, 0);
        } else {
            let [_, _, _, addend] = self.operands::<4>(ins)?;
            reads.push(self.source(addend, ty.widened())?);
            self.emit(Op::MadWide(ty), &[target], &reads, 0);
        }
        Ok(())
    }

    fn carry(&mut self, ins: &Instruction<'a>, ty: Type) -> Result<(), PtxError> {
        let (op, takes) = match (ins.parts[0], ins.has("hi")) {
            ("add", _) => (CarryOp::Add, false),
            ("addc", _) => (CarryOp::Add, true),
            ("sub", _) => (CarryOp::Sub, false),
            ("subc", _) => (CarryOp::Sub, true),
            ("mad", high) => (if high { CarryOp::MadHi } else { CarryOp::MadLo }, false),
            ("madc", high) => (if high { CarryOp::MadHi } else { CarryOp::MadLo }, true),
            _ => return Err(self.unsupported(ins)),
        };
        let target = self.target(&ins.operands[0], ty)?;
        let reads = self.sources(&ins.operands[1..], ty)?;
        self.emit(Op::Carry { op, ty, takes, leaves: ins.has("cc") }, &[target], &reads, 0);
        Ok(())
    }

    /// `and.pred`, `not.pred` and the like.
    fn logic(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let op = match ins.parts[0] {
            "not" => LogicOp::Not,
            "and" => LogicOp::And,
            "or" => LogicOp::Or,
            "xor" => LogicOp::Xor,
            _ => return Err(self.unsupported(ins)),
        };
        let target = self.target(&ins.operands[0], Type::Pred)?;
        let reads = self.sources(&ins.operands[1..], Type::Pred)?;
        self.emit(Op::Logic(op), &[target], &reads, 0);
        Ok(())
    }
}
