//! A matrix times a vector, by dot products along the matrix's rows.

use super::pack::Strided;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{Kernel, Level, SimdFloat, Vector, run_at};

/// The rows that are computed side by side, so that their sums do not wait for each other.
const ROWS: usize = 4;

/// `y[i] = Σ_k a[i, k]·x[k] + bias`, for an a whose rows are without gaps. A bias of one number serves all rows.
pub(super) fn rows<T: SimdFloat>(
    level: Level,
    a: Strided<T>,
    [rows, depth]: [usize; 2],
    x: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    spread: bool,
) {
    assert!(x.len() == depth && y.len() == rows && a.steps_touch());
    let y = Shared::new(y);
    let grain = if spread { (4 * GRAIN / depth).next_multiple_of(ROWS) } else { rows };
    for_ranges(rows, grain.max(ROWS), |start, end| {
        // SAFETY: each piece has its own part of y.
        let y = unsafe { y.part(start, end) };
        let bias = bias.map(|b| if b.len() == 1 { b } else { &b[start..end] });
        run_at(level, Dots { a, start, x, bias, y });
    });
}

struct Dots<'a, T> {
    a: Strided<'a, T>,
    start: usize,
    x: &'a [T],
    bias: Option<&'a [T]>,
    y: &'a mut [T],
}

impl<T: SimdFloat> Kernel<T> for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let mut i = 0;
        while i < self.y.len() {
            let count = ROWS.min(self.y.len() - i);
            // rows that are over are computed from the last one and dropped
            let rows: [*const T; ROWS] = std::array::from_fn(|r| self.a.place(self.start + i + r.min(count - 1), 0));
            // SAFETY: the rows lie in the matrix, whose depth is x's length.
            let sums = unsafe { dots::<V>(rows, self.x) };
            for (r, &sum) in sums[..count].iter().enumerate() {
                let bias = self.bias.map_or(T::default(), |b| b[if b.len() == 1 { 0 } else { i + r }]);
                self.y[i + r] = sum + bias;
            }
            i += count;
        }
    }
}

/// The dot products of some rows with x.
///
/// # Safety
/// Each row is valid for reading as many numbers as x has.
#[inline(always)]
unsafe fn dots<V: Vector>(rows: [*const V::Scalar; ROWS], x: &[V::Scalar]) -> [V::Scalar; ROWS] {
    let mut sums = [[V::zero(); 2]; ROWS];
    let whole = x.len() / (2 * V::WIDTH) * (2 * V::WIDTH);
    for k in (0..whole).step_by(2 * V::WIDTH) {
        for (half, at) in [k, k + V::WIDTH].into_iter().enumerate() {
            // SAFETY: the caller's promise.
            let y = unsafe { V::load(x.as_ptr().add(at)) };
            for (sum, row) in sums.iter_mut().zip(rows) {
                // SAFETY: the caller's promise.
                sum[half] = V::fma(unsafe { V::load(row.add(at)) }, y, sum[half]);
            }
        }
    }
    for at in (whole..x.len()).step_by(V::WIDTH) {
        let rest = x.len() - at;
        // SAFETY: the caller's promise.
        let y = unsafe { V::load_part(x.as_ptr().add(at), rest) };
        for (sum, row) in sums.iter_mut().zip(rows) {
            // SAFETY: the caller's promise.
            sum[0] = V::fma(unsafe { V::load_part(row.add(at), rest) }, y, sum[0]);
        }
    }
    sums.map(|[a, b]| (a + b).sum())
}
