//! Folds of integers: any order gives the same result, so plain loops do.

use super::fold::Extent;
use crate::Buffer;
use crate::par::{self, Shared};
use cotangent_base::{Element, Reduce};

/// `u8`, `u32` and `i64`.
pub(super) trait Integer: Element + Ord {
    const LEAST: Self;
    const GREATEST: Self;
    fn add(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! integer {
    ($($t:ty),*) => {$(
        impl Integer for $t {
            const LEAST: Self = <$t>::MIN;
            const GREATEST: Self = <$t>::MAX;
            #[inline(always)]
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self.wrapping_mul(other) }
        }
    )*};
}
integer!(u8, u32, i64);

/// The reduction of `[outer, n, inner]` over `n`; sums and products wrap.
pub(super) fn fold<T: Integer>(op: Reduce, x: &[T], extent: Extent) -> Buffer {
    match op {
        Reduce::Sum => fold_by(x, extent, T::from_i64(0), T::add),
        Reduce::Prod => fold_by(x, extent, T::from_i64(1), T::times),
        Reduce::Max => fold_by(x, extent, T::LEAST, Ord::max),
        Reduce::Min => fold_by(x, extent, T::GREATEST, Ord::min),
    }
}

fn fold_by<T: Integer>(x: &[T], extent: Extent, neutral: T, join: impl Fn(T, T) -> T + Sync) -> Buffer {
    let Extent { outer, n, inner } = extent;
    Buffer::build(outer * inner, |out: &mut [T]| {
        let out = Shared::new(out);
        par::for_each(if inner == 0 { 0 } else { outer }, n * inner, |o| {
            // SAFETY: each `o` has a part of its own.
            let out = unsafe { out.part(o * inner, (o + 1) * inner) };
            let x = &x[o * n * inner..][..n * inner];
            if inner == 1 {
                out[0] = x.iter().fold(neutral, |a, &b| join(a, b));
                return;
            }
            out.fill(neutral);
            for row in x.chunks_exact(inner) {
                out.iter_mut().zip(row).for_each(|(y, &x)| *y = join(*y, x));
            }
        });
    })
}
