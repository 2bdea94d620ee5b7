//! Loads, stores, atomics and copies.

use super::convert::bits_of;
use super::operand::Address;
use super::{Compiler, Symbol};
use crate::PtxError;
use crate::ins::{AtomicOp, Convert, Op, Reg, Round};
use crate::parse::{Instruction, Operand};
use crate::types::{Class, Space, Type};

/// Modifiers that say where and how cached, which changes nothing where memory is one.
const HINTS: [&str; 27] = [
    "param",
    "global",
    "const",
    "shared",
    "shared::cta",
    "local",
    "weak",
    "volatile",
    "relaxed",
    "acquire",
    "release",
    "acq_rel",
    "cta",
    "gpu",
    "sys",
    "ca",
    "cg",
    "cs",
    "lu",
    "cv",
    "nc",
    "wb",
    "wt",
    "v2",
    "v4",
    "L2::128B",
    "L1::no_allocate",
];

/// The operations of `atom`, `red` and `redux` by name.
const ATOMICS: [(&str, AtomicOp); 10] = [
    ("add", AtomicOp::Add),
    ("min", AtomicOp::Min),
    ("max", AtomicOp::Max),
    ("and", AtomicOp::And),
    ("or", AtomicOp::Or),
    ("xor", AtomicOp::Xor),
    ("exch", AtomicOp::Exchange),
    ("cas", AtomicOp::CompareAndSwap),
    ("inc", AtomicOp::Increment),
    ("dec", AtomicOp::Decrement),
];

/// The operation that one of the modifiers names.
pub fn atomic_op(ins: &Instruction<'_>) -> Option<AtomicOp> {
    ATOMICS.iter().find(|(name, _)| ins.has(name)).map(|(_, op)| *op)
}

