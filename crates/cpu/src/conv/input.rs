//! The cotangent of a convolution's input.

use super::axis::Axis;
use super::{Patches, Sizes, tail};
use crate::dense::dense;
use crate::gemm::{Product, Rows, Scratch, Strided};
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat};
use crate::{Buffer, memory};
use cotangent_base::{ConvGeometry, Slide, View};
use std::ops::Range;

/// About how many numbers of the patches' cotangent are made at a time.
const BAND: usize = 1 << 17;

/// For dilation 1, or stride 1: the positions `i ≡ r (mod stride)` of x lie under the taps
/// `t ≡ r + before (mod stride)` alone, so that this part of dx, its phase, is a convolution of dy with these taps, flipped,
/// channels and filters exchanged. With stride 1 there is one phase, which is all of dx.
pub(super) fn by_phases<T: SimdFloat>(level: Level, dy: &[T], w: View<Buffer>, g: &ConvGeometry, dx: &mut [T]) {
    let (rows, columns) = (phases(g.window.h), phases(g.window.w));
    let s = Sizes::new(g);
    let phases = rows.iter().flat_map(|h| columns.iter().map(move |w| (h, w)));
    let (seen, unseen): (Vec<_>, Vec<_>) = phases.partition(|(h, w)| h.axis.kernel * w.axis.kernel > 0);
    if !unseen.is_empty() {
        memory::zero(dx);
    }
    let w = dense::<T>(w);
    let tap = |y: usize, x: usize, filter: usize| (y * g.window.w.kernel + x) * s.group_channels * s.filters + filter;
    for (h, w_phase) in seen {
        for group in 0..g.groups {
            let (channels, filters) = (s.channels_of(group), s.filters_of(group));
            let taps: Vec<usize> =
                h.taps().flat_map(|y| w_phase.taps().map(move |x| tap(y, x, filters.start))).collect();
            let depth = taps.len() * s.group_filters;
            let product = Product {
                level,
                rows: g.batch * h.axis.output * w_phase.axis.output,
                cols: s.group_channels,
                depth,
                a: Patches::over(dy, h.axis, w_phase.axis, s.filters, filters),
                b: Strided::stacked(&w, &taps, [s.group_channels, s.group_filters], [s.filters as isize, 1]),
                bias: None,
                spread: true,
            };
            product.write_to(tail(dx, channels.start), &places(h, w_phase, g));
        }
    }
}

/// Where the positions of a phase lie in dx.
fn places(h: &Phase, w: &Phase, g: &ConvGeometry) -> Rows {
    let [height, width] = [g.window.h.input, g.window.w.input];
    let line = |row: usize| {
        let y = row / h.axis.output * height + h.first + row % h.axis.output * h.stride;
        ((y * width + w.first) * g.channels) as isize
    };
    let lines = (0..g.batch * h.axis.output).map(line).collect();
    Rows { lines, width: w.axis.output, skip: 0, row: (w.stride * g.channels) as isize }
}

/// Along one axis: every `stride`-th position of x from `first` on, as windows over y.
struct Phase {
    first: usize,
    axis: Axis,
    /// The first of its taps, and from one to the next.
    tap: usize,
    stride: usize,
}

/// All phases of an axis that hold positions.
fn phases(s: Slide) -> Vec<Phase> {
    let phase = |first: usize| {
        let tap = (first + s.before) % s.stride;
        let kernel = s.kernel.saturating_sub(tap).div_ceil(s.stride);
        let output = (s.input - first).div_ceil(s.stride);
        let reach = (kernel.max(1) - 1) * s.dilation;
        let before = reach as isize - ((first + s.before) / s.stride) as isize;
        let axis = Axis { input: s.output, output, kernel, stride: 1, dilation: s.dilation, before, banded: false };
        Phase { first, axis, tap, stride: s.stride }
    };
    (0..s.stride.min(s.input)).map(phase).collect()
}

