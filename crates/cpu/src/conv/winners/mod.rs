//! The cotangents of a convolution whose result went through max pooling.
//!
//! Of all windows of the convolution that a pooling window sees, one wins, and the pooling's cotangent `dy` reaches
//! that one alone; where a ReLU or a dropout behind the pooling was silent, dy is 0. So the convolution's cotangent is
//! a short list for each filter, of places and values ([`Hits`]), and both products run over the lists:
//! `dw[k] += value · patch(place)` and `dx.patch(place) += value · w[k]`.
//!
//! A zero in dy is a path that was not taken: it gives nothing, even where x or w is infinite.

mod frame;
mod hits;
mod product;
#[cfg(test)]
mod tests;

use super::Sizes;
use super::format::{from_last, to_last};
use super::input::transposed;
use crate::Buffer;
use crate::dense::{Dense, dense};
use crate::dispatch::for_float;
use crate::par::{GRAIN, Shared, for_ranges};
use crate::simd::{Level, SimdFloat, Upcoming, run_at};
use cotangent_base::{ConvGeometry, PoolGeometry, View};
use frame::Frame;
use hits::Hits;
use product::{Patches, Product};

/// The most parts that the images are divided into; each has a dw of its own.
const PARTS: usize = 16;
/// The most memory for the parts' dw, in numbers.
const PARTS_SIZE: usize = 1 << 24;

/// The cotangents of x, w and the bias, where `need`ed, of `max_pool2d(conv2d(x, w, bias))`, from the cotangent `dy` of
/// its result and the winning `taps` (u32). With a ReLU behind, from its result `y` and the cotangent of that.
///
/// # Panics
/// If the shapes are not the geometries', or the dtypes are not all f32 or all f64.
pub fn conv2d_max_pool2d_vjp(
    [x, w]: [View<Buffer>; 2],
    [dy, taps]: [View<Buffer>; 2],
    y: Option<View<Buffer>>,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    need: [bool; 3],
) -> [Option<Buffer>; 3] {
    for_float!("conv2d_max_pool2d", x.buffer.dtype(), T => {
        cotangents::<T>(Level::current(), [x, w], [dy, taps], y, conv, pool, need)
    })
}

fn cotangents<T: SimdFloat>(
    level: Level,
    [x, w]: [View<Buffer>; 2],
    [dy, taps]: [View<Buffer>; 2],
    y: Option<View<Buffer>>,
    conv: &ConvGeometry,
    pool: &PoolGeometry,
    need: [bool; 3],
) -> [Option<Buffer>; 3] {
    assert_eq!((x.shape(), w.shape()), (conv.x_shape(), conv.w_shape()), "[conv2d_max_pool2d] x and w");
    assert_eq!((dy.shape(), taps.shape()), (pool.y_shape(), pool.y_shape()), "[conv2d_max_pool2d] dy and taps");
    let s = Sizes::new(conv);
    let pass = Pass {
        level,
        x: to_last::<T>(x, conv.format),
        w: transposed(&dense::<T>(w), &s, 0..s.filters),
        dy: to_last::<T>(dy, pool.format),
        taps: to_last::<u32>(taps, pool.format),
        y: y.map(|y| to_last::<T>(y, pool.format)),
        frame: Frame::new(conv),
        conv,
        pool,
    };
    let parts = conv.batch.min(PARTS).min((PARTS_SIZE / (s.columns * s.filters).max(1)).max(2)).max(1);
    let mut dx = need[0].then(|| Buffer::uninit(T::DTYPE, conv.x_shape().count()));
    let mut sums = need[1].then(|| Buffer::uninit(T::DTYPE, parts * s.columns * s.filters));
    let mut db = Buffer::build(parts * s.filters, |db: &mut [T]| db.fill(T::default()));
    pass.run(parts, dx.as_mut().map(Buffer::as_mut::<T>), sums.as_mut().map(Buffer::as_mut::<T>), db.as_mut());
    let dx = dx.map(|dx| from_last(dx, conv.format, conv.format.nhwc(&conv.x_shape())));
    let dw = sums.map(|sums| summed::<T>(sums.as_slice(), [s.columns, s.filters]));
    [dx, dw, need[2].then(|| summed::<T>(db.as_slice(), [1, s.filters]))]
}

/// All that a pass over the images reads; images channels last, `w[k]` as rows.
struct Pass<'a, T: SimdFloat> {
    level: Level,
    x: Dense<'a, T>,
    w: Vec<T>,
    dy: Dense<'a, T>,
    taps: Dense<'a, u32>,
    y: Option<Dense<'a, T>>,
    frame: Frame,
    conv: &'a ConvGeometry,
    pool: &'a PoolGeometry,
}

