//! A great depth in parts: each is summed apart, and their sums are added up at the end, so that a small C has work for
//! several threads. Each thread then has rows of B to itself. Where B is a weight those are about the rows that it updates
//! afterwards, and a line that another core has read takes long to write.

use super::loops::DEPTH;
use super::operands::Rows;
use super::pack::Cuts;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{self, Kernel, SimdFloat, Vector};

/// C is this small, or no depth is split.
const SMALL: usize = 1 << 16;
/// Adding up two parts of so small a C costs next to nothing.
const TINY: usize = 1 << 14;
/// The most parts.
const MOST: usize = 16;

/// The blocks of k of each part. A function of the sizes alone.
pub(super) fn parts(out: usize, depth: usize, blocks: usize) -> Cuts {
    let least = if out <= TINY { 2 } else { 1 };
    let most = if out <= SMALL { (depth / (2 * DEPTH)).clamp(least, MOST) } else { 1 };
    // a power of two, as numbers of threads are
    Cuts::of_count(blocks, 1, 1 << most.ilog2())
}

/// Adds up the parts `partial`, `[rows, cols]` each, in order, on the bias, what `out` holds at the places of its rows if they
/// are to be added to that, or 0.
pub(crate) fn add_up<T: SimdFloat>(
    partial: &[T],
    [rows, cols]: [usize; 2],
    out: &mut [T],
    places: &Rows,
    bias: Option<&[T]>,
    add: bool,
) {
    let out = Shared::new(out);
    for_ranges(rows, (GRAIN * rows / partial.len()).max(1), move |start, end| {
        for i in start..end {
            let place = places.place(i) as usize;
            // SAFETY: the row lies in C, and no other piece has it.
            let out = unsafe { out.part(place, place + cols) };
            simd::run(Row { parts: &partial[i * cols..], apart: rows * cols, bias, add, out });
        }
    });
}

/// A row of C, and what is added up for it.
struct Row<'a, T> {
    /// Each part's row begins `apart` after the one before.
    parts: &'a [T],
    apart: usize,
    bias: Option<&'a [T]>,
    add: bool,
    out: &'a mut [T],
}

impl<T: SimdFloat> Kernel<T> for Row<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let cols = self.out.len();
        for col in (0..cols).step_by(V::WIDTH) {
            // SAFETY: each row has the columns that are left.
            let next = |row: &[T]| unsafe { V::load_next(row[col..cols].as_ptr(), cols - col) };
            let mut sum = match self.bias {
                Some(bias) => next(bias),
                None if self.add => next(self.out),
                None => V::zero(),
            };
            for part in self.parts.chunks(self.apart) {
                sum = sum + next(part);
            }
            // SAFETY: as above.
            unsafe { sum.store_next(self.out[col..].as_mut_ptr(), cols - col) }
        }
    }
}