impl Phase {
    /// The phase's taps along this axis, the last one first.
    fn taps(&self) -> impl Iterator<Item = usize> {
        let (tap, stride) = (self.tap, self.stride);
        (0..self.axis.kernel).rev().map(move |i| tap + i * stride)
    }
}

/// For any stride: the cotangent of the patches, `dy·wᵀ`, is made some rows of windows at a time, and each of its
/// numbers is added where it came from, windows and taps in rising order. Images are independent.
pub(super) fn by_adding<T: SimdFloat>(level: Level, dy: &[T], w: &[T], g: &ConvGeometry, dx: &mut [T]) {
    let s = Sizes::new(g);
    let weights: Vec<Vec<T>> = (0..g.groups).map(|group| transposed(w, &s, s.filters_of(group))).collect();
    let image = dx.len().checked_div(g.batch).unwrap_or(0);
    let out = Shared::new(dx);
    let alone = g.batch >= threads();
    for_ranges(g.batch, if alone { 1 } else { g.batch }, |start, end| {
        let mut scratch = Scratch::new();
        for n in start..end {
            // SAFETY: each image has a place of its own.
            let dx = unsafe { out.part(n * image, (n + 1) * image) };
            dx.fill(T::default());
            for (group, weights) in weights.iter().enumerate() {
                add_image(level, dy, weights, g, (n, group), dx, &mut scratch, !alone);
            }
        }
    });
}

/// `w[.., k]` for some filters as rows.
pub(super) fn transposed<T: SimdFloat>(w: &[T], s: &Sizes, filters: Range<usize>) -> Vec<T> {
    filters.flat_map(|k| (0..s.columns).map(move |column| w[column * s.filters + k])).collect()
}

/// Adds what one group of image `n` gets.
#[allow(clippy::too_many_arguments)]
fn add_image<T: SimdFloat>(
    level: Level,
    dy: &[T],
    weights: &[T],
    g: &ConvGeometry,
    (n, group): (usize, usize),
    dx: &mut [T],
    scratch: &mut Scratch<T>,
    spread: bool,
) {
    let s = Sizes::new(g);
    let (height, width) = (g.window.h.output, g.window.w.output);
    let band = (BAND / (width * s.columns).max(1)).max(1);
    for top in (0..height).step_by(band) {
        let lines = top..height.min(top + band);
        let rows = lines.len() * width;
        let at = (n * height + top) * width * s.filters + s.filters_of(group).start;
        let patches = scratch.take(rows * s.columns);
        let product = Product {
            level,
            rows,
            cols: s.columns,
            depth: s.group_filters,
            a: Strided::new(dy, at, [rows, s.group_filters], [s.filters as isize, 1]),
            b: Strided::new(weights, 0, [s.columns, s.group_filters], [1, s.columns as isize]),
            bias: None,
            spread,
        };
        product.write(patches, s.columns);
        add_patches(patches, g, lines, s.channels_of(group), dx);
    }
}

/// Adds the patches of some lines of windows to where they came from.
fn add_patches<T: SimdFloat>(
    patches: &[T],
    g: &ConvGeometry,
    lines: Range<usize>,
    channels: Range<usize>,
    dx: &mut [T],
) {
    let (h, w) = (g.window.h, g.window.w);
    let mut numbers = patches.chunks_exact(channels.len().max(1));
    for out_y in lines {
        for out_x in 0..w.output {
            for tap_y in 0..h.kernel {
                for tap_x in 0..w.kernel {
                    let Some(numbers) = numbers.next() else { return };
                    let (Some(y), Some(x)) = (h.at(out_y, tap_y), w.at(out_x, tap_x)) else { continue };
                    let to = (y * w.input + x) * g.channels + channels.start;
                    for (dx, &d) in dx[to..].iter_mut().zip(numbers) {
                        *dx = *dx + d;
                    }
                }
            }
        }
    }
}
