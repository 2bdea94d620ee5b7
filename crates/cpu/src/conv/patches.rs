//! The matrix of patches of a batch of images, packed straight from the images: it stands nowhere in memory.

use crate::gemm::{Left, Lhs, Packer, STRIDE, Scratch, left_rows};
use crate::simd::SimdFloat;
use cotangent_base::{Slide, Window};
use std::ops::Range;

/// One axis of the window that slides, as [`Slide`] has it; but the first window may also start inside.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: isize,
}

impl Axis {
    fn new(s: Slide) -> Self {
        let Slide { input, output, kernel, stride, dilation, before } = s;
        Self { input, output, kernel, stride, dilation, before: before as isize }
    }

    /// For stride 1: the axis along which windows over y make x's cotangent, the taps being flipped.
    fn flipped(self) -> Self {
        let reach = (self.kernel - 1) * self.dilation;
        Self { input: self.output, output: self.input, before: reach as isize - self.before, ..self }
    }

    /// The position under tap 0 of window `out`.
    fn start(self, out: usize) -> isize {
        (out * self.stride) as isize - self.before
    }

    /// The position under tap `tap` of the window that starts at `start`; `None` in the padding.
    fn at(self, start: isize, tap: usize) -> Option<usize> {
        usize::try_from(start + (tap * self.dilation) as isize).ok().filter(|&i| i < self.input)
    }
}

/// Row `(n, p)`, column `(tap, c)`: the number of image n that lies under the tap of window p, in channel c of
/// some neighbouring channels of channels-last images; 0 in the padding.
#[derive(Clone, Copy)]
pub(super) struct Patches<'a, T> {
    image: &'a [T],
    h: Axis,
    w: Axis,
    /// All channels of the images, and the ones of the patches.
    channels: usize,
    first: usize,
    count: usize,
}

/// Columns that lie side by side in a row of the image.
struct Run {
    tap: [usize; 2],
    channel: usize,
    len: usize,
}

impl<'a, T: SimdFloat> Patches<'a, T> {
    /// The patches of channels `group` of the images.
    pub fn new(image: &'a [T], window: Window, channels: usize, group: Range<usize>) -> Self {
        let (h, w) = (Axis::new(window.h), Axis::new(window.w));
        Self { image, h, w, channels, first: group.start, count: group.len() }
    }

    /// The patches of y that make x's cotangent, for stride 1.
    pub fn flipped(y: &'a [T], window: Window, channels: usize, group: Range<usize>) -> Self {
        let p = Self::new(y, window, channels, group);
        Self { h: p.h.flipped(), w: p.w.flipped(), ..p }
    }

    /// Copies rows `pixels` of columns `columns` to `to`, its rows `stride` apart.
    fn copy(&self, pixels: Range<usize>, columns: Range<usize>, to: &mut [T], stride: usize) {
        let runs = self.runs(columns.clone(), false);
        let joined = self.runs(columns, self.w.dilation == 1 && self.count == self.channels);
        let reach = ((self.w.kernel - 1) * self.w.dilation) as isize;
        let area = self.h.output * self.w.output;
        let (mut n, mut y, mut x) =
            (pixels.start / area, pixels.start % area / self.w.output, pixels.start % self.w.output);
        for row in to.chunks_mut(stride).take(pixels.len()) {
            let start = [self.h.start(y), self.w.start(x)];
            let inside = start[1] >= 0 && start[1] + reach < self.w.input as isize;
            self.copy_row(n, start, if inside { &joined } else { &runs }, row);
            x += 1;
            if x == self.w.output {
                (x, y) = (0, y + 1);
            }
            if y == self.h.output {
                (y, n) = (0, n + 1);
            }
        }
    }

    /// Copies the runs of one window, which starts at `start` of image `n`.
    #[inline]
    fn copy_row(&self, n: usize, start: [isize; 2], runs: &[Run], mut row: &mut [T]) {
        for run in runs {
            let to;
            (to, row) = row.split_at_mut(run.len);
            match (self.h.at(start[0], run.tap[0]), self.w.at(start[1], run.tap[1])) {
                (Some(y), Some(x)) => {
                    let pixel = (n * self.h.input + y) * self.w.input + x;
                    let from = &self.image[pixel * self.channels + self.first + run.channel..][..run.len];
                    if run.len < 16 {
                        // a call would cost more than the copy
                        for (to, &x) in to.iter_mut().zip(from) {
                            *to = x;
                        }
                    } else {
                        to.copy_from_slice(from);
                    }
                }
                _ => to.fill(T::default()),
            }
        }
    }

    /// The runs that make up columns `columns`. Neighbouring taps are `joined` to one run; it lies in the image
    /// as it stands here if the whole window does.
    fn runs(&self, columns: Range<usize>, joined: bool) -> Vec<Run> {
        let width = if joined { self.w.kernel * self.count } else { self.count };
        let mut runs = Vec::new();
        let mut column = columns.start;
        while column < columns.end {
            let len = (width - column % width).min(columns.end - column);
            let tap = column / self.count;
            runs.push(Run { tap: [tap / self.w.kernel, tap % self.w.kernel], channel: column % self.count, len });
            column += len;
        }
        runs
    }
}

impl<T: SimdFloat> Lhs<T> for Patches<'_, T> {
    fn pack(&self, packer: Packer, scratch: &mut Scratch<T>, rows: Range<usize>, depth: Range<usize>) -> Left<T> {
        let to = left_rows(packer.tile, scratch, rows.len(), depth.len());
        self.copy(rows, depth, to, STRIDE);
        Left::Rows(to.as_ptr())
    }
}

/// The transpose: a row for each tap and channel, a column for each window.
pub(super) struct Transposed<'a, T>(pub Patches<'a, T>);

impl<T: SimdFloat> Lhs<T> for Transposed<'_, T> {
    fn pack(&self, packer: Packer, scratch: &mut Scratch<T>, rows: Range<usize>, depth: Range<usize>) -> Left<T> {
        let (tile, len) = (packer.tile.rows, rows.len());
        // an odd number of cache lines, so that the columns do not compete for the same cache sets
        let step = (len.next_multiple_of(tile).div_ceil(16) | 1) * 16;
        let to = scratch.take(depth.len() * step);
        for column in to.chunks_mut(step) {
            column[len..].fill(T::default());
        }
        self.0.copy(depth, rows, to, step);
        Left::Columns { at: to.as_ptr(), tile, step }
    }
}
