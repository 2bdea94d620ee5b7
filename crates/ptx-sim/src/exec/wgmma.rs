//! Products of four warps: `wgmma`. Each of the four computes 16 of the 64 rows, when it gets there; what only the hardware
//! would show is reported instead: sums that are touched, and shared memory that is written, before the product was waited
//! for. How descriptors and swizzles are laid out is told in the PTX ISA, "Asynchronous warpgroup level matrix
//! multiply-accumulate instructions".

use std::collections::VecDeque;

use super::Checked;
use super::block::Block;
use super::lane::{File, Wides, Words};
use super::matrix::{bf16_pair, tf32};
use super::step::Presence;
use super::warp::Warp;
use crate::fault::FaultKind;
use crate::ins::{Ins, Op, WgmmaShape};
use crate::types::Type;

/// Warps that multiply together.
const GROUP: usize = 4;
/// Rows of one warp.
const ROWS: usize = 16;
/// Bytes that are read at once, of the 32 of each line that a product takes.
const CHUNK: usize = 16;

type Left = [[f32; 16]; ROWS];
type Right = [[f32; 256]; 16];
type Sums = [[f32; 256]; ROWS];

/// A product that may still read its operands and write its sums.
#[derive(Debug)]
struct Product {
    /// One bit: its list of sums.
    list: u64,
    line: u32,
    /// Where its chunks are.
    reads: Vec<usize>,
}

/// The products of a warp that are on their way.
#[derive(Debug)]
pub struct Products {
    open: Vec<Product>,
    groups: VecDeque<Vec<Product>>,
    /// Lists of sums that something else has touched since the last fence.
    touched: u64,
    issued: u64,
}

impl Default for Products {
    fn default() -> Self {
        Self { open: Vec::new(), groups: VecDeque::new(), touched: u64::MAX, issued: 0 }
    }
}

impl Products {
    /// Orders what registers held before products that come.
    pub fn fence(&mut self) {
        self.touched = 0;
    }

    /// Makes a group of the products since the last one.
    pub fn commit(&mut self) {
        self.groups.push_back(std::mem::take(&mut self.open));
    }

    fn all(&self) -> impl Iterator<Item = &Product> {
        self.groups.iter().flatten().chain(&self.open)
    }
}

/// How an operand lies in shared memory, with neighbours along k together.
struct Descriptor {
    start: usize,
    /// Bytes from 8 lines to the next 8.
    eight_lines: usize,
}

impl Descriptor {
    /// Reads what is played: the swizzle over 128 bytes, at addresses where its pattern begins.
    fn read(bits: u64) -> Result<Descriptor, String> {
        let (swizzle, base) = (bits >> 62, bits >> 49 & 7);
        let start = ((bits & 0x3FFF) << 4) as usize;
        match (swizzle, base, start & 0x380) {
            (1, 0, 0) => Ok(Descriptor { start, eight_lines: ((bits >> 32 & 0x3FFF) << 4) as usize }),
            (1, ..) => Err(format!("{start:#x} is not where a swizzle over 128 bytes begins")),
            _ => Err(format!("the swizzle {swizzle} of a descriptor is not played")),
        }
    }

    /// Where chunk 0 or 1 of a line is: bits 4 to 6 of an address are swapped by its bits 7 to 9.
    fn chunk(&self, line: usize, chunk: usize) -> usize {
        let at = self.start + line / 8 * self.eight_lines + line % 8 * 128 + chunk * CHUNK;
        at ^ (at >> 7 & 7) << 4
    }
}

