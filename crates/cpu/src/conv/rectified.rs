//! Convolutions with a ReLU behind them, where that is a good part of the work: of few channels, as the first of a network.

use super::format::to_last;
use super::patches::{Patches, Transposed, padded};
use super::{Sizes, winograd};
use crate::Buffer;
use crate::dispatch::for_float;
use crate::gemm::{Product, Strided};
use crate::memory::piece;
use crate::par::{Shared, for_ranges};
use crate::simd::{Kernel, Level, SimdFloat, Vector, run_at};
use cotangent_base::{ConvGeometry, DataFormat, View};

/// So many numbers under a window are little work beside reading and writing its results.
const LIGHT: usize = 64;
/// The results, in numbers, that are worked on at a time: they stay in the second-level cache.
const AT_ONCE: usize = 1 << 16;
/// The most parts that the images are divided into; each has a dw of its own.
const PARTS: usize = 16;

/// Whether the convolution is little work for each of its results.
pub(super) fn is_light(g: &ConvGeometry) -> bool {
    Sizes::new(g).columns <= LIGHT
}

/// The images whose results stay in a cache.
pub(super) fn images_at_once(g: &ConvGeometry) -> usize {
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
    if !fits || winograd::suits_gradient(dtype, g) {
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
    let parts = g.batch.clamp(1, PARTS);
    let (each, windows, size) = (g.batch.div_ceil(parts), s.windows / g.batch.max(1), s.columns * s.filters);
    let padded = padded(&x, g.window, g.channels);
    let image = x.len() / g.batch.max(1);
    let patches = |start: usize, end: usize| match &padded {
        Some((copy, [h, w], channels)) => {
            let copy = copy.as_slice::<T>();
            let image = copy.len() / g.batch;
            Patches::over(&copy[start * image..end * image], *h, *w, *channels, 0..g.channels)
        }
        None => Patches::new(&x[start * image..end * image], g.window, s.channels, 0..s.channels),
    };
    // for each part dw and, behind it, db
    let mut sums = Buffer::uninit(T::DTYPE, parts * (size + s.filters));
    let all = Shared::new(sums.as_mut::<T>());
    for_ranges(parts, 1, |part, _| {
        // SAFETY: each part has a place of its own.
        let sums = unsafe { all.part(part * (size + s.filters), (part + 1) * (size + s.filters)) };
        sums.fill(T::default());
        let (dw, db) = sums.split_at_mut(size);
        let (first, last) = ((part * each).min(g.batch), ((part + 1) * each).min(g.batch));
        let at_once = images_at_once(g);
        let mut dz = Buffer::uninit(T::DTYPE, at_once.min(each) * windows * s.filters);
        for start in (first..last).step_by(at_once) {
            let end = last.min(start + at_once);
            let range = start * windows * s.filters..end * windows * s.filters;
            let dz = &mut dz.as_mut::<T>()[..range.len()];
            run_at(level, Gate { y: &y[range.clone()], dy: &dy[range], dz, db });
            let product = Product {
                level,
                rows: s.columns,
                cols: s.filters,
                depth: (end - start) * windows,
                a: Transposed(patches(start, end)),
                b: Strided::new(dz, 0, [s.filters, (end - start) * windows], [1, s.filters as isize]),
                bias: None,
                spread: false,
            };
            product.compute(dw, s.filters, true, usize::MAX);
        }
    });
    let sums = sums.as_slice::<T>();
    let summed = |range: std::ops::Range<usize>| {
        Buffer::build(range.len(), |out: &mut [T]| {
            out.fill(T::default());
            for part in sums.chunks((size + s.filters).max(1)) {
                out.iter_mut().zip(&part[range.clone()]).for_each(|(out, &sum)| *out = *out + sum);
            }
        })
    };
    (summed(0..size), summed(size..size + s.filters))
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
