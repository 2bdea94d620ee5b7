//! The matrix of patches of a batch of images. It stands nowhere in memory: along a row of windows its rows lie
//! evenly in the image, and along a row of taps its columns do, so that the microkernel reads them where they are.
//! Images that need padding are copied with it, some lines at a time.

use crate::gemm::{Cuts, Left, Lhs, Packer, Run, Scratch, apart, collide};
use crate::simd::SimdFloat;
use cotangent_base::{Slide, Window};
use std::ops::Range;

/// The most columns of a block of patches.
const DEPTH: usize = 640;

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

    /// The position under tap 0 of window `out`.
    fn start(self, out: usize) -> isize {
        (out * self.stride) as isize - self.before
    }

    /// The positions from the first window `windows` to the end of the last.
    fn span(self, windows: &Range<usize>) -> Range<isize> {
        self.start(windows.start)
            ..self.start(windows.end - 1) + (self.kernel.saturating_sub(1) * self.dilation + 1) as isize
    }

    /// Whether some window reaches over an edge.
    fn is_padded(self) -> bool {
        let span = self.span(&(0..self.output.max(1)));
        span.start < 0 || span.end > self.input as isize
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
    /// Whether the images are copied: for padding, or because neighbouring windows would collide in the cache.
    copied: bool,
}

/// Some lines of an image, padded where need be.
struct Lines<T> {
    at: *const T,
    /// The place of the first line of each window.
    starts: Vec<isize>,
    /// From line to line, and from pixel to pixel.
    line: isize,
    pixel: isize,
}

impl<'a, T: SimdFloat> Patches<'a, T> {
    /// The patches of channels `group` of the images.
    pub fn new(image: &'a [T], window: Window, channels: usize, group: Range<usize>) -> Self {
        Self::over(image, Axis::new(window.h), Axis::new(window.w), channels, group)
    }

    /// The patches of windows that slide along these axes.
    pub fn over(image: &'a [T], h: Axis, w: Axis, channels: usize, group: Range<usize>) -> Self {
        assert!(image.len().is_multiple_of((h.input * w.input * channels).max(1)) && group.end <= channels);
        let copied = h.is_padded() || w.is_padded() || collide::<T>((w.stride * channels) as isize);
        Self { image, h, w, channels, first: group.start, count: group.len(), copied }
    }

    /// Blocks of whole rows of windows.
    fn cut_windows(&self, windows: usize, most: usize) -> Cuts {
        let row = self.w.output;
        // a copy holds lines of one image
        let period = if self.copied { self.h.output * row } else { windows };
        let rows = Cuts::even(period / row.max(1), (most / row.max(1)).max(1));
        Cuts { count: windows, period, block: rows.block * row }
    }

    /// Where the windows `windows`, whole rows of them, lie.
    fn lines(&self, scratch: &mut Scratch<T>, windows: &Range<usize>) -> Lines<T> {
        let rows = windows.start / self.w.output..windows.end / self.w.output;
        let (h, w) = (self.h, self.w);
        if self.copied {
            return self.copy(scratch, rows.start / h.output, rows.start % h.output..(rows.end - 1) % h.output + 1);
        }
        let (pixel, line) = (self.channels as isize, (self.channels * w.input) as isize);
        let place = |row: usize| {
            let y = (row / h.output * h.input) as isize + h.start(row % h.output);
            y * line + w.start(0) * pixel + self.first as isize
        };
        Lines { at: self.image.as_ptr(), starts: rows.map(place).collect(), line, pixel }
    }

    /// Copies what lies under the rows `rows` of windows of image `n`.
    fn copy(&self, scratch: &mut Scratch<T>, n: usize, rows: Range<usize>) -> Lines<T> {
        let (high, wide) = (self.h.span(&rows), self.w.span(&(0..self.w.output)));
        let pixel = self.pixel();
        let line = wide.clone().count() * pixel;
        let to = scratch.take(high.clone().count() * line);
        let left = (-wide.start).clamp(0, wide.end - wide.start) as usize * pixel;
        for (y, to) in high.zip(to.chunks_mut(line)) {
            let Some(y) = usize::try_from(y).ok().filter(|&y| y < self.h.input) else {
                to.fill(T::default());
                continue;
            };
            let inside = |x: isize| x.clamp(0, self.w.input as isize) as usize;
            let (from, pixels) = (inside(wide.start), inside(wide.end) - inside(wide.start));
            let first = ((n * self.h.input + y) * self.w.input + from) * self.channels;
            to[..left].fill(T::default());
            to[left + pixels * pixel..].fill(T::default());
            let to = &mut to[left..][..pixels * pixel];
            if pixel == self.channels {
                to.copy_from_slice(&self.image[first..][..to.len()]);
            } else {
                for (to, x) in to.chunks_mut(pixel).zip(self.image[first..].chunks(self.channels)) {
                    to[..self.count].copy_from_slice(&x[self.first..][..self.count]);
                }
            }
        }
        let starts = (0..rows.len()).map(|row| (row * self.h.stride * line) as isize).collect();
        Lines { at: to.as_ptr(), starts, line: line as isize, pixel: pixel as isize }
    }