impl<'a> Compiler<'_, 'a> {
    pub(super) fn memory(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        match ins.parts[0] {
            "cvta" => {
                let ([d, a], space) = (self.operands::<2>(ins)?, Space::of(&ins.parts));
                if space == Space::Param || !ins.has("u64") {
                    return Err(self.unsupported(ins));
                }
                let (target, source) = (self.target(d, Type::U64)?, self.source(a, Type::U64)?);
                self.emit(Op::Cvta { space, to: ins.has("to") }, &[target], &[source], 0);
                Ok(())
            }
            "isspacep" => {
                let [p, a] = self.operands::<2>(ins)?;
                let (target, source) = (self.target(p, Type::Pred)?, self.source(a, Type::U64)?);
                self.emit(Op::IsSpace(Space::of(&ins.parts)), &[target], &[source], 0);
                Ok(())
            }
            "ld" | "ldu" => self.load(ins),
            "st" => self.store(ins),
            "atom" | "red" => self.atomic(ins),
            "cp" => self.copy_async(ins),
            "ldmatrix" => self.load_matrix(ins),
            _ => Ok(()),
        }
    }

    /// Remembers the narrowest access to shared memory, which the race detector must tell apart.
    fn note_width(&mut self, space: Space, ty: Type) {
        if matches!(space, Space::Shared | Space::Generic) {
            self.granule = self.granule.min(ty.size());
        }
    }

    fn lanes(&self, ins: &Instruction<'_>, members: &[Operand<'_>]) -> Result<u8, PtxError> {
        let lanes = if ins.has("v4") { 4 } else { 1 + usize::from(ins.has("v2")) };
        if members.len() == lanes {
            return Ok(lanes as u8);
        }
        Err(self.error(format!("{lanes} registers expected, {} found", members.len())))
    }

    fn load(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.only(ins, &HINTS)?;
        let ([d, a], ty) = (self.operands::<2>(ins)?, self.ty(ins)?);
        let members = self.members(d).to_vec();
        let lanes = self.lanes(ins, &members)?;
        let address = self.address(a)?;
        let space = self.access_space(ins, &address);
        // A register may be wider than what is loaded into it.
        let mut writes = Vec::new();
        let mut widen = Vec::new();
        for member in &members {
            match self.wider_register(member, ty)? {
                Some(wide) => {
                    let narrow = self.fresh(Class::Word);
                    writes.push(narrow);
                    widen.push((wide, narrow));
                }
                None => writes.push(self.target(member, ty)?),
            }
        }
        match address.symbol {
            Some(Symbol::Param(place)) if space == Space::Param => {
                self.emit(Op::LoadParam { ty, lanes }, &writes, &[], place as i64 + address.offset);
            }
            _ => {
                self.note_width(space, ty);
                let op = Op::Load { space, ty, lanes, base: address.base.class };
                self.emit(op, &writes, &[address.base], address.offset);
            }
        }
        for (wide, narrow) in widen {
            let to = if ty.is_signed() { Type::S64 } else { Type::U64 };
            self.emit(Op::Convert(plain_convert(to, ty)), &[wide], &[narrow], 0);
        }
        Ok(())
    }

    fn store(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.only(ins, &HINTS)?;
        let ([a, d], ty) = (self.operands::<2>(ins)?, self.ty(ins)?);
        let members = self.members(d).to_vec();
        let lanes = self.lanes(ins, &members)?;
        let address = self.address(a)?;
        let space = self.access_space(ins, &address);
        if space == Space::Param {
            return Err(self.error("a kernel's parameters cannot be written"));
        }
        let mut reads = vec![address.base];
        for member in &members {
            reads.push(self.narrowed_source(member, ty)?);
        }
        self.note_width(space, ty);
        self.emit(Op::Store { space, ty, lanes, base: address.base.class }, &[], &reads, address.offset);
        Ok(())
    }

    /// The 64-bit register that `operand` names although `ty` is narrower.
    fn wider_register(&mut self, operand: &Operand<'a>, ty: Type) -> Result<Option<Reg>, PtxError> {
        match operand {
            Operand::Name(name) if ty.class() == Class::Word => match self.frame.register(name) {
                Some(found) if found.class == Class::Wide => self.register(name, Class::Wide).map(Some),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// The operand to be read as `ty`, of a register that may be wider.
    pub(super) fn narrowed_source(&mut self, operand: &Operand<'a>, ty: Type) -> Result<Reg, PtxError> {
        let Some(wide) = self.wider_register(operand, ty)? else { return self.source(operand, ty) };
        let narrow = self.fresh(Class::Word);
        self.emit(Op::Convert(plain_convert(Type::U32, Type::U64)), &[narrow], &[wide], 0);
        Ok(narrow)
    }

    fn access_space(&self, ins: &Instruction<'_>, address: &Address) -> Space {
        match self.space(&ins.parts, address) {
            // Inside a device function a parameter's address in a register is one of local memory.
            Space::Param if self.calls.len() > 1 && address.symbol.is_none() => Space::Local,
            space => space,
        }
    }

    fn atomic(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let op = atomic_op(ins).ok_or_else(|| self.unsupported(ins))?;
        let mut known = HINTS.to_vec();
        known.extend(ATOMICS.iter().map(|(name, _)| *name));
        self.only(ins, &known)?;
        let ty = self.ty(ins)?;
        let float_add = op == AtomicOp::Add && matches!(ty, Type::F32 | Type::F64);
        if ty.size() < 4 || (ty.is_float() && !float_add) {
            return Err(self.unsupported(ins));
        }
        let (target, rest) = match (ins.parts[0], &ins.operands[..]) {
            ("atom", [d, rest @ ..]) => (self.target(d, ty)?, rest),
            (_, rest) => (self.fresh(ty.class()), rest),
        };
        let wanted = 2 + usize::from(op == AtomicOp::CompareAndSwap);
        if rest.len() != wanted {
            return Err(self.error(format!("{} operands of `{}`", ins.operands.len(), ins.parts.join("."))));
        }
        let address = self.address(&rest[0])?;
        let mut reads = vec![address.base];
        reads.extend(self.sources(&rest[1..], ty)?);
        let space = self.access_space(ins, &address);
        self.emit(Op::Atomic { op, space, ty, base: address.base.class }, &[target], &reads, address.offset);
        Ok(())
    }

    /// `cp.async`, its groups and waits.
    fn copy_async(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        if !ins.has("async") || ins.has("bulk") || ins.has("mbarrier") {
            return Err(self.unsupported(ins));
        }
        if ins.has("commit_group") {
            self.emit(Op::CopyCommit, &[], &[], 0);
            return Ok(());
        }
        if ins.has("wait_all") || ins.has("wait_group") {
            let keep = match ins.operands.first() {
                Some(Operand::Number(number)) => number.bits(false) as i64,
                _ => 0,
            };
            self.emit(Op::CopyWait { all: ins.has("wait_all") }, &[], &[], keep);
            return Ok(());
        }
        let [to, from, Operand::Number(bytes), rest @ ..] = &ins.operands[..] else {
            return Err(self.unsupported(ins));
        };
        let bytes = bytes.bits(false) as u8;
        if !matches!((bytes, ins.has("cg")), (16, _) | (4 | 8, false)) {
            return Err(self.error(format!("`cp.async` of {bytes} bytes")));
        }
        let (to, from) = (self.address(to)?, self.address(from)?);
        if from.base.class != Class::Wide {
            return Err(self.error("the source of `cp.async` needs a 64-bit address"));
        }
        let count = match rest {
            [] => self.constant(Class::Word, bytes.into()),
            [count] => self.source(count, Type::U32)?,
            _ => return Err(self.unsupported(ins)),
        };
        let source_offset = i32::try_from(from.offset).map_err(|_| self.error("the offset is too large"))?;
        let op = Op::CopyAsync { bytes, to: to.base.class, source_offset };
        self.emit(op, &[], &[to.base, from.base, count], to.offset);
        Ok(())
    }

    fn load_matrix(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        self.only(ins, &["sync", "aligned", "m8n8", "x1", "x2", "x4", "trans", "shared", "shared::cta"])?;
        let [d, a] = self.operands::<2>(ins)?;
        let members = self.members(d);
        let writes = members.iter().map(|member| self.target(member, Type::U32)).collect::<Result<Vec<_>, _>>()?;
        let matrices = if ins.has("x4") { 4 } else { 1 + u8::from(ins.has("x2")) };
        if writes.len() != usize::from(matrices) {
            return Err(self.error(format!("{matrices} registers expected, {} found", writes.len())));
        }
        let address = self.address(a)?;
        let op = Op::LoadMatrix { matrices, transposed: ins.has("trans"), base: address.base.class };
        self.emit(op, &writes, &[address.base], address.offset);
        Ok(())
    }
}

fn plain_convert(to: Type, from: Type) -> Convert {
    let from = if from.is_float() { bits_of(from.class()) } else { from };
    Convert { to, from, round: Round::Nearest, integral: false, sat: false, ftz: false, relu: false }
}
