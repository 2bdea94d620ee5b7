//! Where the greatest or smallest element is.

use super::fold::Extent;
use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_number;
use crate::par::{self, Shared};
use cotangent_base::{Element, View};

/// The index (i64) of the first greatest (`greatest`) or smallest element along `axis`; of the first NaN if
/// there is one. Shape: `x`'s without `axis`.
///
/// # Panics
/// If the axis is empty and the result is not, or the elements are bools.
pub fn arg_reduce(greatest: bool, x: View<Buffer>, axis: usize) -> Buffer {
    let shape = x.shape();
    let extent =
        Extent { outer: shape[..axis].iter().product(), n: shape[axis], inner: shape[axis + 1..].iter().product() };
    assert!(extent.n > 0 || extent.outer * extent.inner == 0, "[arg_reduce] axis {axis} of {shape} is empty");
    for_number!("arg_reduce", x.buffer.dtype(), T => match greatest {
        true => search::<T>(&dense(x), extent, |x, best| PartialOrd::gt(&x, &best)),
        false => search::<T>(&dense(x), extent, |x, best| PartialOrd::lt(&x, &best)),
    })
}

fn search<T: Element>(x: &[T], extent: Extent, beats: impl Fn(T, T) -> bool + Sync) -> Buffer {
    let Extent { outer, n, inner } = extent;
    // A NaN is the one value that does not equal itself.
    let wins = |x: T, best: T| beats(x, best) || (is_nan(x) && !is_nan(best));
    Buffer::build(outer * inner, |out: &mut [i64]| {
        let out = Shared::new(out);
        par::for_each(if inner == 0 { 0 } else { outer }, n * inner, |o| {
            // SAFETY: each `o` has a part of its own.
            let out = unsafe { out.part(o * inner, (o + 1) * inner) };
            let x = &x[o * n * inner..][..n * inner];
            if inner == 1 {
                out[0] = (1..n).fold(0, |best, i| if wins(x[i], x[best]) { i } else { best }) as i64;
                return;
            }
            out.fill(0);
            let mut best = x[..inner].to_vec();
            for (i, row) in x.chunks_exact(inner).enumerate().skip(1) {
                for ((at, best), &x) in out.iter_mut().zip(&mut best).zip(row) {
                    if wins(x, *best) {
                        (*at, *best) = (i as i64, x);
                    }
                }
            }
        });
    })
}

#[allow(clippy::eq_op)]
fn is_nan<T: Element>(x: T) -> bool {
    x != x
}
