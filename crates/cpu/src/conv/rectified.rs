//! Convolutions with a ReLU behind them, where that is a good part of the work: of few channels, as the first of a network.

use super::format::to_last;
use super::patches::StoredImages;
use super::weights::in_parts;
use super::{Sizes, winograd};
use crate::Buffer;
use crate::dispatch::for_float;
use crate::gemm::{Product, Strided};
use crate::memory::piece;
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Kernel, Level, SimdFloat, Vector, run_at};
use cotangent_base::{ConvGeometry, DataFormat, View};
use std::ops::Range;

/// So many numbers under a window are little work beside reading and writing its results.
const LIGHT: usize = 64;
/// The numbers, of results or of patches, that are worked on at a time: they stay in the second-level cache.
pub(super) const AT_ONCE: usize = 1 << 16;
/// So many products are worth a thread.
pub(super) const PIECE: usize = 1 << 16;

/// Whether the convolution is little work for each of its results.
pub(super) fn is_light(g: &ConvGeometry) -> bool {
    Sizes::new(g).columns <= LIGHT
}

/// The rows of windows, counted through all images, whose results are worked on at a time: those of some images, or some of
/// a single image's, so that each thread has about as many.
pub(super) fn rows_at_once(g: &ConvGeometry) -> usize {
    let height = g.window.h.output;
    if g.batch > 1 {
        return images_at_once(g).min(g.batch.div_ceil(threads())) * height;
    }
    let s = Sizes::new(g);
    let pieces = (s.windows * s.columns * s.filters / PIECE).clamp(1, threads());
    height.div_ceil(pieces).max(1)
}

/// The images whose results stay in a cache.
fn images_at_once(g: &ConvGeometry) -> usize {
    (AT_ONCE / (g.window.h.output * g.window.w.output * g.filters).max(1)).max(1)
}

/// `y = max(y, 0)`.
pub(super) fn rectify<T: SimdFloat>(level: Level, y: &mut [T]) {
    let count = y.len();
    let y = Shared::new(y);
    for_ranges(count, piece(count), |start, end| {
        // SAFETY: the pieces do not overlap.
        run_at(level, Rectify(unsafe { y.part(start, end) }));
    });
}

struct Rectify<'a, T>(&'a mut [T]);

impl<T: SimdFloat> Kernel<T> for Rectify<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for at in (0..self.0.len()).step_by(V::WIDTH) {
            let rest = &mut self.0[at..];
            // SAFETY: so many numbers are there.
            unsafe { V::load_next(rest.as_ptr(), rest.len()).max(V::zero()).store_next(rest.as_mut_ptr(), rest.len()) };
        }
    }
}

/// The cotangents of w and of the bias for a convolution with a ReLU behind it, from its result `y` and the cotangent of
/// that, which counts where `y > 0`: dy is read once, for both. `None` where the products are so much work that this is
/// no gain.
///
/// # Panics
/// As [`conv2d_dw`](super::conv2d_dw).
pub fn conv2d_relu_dw(x: View<Buffer>, y: [View<Buffer>; 2], g: &ConvGeometry) -> Option<(Buffer, Buffer)> {
    let dtype = x.buffer.dtype();
    let fits = g.format == DataFormat::ChannelsLast && g.groups == 1 && is_light(g);
    if !fits || winograd::suits_dw(dtype, g) {
        return None;
    }
    Some(for_float!("conv2d_dw", dtype, T => cotangents::<T>(Level::current(), x, y, g)))
}