    /// From pixel to pixel, in the image or its copy.
    fn pixel(&self) -> usize {
        match (self.copied, collide::<T>((self.w.stride * self.count) as isize)) {
            (false, _) => self.channels,
            (true, false) => self.count,
            (true, true) => apart(self.count),
        }
    }

    /// How many columns lie side by side in a line: a row of taps, or the channels of one.
    fn width(&self, pixel: isize) -> usize {
        let touch = self.w.dilation == 1 && pixel == self.count as isize;
        if touch { self.w.kernel * self.count } else { self.count }
    }

    /// The places of the columns from the window's first: pieces of lines that are `width` long.
    fn columns(&self, lines: &Lines<T>, width: usize, columns: Range<usize>) -> impl Iterator<Item = Run> {
        let (h, w, count, pixel, line) = (self.h, self.w, self.count, lines.pixel, lines.line);
        let mut column = columns.start;
        std::iter::from_fn(move || {
            if column == columns.end {
                return None;
            }
            let (tap, channel) = (column / count, column % count);
            let (y, x) = (tap / w.kernel * h.dilation, tap % w.kernel * w.dilation);
            let len = (width - column % width).min(columns.end - column);
            column += len;
            Some(Run { at: y as isize * line + x as isize * pixel + channel as isize, len })
        })
    }
}

impl<T: SimdFloat> Lhs<T> for Patches<'_, T> {
    fn cut_rows(&self, rows: usize, most: usize) -> Cuts {
        self.cut_windows(rows, most)
    }

    fn cut_depth(&self, depth: usize, _most: usize) -> Cuts {
        Cuts::even(depth, DEPTH)
    }

    fn block(
        &self,
        _packer: Packer,
        left: &mut Left<T>,
        scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    ) {
        let lines = self.lines(scratch, &rows);
        left.runs.clear();
        left.runs.extend(self.columns(&lines, self.width(lines.pixel), depth));
        (left.at, left.lines, left.width) = (lines.at, lines.starts, self.w.output);
        (left.row, left.step, left.cold) = (lines.pixel * self.w.stride as isize, 1, !self.copied);
    }
}

/// The transpose: a row for each tap and channel, a column for each window.
pub(super) struct Transposed<'a, T>(pub Patches<'a, T>);

impl<T: SimdFloat> Lhs<T> for Transposed<'_, T> {
    fn cut_rows(&self, rows: usize, most: usize) -> Cuts {
        let width = self.0.width(self.0.pixel() as isize);
        match width <= most {
            true => Cuts { count: rows, period: rows, block: most / width.max(1) * width },
            false => Cuts { count: rows, ..Cuts::even(width, most) },
        }
    }

    fn cut_depth(&self, depth: usize, most: usize) -> Cuts {
        // a step reads part of two cache lines; half the depth keeps them and B in the first-level cache
        self.0.cut_windows(depth, most / 2)
    }

    fn block(
        &self,
        _packer: Packer,
        left: &mut Left<T>,
        scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    ) {
        let p = &self.0;
        let lines = p.lines(scratch, &depth);
        let width = p.width(lines.pixel);
        left.lines.clear();
        left.width = width.min(rows.len());
        left.lines.extend(p.columns(&lines, width, rows).map(|run| run.at));
        left.runs.clear();
        left.runs.extend(lines.starts.iter().map(|&at| Run { at, len: p.w.output }));
        (left.at, left.row, left.step) = (lines.at, 1, lines.pixel * p.w.stride as isize);
        left.cold = false;
    }
}
