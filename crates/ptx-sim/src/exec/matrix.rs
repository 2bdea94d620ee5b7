//! Matrix fragments: `ldmatrix` and `mma.sync`. How fragments lie in the registers of a warp is told in the PTX ISA,
//! "Matrix multiply-accumulate operation using mma instruction".

use super::Checked;
use super::block::Block;
use super::half::{F16, Half};
use super::lane::{File, Words};
use super::step::Presence;
use super::warp::Warp;
use crate::ins::{Ins, Round, Shape};
use crate::race::Touch;
use crate::types::{Class, Type};

type Left = [[f32; 16]; 16];
type Right = [[f32; 8]; 16];
type Sums = [[f32; 8]; 16];

impl Block<'_> {
    /// Matrices of 8×8 halves, each row's address in a lane.
    pub fn load_matrix(
        &mut self,
        warp: &mut Warp,
        ins: &Ins,
        active: u32,
        matrices: usize,
        transposed: bool,
        base: Class,
    ) -> Checked {
        if let Presence::Wait = self.whole_warp(warp, ins, active)? {
            return Ok(());
        }
        let addresses = self.addresses(warp, ins.regs[matrices], base, ins.imm);
        self.count_passes(&addresses[..8 * matrices], 16);
        for matrix in 0..matrices {
            let mut rows = [[0u32; 8]; 8];
            for (row, values) in rows.iter_mut().enumerate() {
                let lane = 8 * matrix + row;
                let at = self.in_shared(warp.id, ins, lane, addresses[lane], 16)?;
                self.touch(warp.id, ins, lane, at, 16, Touch::Read)?;
                for (column, value) in values.iter_mut().enumerate() {
                    *value = self.shared.load(at + 2 * column, 2) as u32;
                }
            }
            let result: Words = std::array::from_fn(|lane| {
                let (row, column) = (lane / 4, 2 * (lane % 4));
                let at = |column: usize| if transposed { rows[column][row] } else { rows[row][column] };
                at(column) | at(column + 1) << 16
            });
            warp.put(ins.regs[matrix], result, active);
        }
        Ok(())
    }

    /// `D = A·B + C`: 16×K times K×8.
    #[inline(never)]
    pub fn mma(&mut self, warp: &mut Warp, ins: &Ins, active: u32, shape: Shape) -> Checked {
        if let Presence::Wait = self.whole_warp(warp, ins, active)? {
            return Ok(());
        }
        let k = usize::from(shape.k);
        let (left_count, right_count) = shape.operand_registers();
        let sum_count = shape.sum_registers();
        let mut registers = ins.regs.iter().skip(sum_count).copied();
        let mut next = |count: usize| -> Vec<u16> { registers.by_ref().take(count).collect() };
        let (a, b, c) = (next(left_count), next(right_count), next(sum_count));
        let (mut left, mut right, mut sums): (Left, Right, Sums) = ([[0.0; 16]; 16], [[0.0; 8]; 16], [[0.0; 8]; 16]);
        for (i, &register) in a.iter().enumerate() {
            let values: &Words = warp.read(register);
            for (lane, &bits) in values.iter().enumerate() {
                let (row, place) = (lane / 4 + 8 * (i % 2), lane % 4 + 4 * (i / 2));
                if shape.operands == Type::TF32 {
                    left[row][place] = tf32(bits);
                } else {
                    let column = 2 * (lane % 4) + 8 * (i / 2);
                    [left[row][column], left[row][column + 1]] = pair(shape, bits);
                }
            }
        }
        for (i, &register) in b.iter().enumerate() {
            let values: &Words = warp.read(register);
            for (lane, &bits) in values.iter().enumerate() {
                let column = lane / 4;
                if shape.operands == Type::TF32 {
                    right[lane % 4 + 4 * i][column] = tf32(bits);
                } else {
                    let row = 2 * (lane % 4) + 8 * i;
                    [right[row][column], right[row + 1][column]] = pair(shape, bits);
                }
            }
        }
        for (i, &register) in c.iter().enumerate() {
            let values: &Words = warp.read(register);
            for (lane, &bits) in values.iter().enumerate() {
                if shape.half_sums {
                    let row = lane / 4 + 8 * i;
                    [sums[row][2 * (lane % 4)], sums[row][2 * (lane % 4) + 1]] = pair(shape, bits);
                } else {
                    sums[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2] = f32::from_bits(bits);
                }
            }
        }
        multiply(&left, &right, &mut sums, k);
        self.counts.matrix_macs += 16 * 8 * k as u64;
        for i in 0..sum_count {
            let result: Words = std::array::from_fn(|lane| {
                let column = 2 * (lane % 4);
                if shape.half_sums {
                    let row = &sums[lane / 4 + 8 * i];
                    let half = |x: f32| u32::from(F16::rounded(x.into(), Round::Nearest).0);
                    half(row[column]) | half(row[column + 1]) << 16
                } else {
                    sums[lane / 4 + 8 * (i / 2)][column + i % 2].to_bits()
                }
            });
            warp.put(ins.regs[i], result, active);
        }
        Ok(())
    }
}

/// The hardware looks at the upper 19 bits only.
pub fn tf32(bits: u32) -> f32 {
    f32::from_bits(bits & 0xFFFF_E000)
}

/// Two bf16 of one register.
pub fn bf16_pair(bits: u32) -> [f32; 2] {
    [f32::from_bits(bits << 16), f32::from_bits(bits & 0xFFFF_0000)]
}

/// Two halves of one register.
fn pair(shape: Shape, bits: u32) -> [f32; 2] {
    match shape.operands {
        Type::BF16 => bf16_pair(bits),
        _ => [F16(bits as u16).double() as f32, F16((bits >> 16) as u16).double() as f32],
    }
}

fn multiply(left: &Left, right: &Right, sums: &mut Sums, k: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the processor has both features, as just asked.
        return unsafe { multiply_fused(left, right, sums, k) };
    }
    multiply_lanes(left, right, sums, k);
}

#[inline(always)]
fn multiply_lanes(left: &Left, right: &Right, sums: &mut Sums, k: usize) {
    for (row, sums) in left.iter().zip(sums) {
        for (a, right) in row.iter().zip(right).take(k) {
            for (sum, b) in sums.iter_mut().zip(right) {
                *sum = a.mul_add(*b, *sum);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn multiply_fused(left: &Left, right: &Right, sums: &mut Sums, k: usize) {
    multiply_lanes(left, right, sums, k);
}
