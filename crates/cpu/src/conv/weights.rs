//! The cotangent of a convolution's weights as a matrix product.

use super::format::to_last;
use super::patches::StoredImages;
use super::{Sizes, tail};
use crate::Buffer;
use crate::dense::dense;
use crate::gemm::{Product, Rows, Strided, add_up};
use crate::par::{Shared, for_ranges};
use crate::simd::{Level, SimdFloat};
use cotangent_base::{ConvGeometry, DataFormat, View};
use std::ops::Range;

/// The most parts that the images are divided into; each has a dw of its own.
const PARTS: usize = 16;

/// `dw = X̂ᵀ·dy`.
pub(super) fn weight_cotangent<T: SimdFloat>(
    level: Level,
    x: View<Buffer>,
    dy: View<Buffer>,
    g: &ConvGeometry,
) -> Buffer {
    assert_eq!((x.shape(), dy.shape()), (g.x_shape(), g.y_shape()), "[conv2d_dw] x and dy against the geometry");
    let (s, x) = (Sizes::new(g), to_last::<T>(x, g.format));
    // with the channels first, an image's dy is packed where it lies, unless there are more sums than numbers of it
    let by_image = g.format == DataFormat::ChannelsFirst && s.columns * g.batch <= s.windows;
    let (dy, parts) = if by_image { (dense(dy), parts(g.batch)) } else { (to_last::<T>(dy, g.format), 1) };
    let pass = Pass { level, g, x: StoredImages::new(&x, g), dy: &dy, by_image, parts };
    let size = s.columns * s.filters;
    Buffer::build(size, |dw| {
        if parts == 1 {
            return pass.sum(0..g.batch, dw);
        }
        let sums = in_parts(g.batch, size, |images, dw| pass.sum(images, dw));
        add_up(sums.as_slice::<T>(), [s.columns, s.filters], dw, &Rows::even(s.filters as isize), None, false);
    })
}

/// The parts that so many images are divided into: a function of their number alone.
fn parts(batch: usize) -> usize {
    batch.clamp(1, PARTS)
}

/// What `sum` makes of each part of the images: `size` numbers, one part's behind the other's.
pub(super) fn in_parts<T: SimdFloat>(batch: usize, size: usize, sum: impl Fn(Range<usize>, &mut [T]) + Sync) -> Buffer {
    let parts = parts(batch);
    let each = batch.div_ceil(parts);
    let mut sums = Buffer::uninit(T::DTYPE, parts * size);
    let all = Shared::new(sums.as_mut::<T>());
    for_ranges(parts, 1, |part, _| {
        // SAFETY: each part has a place of its own.
        let sums = unsafe { all.part(part * size, (part + 1) * size) };
        sum((part * each).min(batch)..((part + 1) * each).min(batch), sums);
    });
    sums
}

/// What a pass over the images reads.
struct Pass<'a, T> {
    level: Level,
    g: &'a ConvGeometry,
    x: StoredImages<'a, T>,
    /// In the geometry's format if it is taken image by image, else channels last.
    dy: &'a [T],
    by_image: bool,
    parts: usize,
}

impl<T: SimdFloat> Pass<'_, T> {
    /// Sets `dw` to the sum over some images.
    fn sum(&self, images: Range<usize>, dw: &mut [T]) {
        if !self.by_image {
            return self.add(images, false, dw);
        }
        if images.is_empty() {
            dw.fill(T::default());
        }
        images.clone().for_each(|n| self.add(n..n + 1, n > images.start, dw));
    }

    /// Sets `dw` to the sum over some images, or adds it to what is there.
    fn add(&self, images: Range<usize>, add: bool, dw: &mut [T]) {
        let (g, s) = (self.g, Sizes::new(self.g));
        let windows = g.window.h.output * g.window.w.output;
        let depth = images.len() * windows;
        for group in 0..g.groups {
            let filters = s.filters_of(group);
            let (at, strides) = match self.by_image {
                true => ((images.start * s.filters + filters.start) * windows, [windows as isize, 1]),
                false => (filters.start, [1, s.filters as isize]),
            };
            let product = Product {
                level: self.level,
                rows: s.columns,
                cols: s.group_filters,
                depth,
                a: self.x.patches(images.clone(), s.channels_of(group)),
                b: Strided::new(self.dy, at, [s.group_filters, depth], strides),
                bias: None,
                spread: self.parts == 1,
            };
            product.compute(tail(dw, filters.start), s.filters, add, self.parts * s.columns * s.group_filters);
        }
    }
}
