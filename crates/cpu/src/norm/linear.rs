//! The backward pass of batch normalisation with an affine map behind it, for an x that needs no cotangent.

use super::channels::Channels;
use super::{Scale, View};
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{self, Kernel, SimdFloat, Vector};
use crate::{Buffer, gemm, reduce};
use cotangent_base::{Axes, Element, Layout, NormStats, Reduce};

/// The cotangents `[dgamma, dbeta, dw, db]` for `x [N, C]`, `w [C, K]`, `dy [N, K]`. With `x̂ = (x − mean)·inv_std`,
/// `P = x̂ᵀ·dy` and `s = Σₙ dy`: `dgamma = Σₖ w∘P`, `dbeta = w·s`, `dw = gamma∘P + beta·sᵀ`, `db = s`.
///
/// `x̂ᵀ·(dy·wᵀ)`, whose diagonal dgamma is, is `P·wᵀ`: so `dy·wᵀ` is not needed.
pub fn normalize_linear_vjp(
    x: View<Buffer>,
    stats: NormStats<Buffer>,
    w: View<Buffer>,
    dy: View<Buffer>,
) -> [Buffer; 4] {
    let (shape, [rows, cols]) = (x.shape(), [w.shape()[0], w.shape()[1]]);
    for_float!("normalize_linear_vjp", x.buffer.dtype(), T => {
        let params = [stats.mean.as_slice(), stats.inv_std.as_slice(), &vec![T::default(); rows]];
        let unit = Channels::new(&shape, 1).map::<T, _, 1, 3>(Scale, [&dense(x)], params);
        let unit = View { buffer: &unit, layout: Layout::contiguous(shape).permute(&[1, 0]) };
        let mut dw = gemm::matmul(unit, dy, None);
        let db = reduce::reduce(Reduce::Sum, dy, Axes::NONE.with(0));
        let [mut dgamma, mut dbeta] = [(); 2].map(|()| Buffer::uninit(T::DTYPE, rows));

        let w = dense::<T>(w);
        let (w, s): (&[T], &[T]) = (&w, db.as_slice());
        let (gamma, beta): (&[T], &[T]) = (stats.gamma.as_slice(), stats.beta.as_slice());
        assert!(w.len() == rows * cols && s.len() == cols && gamma.len() == rows && beta.len() == rows);
        let out = [&mut dw, &mut dgamma, &mut dbeta].map(|out| Shared::new(out.as_mut::<T>()));
        for_ranges(rows, (GRAIN / (2 * cols).max(1)).max(1), move |start, end| {
            // SAFETY: each piece has its own rows.
            let [p, dgamma, dbeta] = unsafe {
                [out[0].part(start * cols, end * cols), out[1].part(start, end), out[2].part(start, end)]
            };
            let (w, gamma, beta) = (&w[start * cols..end * cols], &gamma[start..end], &beta[start..end]);
            simd::run(Rows { p, w, s, gamma, beta, dgamma, dbeta });
        });
        [dgamma, dbeta, dw, db]
    })
}

/// Some rows of P, which become those of dw, and of all that has as many.
struct Rows<'a, T> {
    p: &'a mut [T],
    w: &'a [T],
    s: &'a [T],
    gamma: &'a [T],
    beta: &'a [T],
    dgamma: &'a mut [T],
    dbeta: &'a mut [T],
}

impl<T: SimdFloat> Kernel<T> for Rows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let cols = self.s.len();
        for row in 0..self.gamma.len() {
            let (p, w) = (&mut self.p[row * cols..][..cols], &self.w[row * cols..][..cols]);
            let (gamma, beta) = (V::broadcast(self.gamma[row]), V::broadcast(self.beta[row]));
            let (mut dgamma, mut dbeta) = (V::zero(), V::zero());
            for col in (0..cols).step_by(V::WIDTH) {
                let left = cols - col;
                // SAFETY: `left` numbers are left of each row and of s.
                unsafe {
                    let at = p.as_mut_ptr().add(col);
                    let (x, w) = (V::load_next(at, left), V::load_next(w.as_ptr().add(col), left));
                    let s = V::load_next(self.s.as_ptr().add(col), left);
                    (dgamma, dbeta) = (V::fma(w, x, dgamma), V::fma(w, s, dbeta));
                    V::fma(gamma, x, beta * s).store_next(at, left);
                }
            }
            (self.dgamma[row], self.dbeta[row]) = (dgamma.sum(), dbeta.sum());
        }
    }
}
