//! The numbers of a sparse matrix that are not 0, and their places.

use super::{COLUMNS, Product, Step};
use crate::Buffer;
use crate::gemm::pack::Strided;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{SPARE, nonzeros};
use cotangent_base::DType;
use std::ops::Range;
use std::slice::from_raw_parts;

/// The rows that are listed one behind the other.
const GROUP: usize = 16;

/// What to list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// What is not 0.
    Nonzeros,
    /// Everything.
    All,
}

/// For each row and step of the depth, numbers and the places in a block of B of the rows that they meet.
pub(super) struct Lists {
    /// In bytes from the start of the block.
    places: Buffer,
    values: Buffer,
    /// For each row where its steps begin, and where the last one ends.
    bounds: Vec<usize>,
    steps: usize,
}

impl Lists {
    /// Lists some rows of the product's A.
    pub fn new(product: &Product<f32, Strided<f32>>, rows: Range<usize>, steps: &[Step], keep: Keep) -> Self {
        let all = steps[0].depth.start..steps[steps.len() - 1].depth.end;
        let (groups, bounds) = (rows.len().div_ceil(GROUP), steps.len() + 1);
        let room = GROUP * all.len() + SPARE;
        let mut out = Self {
            places: Buffer::uninit(DType::U32, groups * room),
            values: Buffer::uninit(DType::F32, groups * room),
            bounds: vec![0; rows.len() * bounds],
            steps: steps.len(),
        };
        let (places, values) = (Shared::new(out.places.as_mut::<u32>()), Shared::new(out.values.as_mut::<f32>()));
        let to = Shared::new(&mut out.bounds);
        let grain = if product.spread { GRAIN / (GROUP * all.len()) } else { groups };
        for_ranges(groups, grain, |first, end| {
            let mut copy = Vec::new();
            for group in first..end {
                let part = group * GROUP..rows.len().min((group + 1) * GROUP);
                let lanes = rows.start + part.start..rows.start + part.end;
                if !product.a.steps_touch() {
                    copy.resize(GROUP * all.len(), 0.0);
                    product.a.copy_rows(product.level, &lanes, &all, &mut copy);
                }
                let mut at = group * room;
                // SAFETY: each group has a place of its own.
                let bounds = unsafe { to.part(part.start * bounds, part.end * bounds) }.chunks_mut(bounds);
                for (i, bounds) in bounds.enumerate() {
                    let row = match product.a.steps_touch() {
                        // SAFETY: the row lies in the matrix.
                        true => unsafe { from_raw_parts(product.a.place(lanes.start + i, all.start), all.len()) },
                        false => &copy[i * all.len()..][..all.len()],
                    };
                    bounds[0] = at;
                    for (bound, step) in bounds[1..].iter_mut().zip(steps) {
                        let numbers = &row[step.depth.start - all.start..step.depth.end - all.start];
                        // SAFETY: the group has room for all its numbers and some to spare.
                        at += unsafe {
                            let (places, values) = (places.ptr().add(at), values.ptr().add(at));
                            match keep {
                                Keep::Nonzeros => nonzeros(product.level, numbers, UNIT, places, values),
                                Keep::All => everything(numbers, places, values),
                            }
                        };
                        *bound = at;
                    }
                }
            }
        });
        out
    }

    /// The places and numbers of a row for a step.
    #[inline(always)]
    pub fn of(&self, row: usize, step: usize) -> (&[u32], &[f32]) {
        let at = row * (self.steps + 1) + step;
        let range = self.bounds[at]..self.bounds[at + 1];
        (&self.places.as_slice()[range.clone()], &self.values.as_slice()[range])
    }
}

/// The bytes from one row of a block of B to the next.
const UNIT: u32 = (COLUMNS * size_of::<f32>()) as u32;

/// # Safety
/// Both targets have room for the numbers.
unsafe fn everything(numbers: &[f32], places: *mut u32, values: *mut f32) -> usize {
    for (i, &x) in numbers.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            *places.add(i) = i as u32 * UNIT;
            *values.add(i) = x;
        }
    }
    numbers.len()
}
