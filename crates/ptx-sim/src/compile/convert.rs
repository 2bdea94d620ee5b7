//! Comparisons, moves and conversions.

use super::Compiler;
use super::float::round;
use crate::PtxError;
use crate::ins::{Cmp, Convert, FloatKind, IntOp, LogicOp, Op, Reg, Relation};
use crate::parse::{Instruction, Operand};
use crate::types::{Class, Type};

impl<'a> Compiler<'_, 'a> {
    pub(super) fn compare(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        match ins.parts[0] {
            "selp" => {
                let [d, a, b, p] = self.operands::<4>(ins)?;
                let ty = self.ty(ins)?;
                let reads = [self.source(a, ty)?, self.source(b, ty)?, self.source(p, Type::Pred)?];
                let target = self.target(d, ty)?;
                self.emit(Op::Select(ty.class()), &[target], &reads, 0);
                Ok(())
            }
            "testp" => self.testp(ins),
            _ => self.setp(ins),
        }
    }

    /// `setp` and `set`: a comparison, combined with a predicate if there is a fourth operand.
    fn setp(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let ty = self.ty(ins)?;
        let name = ins.parts.get(1).copied().unwrap_or("");
        let cmp = comparison(name).ok_or_else(|| self.unsupported(ins))?;
        self.only(ins, &[name, "and", "or", "xor", "ftz"])?;
        let combine = match (ins.has("and"), ins.has("or"), ins.has("xor")) {
            (true, ..) => Some(LogicOp::And),
            (_, true, _) => Some(LogicOp::Or),
            (.., true) => Some(LogicOp::Xor),
            _ => None,
        };
        if ins.operands.len() != 3 + usize::from(combine.is_some()) {
            return Err(self.error(format!("{} operands of `{}`", ins.operands.len(), ins.parts.join("."))));
        }
        let mut reads = self.sources(&ins.operands[1..3], ty)?;
        let (with, negate) = match ins.operands.get(3) {
            Some(operand) => self.predicate(operand)?,
            None => (self.constant(Class::Predicate, 1), false),
        };
        reads.push(with);
        let ftz = ins.has("ftz");
        if ins.parts[0] == "set" {
            let to = ins.parts.iter().find_map(|part| Type::named(part)).unwrap_or(ty);
            let target = self.target(&ins.operands[0], to)?;
            self.emit(Op::Set { cmp, ty, to, combine, negate, ftz }, &[target], &reads, 0);
        } else {
            let writes = self.pair(&ins.operands[0], Type::Pred)?;
            self.emit(Op::Setp { cmp, ty, combine, negate, ftz }, &writes, &reads, 0);
        }
        Ok(())
    }

    /// `d|p` as the register of `ty` and the predicate; `p` is thrown away where it is not named.
    pub(super) fn pair(&mut self, operand: &Operand<'a>, ty: Type) -> Result<[Reg; 2], PtxError> {
        match operand {
            Operand::Pair(d, p) => {
                Ok([self.target(&Operand::Name(d), ty)?, self.target(&Operand::Name(p), Type::Pred)?])
            }
            _ => Ok([self.target(operand, ty)?, self.fresh(Class::Predicate)]),
        }
    }

    fn testp(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let kind = match ins.parts.get(1).copied() {
            Some("finite") => FloatKind::Finite,
            Some("infinite") => FloatKind::Infinite,
            Some("number") => FloatKind::Number,
            Some("notanumber") => FloatKind::NotANumber,
            Some("normal") => FloatKind::Normal,
            Some("subnormal") => FloatKind::Subnormal,
            _ => return Err(self.unsupported(ins)),
        };
        let ([p, a], ty) = (self.operands::<2>(ins)?, self.ty(ins)?);
        let (target, source) = (self.target(p, Type::Pred)?, self.source(a, ty)?);
        self.emit(Op::Testp(kind, ty), &[target], &[source], 0);
        Ok(())
    }

    pub(super) fn mov(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.only(ins, &[])?;
        let ([d, a], ty) = (self.operands::<2>(ins)?, self.ty(ins)?);
        let class = ty.class();
        match (d, a) {
            (Operand::Vector(parts), _) => {
                let writes = parts.iter().map(|part| self.target(part, Type::U32)).collect::<Result<Vec<_>, _>>()?;
                let source = self.source(a, ty)?;
                let (bits, parts) = self.split(ty, parts.len())?;
                self.emit(Op::Unpack { class, bits, parts }, &writes, &[source], 0);
            }
            (_, Operand::Vector(parts)) => {
                let reads = self.sources(parts, Type::U32)?;
                let target = self.target(d, ty)?;
                let (bits, parts) = self.split(ty, parts.len())?;
                self.emit(Op::Pack { class, bits, parts }, &[target], &reads, 0);
            }
            (_, Operand::Name("%clock" | "%clock64" | "%clock_hi" | "%globaltimer")) => {
                let target = self.target(d, ty)?;
                self.emit(Op::Clock(class), &[target], &[], 0);
            }
            _ => {
                let op = if ty == Type::Pred { Op::Logic(LogicOp::Mov) } else { Op::Int(IntOp::Mov, bits_of(class)) };
                let (target, source) = (self.target(d, ty)?, self.source(a, ty)?);
                self.emit(op, &[target], &[source], 0);
            }
        }
        Ok(())
    }

    /// Bits of each of `count` parts.
    fn split(&self, ty: Type, count: usize) -> Result<(u32, u8), PtxError> {
        let bits = 8 * ty.size();
        match count {
            2 | 4 if bits / count >= 8 => Ok(((bits / count) as u32, count as u8)),
            _ => Err(self.error(format!("{count} parts of {bits} bits are not played"))),
        }
    }

    pub(super) fn convert(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        const WHOLE: [&str; 4] = ["rni", "rzi", "rmi", "rpi"];
        self.only(ins, &["rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi", "ftz", "sat", "relu"])?;
        let types: Vec<Type> = ins.parts.iter().filter_map(|part| Type::named(part)).collect();
        let &[to, from] = &types[..] else { return Err(self.unsupported(ins)) };
        let relu = ins.has("relu");
        if ins.operands.len() == 3 {
            let nearest = ins.has("rn") && !ins.has("sat");
            if !nearest || from != Type::F32 || !matches!(to, Type::F16x2 | Type::BF16x2) {
                return Err(self.unsupported(ins));
            }
            let (target, reads) = (self.target(&ins.operands[0], to)?, self.sources(&ins.operands[1..], from)?);
            self.emit(Op::ConvertPair { to, relu }, &[target], &reads, 0);
            return Ok(());
        }
        let [d, a] = self.operands::<2>(ins)?;
        let integral = WHOLE.iter().any(|name| ins.has(name)) && to.is_float();
        let convert = Convert { to, from, round: round(ins), integral, sat: ins.has("sat"), ftz: ins.has("ftz"), relu };
        let (target, source) = (self.target(d, to)?, self.narrowed_source(a, from)?);
        self.emit(Op::Convert(convert), &[target], &[source], 0);
        Ok(())
    }
}

/// The unsigned integer of a register file.
pub fn bits_of(class: Class) -> Type {
    if class == Class::Wide { Type::U64 } else { Type::U32 }
}

fn comparison(name: &str) -> Option<Cmp> {
    use Relation::*;
    let (relation, unordered) = match name {
        "eq" => (Eq, false),
        "ne" => (Ne, false),
        "lt" | "lo" => (Lt, false),
        "le" | "ls" => (Le, false),
        "gt" | "hi" => (Gt, false),
        "ge" | "hs" => (Ge, false),
        "equ" => (Eq, true),
        "neu" => (Ne, true),
        "ltu" => (Lt, true),
        "leu" => (Le, true),
        "gtu" => (Gt, true),
        "geu" => (Ge, true),
        "num" => (Num, false),
        "nan" => (Nan, true),
        _ => return None,
    };
    Some(Cmp { relation, unordered })
}