impl Block<'_> {
    /// `D = A·B (+ D)`: the warp's 16 rows.
    #[inline(never)]
    pub fn wgmma(&mut self, warp: &mut Warp, ins: &Ins, active: u32, shape: WgmmaShape) -> Checked {
        if let Presence::Wait = self.whole_warp(warp, ins, active)? {
            return Ok(());
        }
        let list = 1 << ins.imm;
        self.may_begin(warp, ins, list)?;
        let (a, b) = (self.descriptor(warp, ins, ins.regs[0])?, self.descriptor(warp, ins, ins.regs[1])?);
        let (mut left, mut right) = ([[0.0; 16]; ROWS], [[0.0; 256]; 16]);
        let mut reads = Vec::with_capacity(2 * (ROWS + usize::from(shape.n)));
        for (row, values) in left.iter_mut().enumerate() {
            let line = warp.id as usize % GROUP * ROWS + row;
            *values = self.line(warp, ins, shape, &a, line, &mut reads)?;
        }
        for line in 0..usize::from(shape.n) {
            let values = self.line(warp, ins, shape, &b, line, &mut reads)?;
            right.iter_mut().zip(values).for_each(|(right, value)| right[line] = value);
        }
        let adds = warp.predicate(ins.regs[2], false) & 1 == 1;
        let (registers, k) = (&self.kernel.sums[ins.imm as usize], 32 / shape.operands.size());
        let mut sums: Sums = [[0.0; 256]; ROWS];
        for (i, &register) in registers.iter().enumerate().filter(|_| adds) {
            let values: &Words = warp.read(register);
            values.iter().enumerate().for_each(|(lane, bits)| {
                let (row, column) = place(i, lane);
                sums[row][column] = f32::from_bits(*bits);
            });
        }
        multiply(&left, &right, &mut sums, k, shape.n.into());
        for (i, &register) in registers.iter().enumerate() {
            let result: Words = std::array::from_fn(|lane| {
                let (row, column) = place(i, lane);
                sums[row][column].to_bits()
            });
            warp.put(register, result, active);
        }
        self.counts.matrix_macs += (ROWS * usize::from(shape.n) * k) as u64;
        warp.products.issued += 1;
        warp.products.open.push(Product { list, line: ins.line, reads });
        Ok(())
    }

    /// A fault if the sums of a product were touched since the last fence, or if they are partly those of another one
    /// on its way.
    fn may_begin(&self, warp: &Warp, ins: &Ins, list: u64) -> Checked {
        let overlapping = self.kernel.touching[warp.pc - 1] & !list;
        if let Some(other) = warp.products.all().find(|other| other.list & overlapping != 0) {
            return Err(self.unwaited(warp, ins, other));
        }
        if warp.products.touched & list == 0 {
            return Ok(());
        }
        let message = "its sums were accessed since the last wgmma.fence".to_owned();
        Err(self.fault(FaultKind::Race, ins, Some((warp.id, 0)), message))
    }

    /// An instruction that has registers of `lists`.
    pub fn touch_sums(&mut self, warp: &mut Warp, ins: &Ins, active: u32, lists: u64) -> Checked {
        if active == 0 || matches!(ins.op, Op::Wgmma(_)) {
            return Ok(());
        }
        if let Some(product) = warp.products.all().find(|product| product.list & lists != 0) {
            return Err(self.unwaited(warp, ins, product));
        }
        warp.products.touched |= lists;
        Ok(())
    }

    #[cold]
    fn unwaited(&self, warp: &Warp, ins: &Ins, product: &Product) -> Box<crate::Fault> {
        let message = format!("it accesses sums of the wgmma in line {}, which nobody has waited for", product.line);
        self.fault(FaultKind::Race, ins, Some((warp.id, 0)), message)
    }

    fn descriptor(&self, warp: &Warp, ins: &Ins, register: u16) -> Checked<Descriptor> {
        let bits: &Wides = warp.read(register);
        let fault = |kind, message| Err(self.fault(kind, ins, Some((warp.id, 0)), message));
        if bits.iter().any(|other| *other != bits[0]) {
            return fault(FaultKind::Divergence, "the lanes have different descriptors".to_owned());
        }
        Descriptor::read(bits[0]).or_else(|message| fault(FaultKind::Misaligned, message))
    }

    /// The 8 or 16 values of a line.
    fn line(
        &mut self,
        warp: &Warp,
        ins: &Ins,
        shape: WgmmaShape,
        operand: &Descriptor,
        line: usize,
        reads: &mut Vec<usize>,
    ) -> Checked<[f32; 16]> {
        let mut values = [0.0; 16];
        let per_chunk = CHUNK / shape.operands.size();
        for (chunk, values) in values.chunks_mut(per_chunk).take(2).enumerate() {
            let at = self.in_shared(warp.id, ins, 0, operand.chunk(line, chunk) as u64, CHUNK)?;
            if let Some(wrong) = self.races.begin_read(at as u64, CHUNK, warp.id) {
                self.judge(warp.id, ins, 0, (at, CHUNK), wrong)?;
            }
            reads.push(at);
            for (word, values) in self.shared.words::<4>(at).into_iter().zip(values.chunks_mut(per_chunk / 4)) {
                match (shape.operands, values) {
                    (Type::TF32, [value]) => *value = tf32(word),
                    (_, values) => values.copy_from_slice(&bf16_pair(word)),
                }
            }
        }
        Ok(values)
    }

    /// Waits until at most `keep` groups are on their way.
    pub fn wgmma_wait(&mut self, warp: &mut Warp, keep: usize) {
        while warp.products.groups.len() > keep {
            for product in warp.products.groups.pop_front().unwrap_or_default() {
                product.reads.iter().for_each(|&at| self.races.end_read(at as u64, CHUNK));
            }
        }
    }

    /// At the end of a block: the four warps of a group have to have run the same products.
    pub fn groups_agree(&self, warps: &[Warp]) -> Checked {
        let first = || self.kernel.code.iter().find(|ins| matches!(ins.op, Op::Wgmma(_))).map_or(0, |ins| ins.line);
        for group in warps.chunks(GROUP) {
            let issued = group[0].products.issued;
            if group.iter().any(|warp| warp.products.issued != issued) || (issued > 0 && group.len() < GROUP) {
                let each: Vec<u64> = group.iter().map(|warp| warp.products.issued).collect();
                let message = format!("the {GROUP} warps of a group ran {each:?} products");
                return Err(self.fault_at(FaultKind::Divergence, first(), message));
            }
        }
        Ok(())
    }
}

/// The row and the column of register `i` of the sums.
fn place(i: usize, lane: usize) -> (usize, usize) {
    (lane / 4 + 8 * (i / 2 % 2), 8 * (i / 4) + 2 * (lane % 4) + i % 2)
}

fn multiply(left: &Left, right: &Right, sums: &mut Sums, k: usize, n: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features, as just asked.
        return unsafe { multiply_fused(left, right, sums, k, n) };
    }
    multiply_lanes(left, right, sums, k, n);
}

#[inline(always)]
fn multiply_lanes(left: &Left, right: &Right, sums: &mut Sums, k: usize, n: usize) {
    for (row, sums) in left.iter().zip(sums) {
        for (a, right) in row.iter().zip(right).take(k) {
            for (sum, b) in sums[..n].iter_mut().zip(&right[..n]) {
                *sum = a.mul_add(*b, *sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_fused(left: &Left, right: &Right, sums: &mut Sums, k: usize, n: usize) {
    multiply_lanes(left, right, sums, k, n);
}
