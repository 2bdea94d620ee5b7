//! Products of four warps: `wgmma`.

use std::collections::HashMap;

use super::{Compiler, Draft};
use crate::PtxError;
use crate::ins::{Op, Reg, WgmmaShape};
use crate::parse::{Instruction, Operand};
use crate::types::Type;

/// Lists of sums in a kernel: as many as a mask has bits.
const LISTS: usize = 64;

impl<'a> Compiler<'_, 'a> {
    pub(super) fn wgmma(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        match ins.parts[..] {
            ["wgmma", "fence", "sync", "aligned"] => self.emit(Op::WgmmaFence, &[], &[], 0),
            ["wgmma", "commit_group", "sync", "aligned"] => self.emit(Op::WgmmaCommit, &[], &[], 0),
            ["wgmma", "wait_group", "sync", "aligned"] => {
                let [keep] = self.operands::<1>(ins)?;
                let keep = self.number(ins, keep)?;
                self.emit(Op::WgmmaWait, &[], &[], keep as i64);
            }
            ["wgmma", "mma_async", "sync", "aligned", shape, "f32", left, right] if left == right => {
                return self.wgmma_product(ins, shape, left);
            }
            _ => return Err(self.unsupported(ins)),
        }
        Ok(())
    }

    /// `wgmma.mma_async.sync.aligned.m64n256k8.f32.tf32.tf32 {d}, a, b, add, 1, 1`, and for halves `, 0, 0`: operands by
    /// descriptors, neither negated nor transposed.
    fn wgmma_product(&mut self, ins: &Instruction<'a>, shape: &str, operands: &str) -> Result<(), PtxError> {
        let (operands, k, plain): (_, _, &[u64]) = match operands {
            "tf32" => (Type::TF32, "8", &[1, 1]),
            "bf16" => (Type::BF16, "16", &[1, 1, 0, 0]),
            _ => return Err(self.unsupported(ins)),
        };
        let sizes = shape.strip_prefix("m64n").and_then(|rest| rest.split_once('k'));
        let n = sizes.filter(|sizes| sizes.1 == k).and_then(|sizes| sizes.0.parse::<u16>().ok());
        let n = n.filter(|n| n % 8 == 0 && (8..=256).contains(n)).ok_or_else(|| self.unsupported(ins))?;
        let [d, a, b, add, rest @ ..] = &ins.operands[..] else { return Err(self.unsupported(ins)) };
        let rest = rest.iter().map(|operand| self.number(ins, operand)).collect::<Result<Vec<_>, _>>()?;
        if rest != plain {
            return Err(self.unsupported(ins));
        }
        let members = self.members(d);
        if members.len() != usize::from(n) / 2 {
            return Err(self.error(format!("registers of the sums: {} wanted, {} found", n / 2, members.len())));
        }
        let sums = members.iter().map(|d| self.target(d, Type::U32)).collect::<Result<Vec<_>, _>>()?;
        let mut reads = vec![self.source(a, Type::U64)?, self.source(b, Type::U64)?, self.source(add, Type::Pred)?];
        reads.extend(&sums);
        let list = self.sums.iter().position(|known| *known == sums).unwrap_or(self.sums.len());
        if list == self.sums.len() {
            self.sums.push(sums.clone());
        }
        if list >= LISTS {
            return Err(self.error(format!("more than {LISTS} lists of sums")));
        }
        self.emit(Op::Wgmma(WgmmaShape { n, operands }), &sums, &reads, list as i64);
        Ok(())
    }

    fn number(&self, ins: &Instruction<'_>, operand: &Operand<'_>) -> Result<u64, PtxError> {
        match operand {
            Operand::Number(number) => Ok(number.bits(false)),
            _ => Err(self.unsupported(ins)),
        }
    }

    /// For each instruction the lists of sums that it has a register of.
    pub(super) fn touching(&self) -> Vec<u64> {
        if self.sums.is_empty() {
            return Vec::new();
        }
        let mut lists: HashMap<Reg, u64> = HashMap::new();
        for (i, list) in self.sums.iter().enumerate() {
            list.iter().for_each(|&register| *lists.entry(register).or_default() |= 1 << i);
        }
        let of = |draft: &Draft| {
            let registers = draft.writes.iter().chain(&draft.reads);
            registers.filter_map(|register| lists.get(register)).fold(0, |all, mask| all | mask)
        };
        self.code.iter().map(of).collect()
    }
}
