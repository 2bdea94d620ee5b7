//! Floats of every width.

use super::Compiler;
use crate::PtxError;
use crate::ins::{FloatOp, Mode, Op, Round};
use crate::parse::Instruction;
use crate::types::Type;

/// Modifiers of float arithmetic. The approximate operations are computed as exactly as the type allows.
const KNOWN: [&str; 10] = ["rn", "rz", "rm", "rp", "ftz", "sat", "approx", "full", "NaN", "noftz"];

impl<'a> Compiler<'_, 'a> {
    pub(super) fn float(&mut self, ins: &Instruction<'a>, ty: Type) -> Result<(), PtxError> {
        use FloatOp::*;
        self.only(ins, &KNOWN)?;
        let (op, count) = match ins.parts[0] {
            "add" => (Add, 2),
            "sub" => (Sub, 2),
            "mul" => (Mul, 2),
            "div" => (Div, 2),
            "fma" | "mad" => (Fma, 3),
            "min" => (if ins.has("NaN") { MinNan } else { Min }, 2),
            "max" => (if ins.has("NaN") { MaxNan } else { Max }, 2),
            "copysign" => (CopySign, 2),
            "neg" => (Neg, 1),
            "abs" => (Abs, 1),
            "sqrt" => (Sqrt, 1),
            "rsqrt" => (Rsqrt, 1),
            "rcp" => (Rcp, 1),
            "ex2" => (Ex2, 1),
            "lg2" => (Lg2, 1),
            "sin" => (Sin, 1),
            "cos" => (Cos, 1),
            "tanh" => (Tanh, 1),
            _ => return Err(self.unsupported(ins)),
        };
        let mode = Mode { round: round(ins), ftz: ins.has("ftz"), sat: ins.has("sat") };
        let directed = mode.round != Round::Nearest;
        if directed && !(ty == Type::F32 && matches!(op, Add | Sub | Mul | Fma)) {
            return Err(self.unsupported(ins));
        }
        if ins.operands.len() != count + 1 {
            return Err(self.error(format!("{} operands of `{}`", ins.operands.len(), ins.parts.join("."))));
        }
        let target = self.target(&ins.operands[0], ty)?;
        let reads = self.sources(&ins.operands[1..], ty)?;
        let hot = op == Fma && ty == Type::F32 && !directed && !mode.ftz && !mode.sat;
        self.emit(if hot { Op::Fma32 } else { Op::Float(op, ty, mode) }, &[target], &reads, 0);
        Ok(())
    }
}

/// The rounding that the modifiers ask for, of a float (`.rz`) or to a whole number (`.rzi`).
pub fn round(ins: &Instruction<'_>) -> Round {
    let any = |names: [&str; 2]| names.iter().any(|name| ins.has(name));
    if any(["rz", "rzi"]) {
        Round::Zero
    } else if any(["rm", "rmi"]) {
        Round::Down
    } else if any(["rp", "rpi"]) {
        Round::Up
    } else if ins.has("rna") {
        Round::Away
    } else {
        Round::Nearest
    }
}
