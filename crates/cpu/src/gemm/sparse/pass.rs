//! The inner loops: one block of B meets the lists of some rows of A.

use super::COLUMNS;
use super::lists::Lists;
use crate::simd::{Kernel, Vector};
use std::array::from_fn;
use std::ops::Range;

/// Where the sums of a step go.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    /// To the tile, for the next step to go on.
    Tile,
    /// To C.
    Zero,
    /// To C, with one number for each column.
    Bias(&'a [f32]),
    /// To C, added to what it holds.
    Out,
}

/// `C = end + A·B` for a block of B, the step `step` of the lists, and the rows `rows`.
pub(super) struct Pass<'a> {
    /// A.
    pub lists: &'a Lists,
    pub rows: Range<usize>,
    pub step: usize,
    /// A row of [`COLUMNS`] numbers for each step of k.
    pub b: &'a [f32],
    /// The sums so far, a row of [`COLUMNS`] for each row.
    pub tile: *mut f32,
    /// Whether there are none so far.
    pub fresh: bool,
    pub end: End<'a>,
    /// C, whose rows are `stride` apart, and of which there are `cols` columns.
    pub out: *mut f32,
    pub stride: usize,
    pub cols: usize,
}

impl Kernel<f32> for Pass<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        // SAFETY: whoever made the pass vouches for its sizes.
        unsafe {
            if self.cols <= V::WIDTH {
                // the last columns of a matrix
                self.rows::<V, 1>()
            } else if const { V::WIDTH == 16 } {
                self.rows::<V, { COLUMNS / 16 }>()
            } else {
                const { assert!(V::WIDTH == 8 || V::WIDTH == 16) };
                self.rows::<V, { COLUMNS / 8 }>()
            }
        }
    }
}

impl Pass<'_> {
    /// # Safety
    /// The lists name rows of `b`; the tile and C have the rows and columns.
    #[inline(always)]
    unsafe fn rows<V: Vector<Scalar = f32>, const N: usize>(&self) {
        for (i, row) in self.rows.clone().enumerate() {
            let (places, values) = self.lists.of(row, self.step);
            // SAFETY: the caller's promise.
            unsafe {
                let tile = self.tile.add(i * COLUMNS);
                let mut sums = match self.fresh {
                    true => [V::zero(); N],
                    false => from_fn(|v| V::load(tile.add(v * V::WIDTH))),
                };
                for (&place, &x) in places.iter().zip(values) {
                    let (x, b) = (V::broadcast(x), self.b.as_ptr().byte_add(place as usize));
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = V::fma(x, V::load(b.add(v * V::WIDTH)), *sum);
                    }
                }
                self.finish(sums, tile, self.out.wrapping_add(i * self.stride));
            }
        }
    }

    /// # Safety
    /// As for `rows`, for one row of the tile and of C.
    #[inline(always)]
    unsafe fn finish<V: Vector<Scalar = f32>, const N: usize>(&self, sums: [V; N], tile: *mut f32, out: *mut f32) {
        for (v, sum) in sums.into_iter().enumerate() {
            let col = v * V::WIDTH;
            let count = self.cols.saturating_sub(col);
            let out = out.wrapping_add(col);
            // SAFETY: the caller's promise; of columns that are not there nothing is touched.
            unsafe {
                match self.end {
                    End::Tile => sum.store(tile.add(col)),
                    // a −0 becomes 0, as in the tiles of the dense product
                    End::Zero => (sum + V::zero()).store_next(out, count),
                    End::Bias(bias) => {
                        (sum + V::load_next(bias.as_ptr().wrapping_add(col), count)).store_next(out, count)
                    }
                    End::Out => (sum + V::load_next(out, count)).store_next(out, count),
                }
            }
        }
    }
}
