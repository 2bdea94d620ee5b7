//! The cotangent of a convolution's input.

use super::{Patches, Sizes, tail};
use crate::gemm::{Product, Scratch, Strided};
use crate::par::{Shared, for_ranges, threads};
use crate::simd::{Level, SimdFloat};
use cotangent_base::ConvGeometry;
use std::ops::Range;

/// About how many numbers of the patches' cotangent are made at a time.
const BAND: usize = 1 << 17;

/// For stride 1: dx is the convolution of dy with w, its taps flipped and its channels and filters exchanged.
pub(super) fn by_flipping<T: SimdFloat>(level: Level, dy: &[T], w: &[T], g: &ConvGeometry, dx: &mut [T]) {
    let s = Sizes::new(g);
    let taps = g.window.h.kernel * g.window.w.kernel;
    for group in 0..g.groups {
        let (channels, filters) = (s.channels_of(group), s.filters_of(group));
        let flipped: Vec<T> = (0..taps).rev().flat_map(|tap| exchanged(w, &s, tap, filters.clone())).collect();
        let depth = taps * s.group_filters;
        let product = Product {
            level,
            rows: g.batch * g.window.h.input * g.window.w.input,
            cols: s.group_channels,
            depth,
            a: Patches::flipped(dy, g.window, s.filters, filters),
            b: Strided::new(&flipped, 0, [s.group_channels, depth], [1, s.group_channels as isize]),
            bias: None,
            spread: true,
        };
        product.write(tail(dx, channels.start), s.channels);
    }
}

/// `w[tap, c, k]` for some filters, k before c.
fn exchanged<T: SimdFloat>(w: &[T], s: &Sizes, tap: usize, filters: Range<usize>) -> impl Iterator<Item = T> {
    let (channels, all) = (s.group_channels, s.filters);
    filters.flat_map(move |k| (0..channels).map(move |c| w[(tap * channels + c) * all + k]))
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