impl<T: SimdFloat> Pass<'_, T> {
    /// Fills dx, `sums [part, k, tap, c]`, each part's share of dw, and adds to `db [part, k]`, that of the bias.
    fn run(&self, parts: usize, dx: Option<&mut [T]>, sums: Option<&mut [T]>, db: &mut [T]) {
        let (dx, sums, db) = (dx.map(Shared::new), sums.map(Shared::new), Shared::new(db));
        let filters = self.conv.filters;
        let (each, size) = (self.conv.batch.div_ceil(parts), self.w.len());
        let image = self.frame.image();
        for_ranges(parts, 1, |start, end| {
            let mut hits = Hits::new(self.level, self.conv, self.pool, &self.frame);
            for part in start..end {
                // SAFETY: each part has a place of its own.
                let (mut sums, db) = unsafe {
                    (
                        sums.map(|s| s.part(part * size, (part + 1) * size)),
                        db.part(part * filters, (part + 1) * filters),
                    )
                };
                if let Some(sums) = sums.as_deref_mut() {
                    sums.fill(T::default());
                }
                for n in part * each..self.conv.batch.min((part + 1) * each) {
                    // SAFETY: each image has a place of its own, and belongs to one part.
                    let dx = dx.map(|dx| unsafe { dx.part(n * image, (n + 1) * image) });
                    self.image(n, &mut hits, dx, sums.as_deref_mut(), db);
                }
            }
        });
    }

    /// Image `n`, group by group, some rows of windows at a time, so that what they see stays in the first-level
    /// cache while all filters pass.
    fn image(&self, n: usize, hits: &mut Hits<T>, mut dx: Option<&mut [T]>, mut sums: Option<&mut [T]>, db: &mut [T]) {
        let s = Sizes::new(self.conv);
        let (windows, image) = (self.pool.window.h.output * self.pool.window.w.output, self.frame.image());
        let x = &self.x[n * image..][..image];
        for group in 0..self.conv.groups {
            let filters = s.filters_of(group);
            let range = filters.start * s.columns..filters.end * s.columns;
            let seen = sums.is_some().then(|| self.frame.framed(x, group));
            let mut bordered = vec![T::default(); if self.frame.is_image() { 0 } else { self.frame.count() }];
            let mut given = dx.as_deref_mut().map(|dx| if self.frame.is_image() { dx } else { &mut bordered });
            if let Some(given) = given.as_deref_mut() {
                given.fill(T::default());
            }
            let bands = hits.bands().len();
            for (band, rows) in hits.bands().enumerate() {
                let at = n * windows * s.filters + filters.start;
                let y = self.y.as_deref().map(|y| &y[at..]);
                hits.collect(&self.dy[at..], y, &self.taps[at..], rows, &mut db[filters.clone()]);
                // the share of the band of what lies behind this image, if that is the next one
                let there = n + 1 < self.conv.batch && self.frame.is_image();
                let share = if there { image / bands } else { 0 };
                let ahead = |at: &[T]| Upcoming::of(at.as_ptr().wrapping_add(image + band * share), share);
                let product = |patches, ahead| Product { hits, frame: &self.frame, patches, ahead };
                if let (Some(sums), Some(seen)) = (sums.as_deref_mut(), &seen) {
                    let patches = Patches::Weigh { image: seen, sums: &mut sums[range.clone()] };
                    run_at(self.level, product(patches, ahead(seen)));
                }
                if let Some(given) = given.as_deref_mut() {
                    let next = ahead(given);
                    let patches = Patches::Spread { image: given, weights: &self.w[range.clone()] };
                    run_at(self.level, product(patches, next));
                }
            }
            if let (false, Some(dx)) = (self.frame.is_image(), dx.as_deref_mut()) {
                self.frame.unframe(&bordered, dx, group);
            }
        }
    }
}

/// `dw[column, k] = Σ sums[part, k, column]`, the parts in order.
fn summed<T: SimdFloat>(sums: &[T], [columns, filters]: [usize; 2]) -> Buffer {
    let size = columns * filters;
    Buffer::build(size, |dw: &mut [T]| {
        let dw = Shared::new(dw);
        for_ranges(columns, (GRAIN * columns / sums.len().max(1)).max(1), |start, end| {
            // SAFETY: each column has a place of its own.
            let dw = unsafe { dw.part(start * filters, end * filters) };
            dw.fill(T::default());
            for part in sums.chunks(size.max(1)) {
                for (row, column) in dw.chunks_mut(filters.max(1)).zip(start..) {
                    for (dw, sums) in row.iter_mut().zip(part.chunks(columns)) {
                        *dw = *dw + sums[column];
                    }
                }
            }
        });
    })
}