pub(super) fn cotangents<T: SimdFloat>(
    level: Level,
    x: View<Buffer>,
    [y, dy]: [View<Buffer>; 2],
    g: &ConvGeometry,
) -> (Buffer, Buffer) {
    assert_eq!((x.shape(), y.shape(), dy.shape()), (g.x_shape(), g.y_shape(), g.y_shape()), "[conv2d_dw] the geometry");
    let (x, y, dy) = (to_last::<T>(x, g.format), to_last::<T>(y, g.format), to_last::<T>(dy, g.format));
    let s = Sizes::new(g);
    let pass = Pass { level, g, x: StoredImages::new(&x, g), y: &y, dy: &dy };
    let size = (s.columns + 1) * s.filters;
    // for each part dw and, as one row more, db
    let sums = in_parts(g.batch, size, |images, sums| pass.sum(images, sums));
    let sums = sums.as_slice::<T>();
    let summed = |range: Range<usize>| {
        Buffer::build(range.len(), |out: &mut [T]| {
            out.fill(T::default());
            for part in sums.chunks(size.max(1)) {
                out.iter_mut().zip(&part[range.clone()]).for_each(|(out, &sum)| *out = *out + sum);
            }
        })
    };
    (summed(0..size - s.filters), summed(size - s.filters..size))
}

/// All that a pass over the images reads, channels last.
struct Pass<'a, T> {
    level: Level,
    g: &'a ConvGeometry,
    x: StoredImages<'a, T>,
    y: &'a [T],
    dy: &'a [T],
}

impl<T: SimdFloat> Pass<'_, T> {
    /// Sets `sums` to dw and, behind it, db of some images.
    fn sum(&self, images: Range<usize>, sums: &mut [T]) {
        let (s, at_once) = (Sizes::new(self.g), images_at_once(self.g));
        let windows = s.windows / self.g.batch.max(1);
        let image = windows * s.filters;
        sums.fill(T::default());
        let (dw, db) = sums.split_at_mut(s.columns * s.filters);
        let mut dz = Buffer::uninit(T::DTYPE, at_once.min(images.len()) * image);
        for start in images.clone().step_by(at_once) {
            let some = start..images.end.min(start + at_once);
            let range = some.start * image..some.end * image;
            let dz = &mut dz.as_mut::<T>()[..range.len()];
            run_at(self.level, Gate { y: &self.y[range.clone()], dy: &self.dy[range], dz, db });
            let depth = some.len() * windows;
            let product = Product {
                level: self.level,
                rows: s.columns,
                cols: s.filters,
                depth,
                a: self.x.patches(some, 0..self.g.channels),
                b: Strided::new(dz, 0, [s.filters, depth], [1, s.filters as isize]),
                bias: None,
                spread: false,
            };
            product.compute(dw, s.filters, true, usize::MAX);
        }
    }
}

/// `dz = dy` where y is greater than 0, else 0; `db += Σ dz`, rows of as many numbers as db has.
struct Gate<'a, T> {
    y: &'a [T],
    dy: &'a [T],
    dz: &'a mut [T],
    db: &'a mut [T],
}

/// The vectors of a row that are summed side by side.
const ACROSS: usize = 2;

impl<T: SimdFloat> Kernel<T> for Gate<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Gate { y, dy, dz, db } = self;
        let (count, filters) = (dz.len(), db.len());
        assert!(y.len() == count && dy.len() == count && count.is_multiple_of(filters.max(1)));
        for first in (0..filters).step_by(ACROSS * V::WIDTH) {
            let mut sums = [V::zero(); ACROSS];
            for row in (first..count).step_by(filters) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let rest = filters.saturating_sub(first + v * V::WIDTH);
                    if rest > 0 {
                        let at = row + v * V::WIDTH;
                        // SAFETY: the row has `rest` numbers from there on.
                        unsafe {
                            let [y, dy] = [y, dy].map(|x| V::load_next(x.as_ptr().add(at), rest));
                            let open = V::select(y.gt(V::zero()), dy, V::zero());
                            open.store_next(dz.as_mut_ptr().add(at), rest);
                            *sum = *sum + open;
                        }
                    }
                }
            }
            for (v, sum) in sums.into_iter().enumerate() {
                let rest = &mut db[(first + v * V::WIDTH).min(filters)..];
                if !rest.is_empty() {
                    // SAFETY: so many numbers are there.
                    unsafe {
                        (V::load_next(rest.as_ptr(), rest.len()) + sum).store_next(rest.as_mut_ptr(), rest.len())
                    };
                }
            }
        }
    }
}
