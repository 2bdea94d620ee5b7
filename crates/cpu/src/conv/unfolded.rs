//! The forward convolution of images with their channels first and few of them, as a network's first layer has: the patches
//! of some lines of windows are written out, a row for each tap and channel, and the product `wᵀ·X̂ᵀ` has the pixels of each
//! filter side by side, as y has. Exchanging the layout of y would take longer than writing so few rows.

use super::Sizes;
use super::input::transposed;
use super::rectified::{PIECE, rectify};
use crate::gemm::{Product, Scratch, Strided};
use crate::par::{Shared, for_ranges};
use crate::simd::{Kernel, Level, SimdFloat, Upcoming, Vector, run_at};
use cotangent_base::{ConvGeometry, DataFormat, Slide};
use std::ops::Range;

/// The most channels, and rows of patches: writing more takes longer than exchanging y's layout.
const MOST: [usize; 2] = [8, 256];
/// The numbers of patches that are written at a time, at most: they stay in the second-level cache.
const BAND: usize = 1 << 17;
/// A multiple of so many windows fills the product's tiles.
const EVEN: usize = 64;

/// Whether a convolution is faster so.
pub(super) fn suits(g: &ConvGeometry) -> bool {
    let [channels, columns] = MOST;
    let s = Sizes::new(g);
    g.format == DataFormat::ChannelsFirst
        && g.groups == 1
        && g.channels <= channels
        && (1..=columns.min(4 * s.filters)).contains(&s.columns)
}

/// [`conv2d`](super::conv2d) into y, for x and y with their channels first: the same sums in the same order.
pub(super) fn forward<T: SimdFloat>(
    level: Level,
    (x, w, bias): (&[T], &[T], Option<&[T]>),
    relu: bool,
    g: &ConvGeometry,
    y: &mut [T],
) {
    let s = Sizes::new(g);
    let (height, width) = (g.window.h.output, g.window.w.output);
    let weights = transposed(w, &s, 0..s.filters);
    let to = Shared::new(y);
    let (image, size) = (height * width, g.channels * g.window.h.input * g.window.w.input);
    let band = lines_in_a_band(s.columns, height, width);
    let (bands, work) = (height.div_ceil(band), band * width * s.columns * s.filters);
    for_ranges(g.batch * bands, PIECE / work.max(1), |start, end| {
        let mut scratch = (Scratch::new(), Scratch::new());
        for (n, first) in (start..end).map(|i| (i / bands, i % bands * band)) {
            let lines = first..height.min(first + band);
            let windows = lines.len() * width;
            let patches = scratch.1.take(s.columns * windows);
            let x = &x[n * size..(n + 1) * size];
            let phases = Phases::new(level, x, g, &lines, &mut scratch.0);
            let next = phases.next(&lines);
            run_at(level, Unfold { phases, patches, x, next });
            let at = n * s.filters * image + first * width;
            // SAFETY: these windows are this piece's alone.
            let rows = (0..s.filters).map(|k| unsafe { to.part(at + k * image, at + k * image + windows) });
            if let Some(bias) = bias {
                rows.clone().zip(bias).for_each(|(y, &bias)| y.fill(bias));
            }
            let product = Product {
                level,
                rows: s.filters,
                cols: windows,
                depth: s.columns,
                a: Strided::new(&weights, 0, [s.filters, s.columns], [s.columns as isize, 1]),
                b: Strided::new(patches, 0, [windows, s.columns], [1, windows as isize]),
                bias: None,
                spread: false,
            };
            // SAFETY: as above.
            unsafe { product.compute_among(to.ptr().wrapping_add(at), image, bias.is_some()) };
            if relu {
                rows.for_each(|y| rectify(level, y));
            }
        }
    });
}

/// The lines of windows whose patches are written at a time.
fn lines_in_a_band(columns: usize, height: usize, width: usize) -> usize {
    let most = (BAND / (columns * width).max(1)).clamp(1, height.max(1));
    (1..=most).rev().find(|lines| (lines * width).is_multiple_of(EVEN)).unwrap_or(most)
}

/// Lines of an image under some lines of windows, with their padding, every stride-th pixel side by side: what a tap sees of a
/// line of windows lies so in one phase of one line. `[channel, line, phase, pixel]`.
struct Phases<'a, T> {
    g: &'a ConvGeometry,
    pixels: &'a [T],
    height: usize,
    width: usize,
}

