//! What becomes of results while they are in registers.

use crate::par::Shared;
use crate::simd::Vector;

/// Takes the results in squares of 2 × 2; several threads at a time.
pub(in crate::conv) trait Finish: Sync {
    /// Takes the square at `place` (row and column) of image `n`, for `filters` filters from `k` on; those outside of the
    /// image are not wanted.
    ///
    /// # Safety
    /// The image and the filters are some of the geometry's; no other thread has this square of them.
    unsafe fn square<V: Vector<Scalar = f32>>(
        &self,
        n: usize,
        place: [usize; 2],
        k: usize,
        filters: usize,
        y: [[V; 2]; 2],
    );
}

/// The bias from filter `k` on, or 0.
///
/// # Safety
/// There are `filters` numbers from `k` on.
#[inline(always)]
unsafe fn bias<V: Vector>(bias: Option<&[V::Scalar]>, k: usize, filters: usize) -> V {
    match bias {
        None => V::zero(),
        // SAFETY: the caller's promise.
        Some(bias) => unsafe { V::load_next(bias.as_ptr().add(k), filters) },
    }
}

/// The least number that a result becomes.
pub(in crate::conv) fn least(relu: bool) -> f32 {
    if relu { 0.0 } else { f32::NEG_INFINITY }
}

/// Adds the bias and writes the results, `[n, h, w, k]`.
pub(in crate::conv) struct Plain<'a> {
    pub y: Shared<f32>,
    pub bias: Option<&'a [f32]>,
    pub least: f32,
    pub size: [usize; 2],
    pub filters: usize,
}

impl Finish for Plain<'_> {
    #[inline(always)]
    unsafe fn square<V: Vector<Scalar = f32>>(
        &self,
        n: usize,
        place: [usize; 2],
        k: usize,
        filters: usize,
        y: [[V; 2]; 2],
    ) {
        let [height, width] = self.size;
        // SAFETY: the caller's promise; results outside the image are left out.
        unsafe {
            let (bias, least) = (bias::<V>(self.bias, k, filters), V::broadcast(self.least));
            for (row, line) in y.into_iter().enumerate().map(|(i, line)| (2 * place[0] + i, line)) {
                for (column, y) in line.into_iter().enumerate().map(|(j, y)| (2 * place[1] + j, y)) {
                    if row < height && column < width {
                        let to = self.y.ptr().add(((n * height + row) * width + column) * self.filters + k);
                        (y + bias).max(least).store_next(to, filters);
                    }
                }
            }
        }
    }
}

/// Adds the bias and writes the greatest of each square, `[n, h / 2, w / 2, k]`, and which of the four it was (the first of
/// equals). Where there is a NaN, all is thrown away.
pub(in crate::conv) struct Pooled<'a> {
    pub y: Shared<f32>,
    pub taps: Shared<u32>,
    pub bias: Option<&'a [f32]>,
    pub least: f32,
    /// The size of the pooled images.
    pub size: [usize; 2],
    pub filters: usize,
}

impl Finish for Pooled<'_> {
    #[inline(always)]
    unsafe fn square<V: Vector<Scalar = f32>>(
        &self,
        n: usize,
        place: [usize; 2],
        k: usize,
        filters: usize,
        y: [[V; 2]; 2],
    ) {
        if place[0] >= self.size[0] || place[1] >= self.size[1] {
            return;
        }
        let to = ((n * self.size[0] + place[0]) * self.size[1] + place[1]) * self.filters + k;
        // SAFETY: the caller's promise; a winner is one of 0 to 3.
        unsafe {
            let bias = bias::<V>(self.bias, k, filters);
            let (mut best, mut winner) = (y[0][0] + bias, V::zero());
            for (tap, y) in [(1.0, y[0][1]), (2.0, y[1][0]), (3.0, y[1][1])] {
                let wins = (y + bias).gt(best);
                best = V::select(wins, y + bias, best);
                winner = V::select(wins, V::splat(tap), winner);
            }
            best.max(V::broadcast(self.least)).store_next(self.y.ptr().add(to), filters);
            let winners = winner.to_array();
            let taps = self.taps.part(to, to + filters);
            for (tap, &winner) in taps.iter_mut().zip(&winners) {
                *tap = winner.to_int_unchecked();
            }
        }
    }
}