impl<'a, T: SimdFloat> Phases<'a, T> {
    fn new(level: Level, x: &[T], g: &'a ConvGeometry, lines: &Range<usize>, scratch: &'a mut Scratch<T>) -> Self {
        let (h, w) = (g.window.h, g.window.w);
        let height = lines.len().saturating_sub(1) * h.stride + (h.kernel - 1) * h.dilation + 1;
        let width = w.output + (w.kernel - 1) * w.dilation / w.stride;
        let pixels = scratch.take(g.channels * height * w.stride * width);
        run_at(level, Split { x, g, first: lines.start * h.stride, height, width, pixels });
        Self { g, pixels, height, width }
    }

    /// The image's lines that as many lines of windows behind these see, and these do not.
    fn next(&self, lines: &Range<usize>) -> Range<usize> {
        let h = self.g.window.h;
        let seen = lines.start * h.stride + self.height;
        let [start, end] = [0, lines.len() * h.stride].map(|more| (seen + more).saturating_sub(h.before).min(h.input));
        start..end
    }
}

/// Writes the patches: row (tap, channel), a column for each window.
struct Unfold<'a, T> {
    phases: Phases<'a, T>,
    patches: &'a mut [T],
    /// The image, and those of its lines that are asked for meanwhile.
    x: &'a [T],
    next: Range<usize>,
}

impl<T: SimdFloat> Kernel<T> for Unfold<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Phases { g, pixels, height, width } = self.phases;
        let (h, w) = (g.window.h, g.window.w);
        let length = self.patches.len() / (h.kernel * w.kernel * g.channels);
        for (i, row) in self.patches.chunks_exact_mut(length).enumerate() {
            let (tap, channel) = (i / g.channels, i % g.channels);
            let ahead = &self.x[channel * h.input * w.input..][self.next.start * w.input..self.next.end * w.input];
            Upcoming::of(ahead.as_ptr(), ahead.len()).part(tap, h.kernel * w.kernel).to_read_later();
            let (down, across) = (tap / w.kernel * h.dilation, tap % w.kernel * w.dilation);
            let first = ((channel * height + down) * w.stride + across % w.stride) * width + across / w.stride;
            let next = h.stride * w.stride * width;
            for (line, to) in row.chunks_exact_mut(w.output).enumerate() {
                copy::<V>(&pixels[first + line * next..][..w.output], to);
            }
        }
    }
}

/// Copies numbers of which there are too few for a call.
#[inline(always)]
fn copy<V: Vector>(from: &[V::Scalar], to: &mut [V::Scalar]) {
    assert_eq!(from.len(), to.len(), "as many");
    let Some(last) = to.len().checked_sub(V::WIDTH) else { return to.copy_from_slice(from) };
    for i in (0..last).step_by(V::WIDTH).chain([last]) {
        // SAFETY: both have a vector from `i` on.
        unsafe { V::load(from.as_ptr().add(i)).store(to.as_mut_ptr().add(i)) };
    }
}

/// Writes [`Phases`].
struct Split<'a, T> {
    /// An image, and the line of it with which they begin, counted from the padding's first.
    x: &'a [T],
    first: usize,
    g: &'a ConvGeometry,
    height: usize,
    width: usize,
    pixels: &'a mut [T],
}

impl<T: SimdFloat> Kernel<T> for Split<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let (h, w) = (self.g.window.h, self.g.window.w);
        for (i, to) in self.pixels.chunks_exact_mut(w.stride * self.width).enumerate() {
            let y = (self.first + i % self.height).checked_sub(h.before).filter(|&y| y < h.input);
            match y.map(|y| (i / self.height * h.input + y) * w.input) {
                Some(at) => to
                    .chunks_exact_mut(self.width)
                    .enumerate()
                    .for_each(|(phase, to)| split(&self.x[at..at + w.input], w, phase, to)),
                None => to.fill(T::default()),
            }
        }
    }
}

/// `to[i] = line[i·stride + phase − before]`, 0 in the padding.
#[inline(always)]
fn split<T: SimdFloat>(line: &[T], w: Slide, phase: usize, to: &mut [T]) {
    let first = w.before.saturating_sub(phase).div_ceil(w.stride).min(to.len());
    let end = (w.input + w.before).saturating_sub(phase).div_ceil(w.stride).clamp(first, to.len());
    let (left, rest) = to.split_at_mut(first);
    let (to, right) = rest.split_at_mut(end - first);
    left.fill(T::default());
    right.fill(T::default());
    let Some((last, to)) = to.split_last_mut() else { return };
    let from = &line[first * w.stride + phase - w.before..];
    // strides that the compiler knows become whole vectors
    match w.stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        2 => to.iter_mut().zip(from.as_chunks::<2>().0).for_each(|(to, from)| *to = from[0]),
        stride => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from),
    }
    *last = from[to.len() * w.stride];
}
