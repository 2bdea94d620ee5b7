//! The matrix of patches of a batch of images. It stands nowhere in memory: along a row of windows its rows lie
//! evenly in the image, and along a row of taps its columns do, so that the microkernel reads them where they are.
//! Patches that reach over an edge are copied with their padding, or if these are many all lines of the images; where much
//! would be padding, the taps that lie in it are left out (see `banded`).

use super::axis::{Axis, Band, banded};
use crate::Buffer;
use crate::gemm::{Cuts, Group, LeftBlock, Lhs, Packer, Rows, Run, Scratch, apart, collide};
use crate::par::{Shared, for_each};
use crate::simd::SimdFloat;
use cotangent_base::{ConvGeometry, Window};
use std::ops::Range;

/// The most columns of a block of patches.
const DEPTH: usize = 640;

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
    /// The window that is row 0.
    start: usize,
    copied: Copied,
}

/// What of the images is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    Nothing,
    /// The patches that reach over an edge, for their padding.
    Edges,
    /// All lines that windows see, for padding, or because neighbouring windows would collide in the cache.
    Lines,
}

impl<'a, T: SimdFloat> Patches<'a, T> {
    /// The patches of channels `group` of the images.
    pub fn new(image: &'a [T], window: Window, channels: usize, group: Range<usize>) -> Self {
        Self::over(image, Axis::new(window.h), Axis::new(window.w), channels, group)
    }

    /// The patches of windows that slide along these axes.
    pub fn over(image: &'a [T], h: Axis, w: Axis, channels: usize, group: Range<usize>) -> Self {
        let [h, w] = banded([h, w], image.len() / (h.input * w.input * channels).max(1));
        Self::whole(image, h, w, channels, group)
    }

    /// The same, with taps left out along axes that are banded already alone.
    fn whole(image: &'a [T], h: Axis, w: Axis, channels: usize, group: Range<usize>) -> Self {
        assert!(image.len().is_multiple_of((h.input * w.input * channels).max(1)) && group.end <= channels);
        let copied = if collide::<T>((w.stride * channels) as isize) {
            Copied::Lines
        } else if !h.is_padded() && !w.is_padded() {
            Copied::Nothing
        } else {
            let (all, inside) = (h.output * w.output, h.inside().len() * w.inside().len());
            // where many windows see a pixel, copies of patches are more than those of lines
            let few = 2 * (all - inside) * h.reach() * w.reach() < h.input * w.input;
            if few && w.reach() <= w.input { Copied::Edges } else { Copied::Lines }
        };
        Self { image, h, w, channels, first: group.start, count: group.len(), start: 0, copied }
    }

    /// The patches from window `start` on.
    pub fn from(self, start: usize) -> Self {
        Self { start, ..self }
    }

    /// Where the first number of each window of some rows of windows lies, which are where they are.
    fn places(&self, rows: Range<usize>) -> Rows {
        let (pixel, line) = (self.pixel() as isize, self.line() as isize);
        let place = |row: usize| {
            let y = (row / self.h.output * self.h.input) as isize + self.h.start(row % self.h.output);
            y * line + self.w.start(0) * pixel + self.first as isize
        };
        Rows { lines: rows.map(place).collect(), width: self.w.output, skip: 0, row: pixel * self.w.stride as isize }
    }

    /// Copies the patches among windows `rows` that reach over an edge, each with its lines as far apart as in the image, and
    /// says in `places` where they are.
    fn copy_edges(&self, scratch: &mut Scratch<T>, rows: Range<usize>, places: &mut [*const T]) {
        let (high, wide, line) = (self.h.reach(), self.w.reach() * self.channels, self.line());
        let (inside_h, inside_w) = (self.h.inside(), self.w.inside());
        let edges: Vec<usize> = (rows.start / self.w.output..(rows.end - 1) / self.w.output + 1)
            .flat_map(|row| {
                let inside = if inside_h.contains(&(row % self.h.output)) { inside_w.clone() } else { 0..0 };
                let windows = (0..inside.start).chain(inside.end..self.w.output);
                windows.map(move |x| row * self.w.output + x)
            })
            .filter(|window| rows.contains(window))
            .collect();
        let abreast = line / wide;
        let place = |i: usize| i / abreast * high * line + i % abreast * wide;
        let to = scratch.take(edges.len().div_ceil(abreast) * high * line);
        for (i, window) in edges.into_iter().enumerate() {
            let (row, x) = (window / self.w.output, window % self.w.output);
            let y = row % self.h.output;
            for (line_to, y) in self.h.span(&(y..y + 1)).enumerate() {
                let to = &mut to[place(i) + line_to * line..][..wide];
                self.copy_line(row / self.h.output, y, x..x + 1, to);
            }
            places[window - rows.start] = to[place(i) + self.first..].as_ptr();
        }
    }

    /// Copies what lies under some rows of windows, counted through all images; gives the copy and where in it
    /// the first number of each window lies.
    fn copy<'b>(&self, scratch: &'b mut Scratch<T>, rows: Range<usize>) -> (&'b [T], Rows) {
        let (output, line) = (self.h.output, self.line());
        // image by image
        let images = rows.start / output..(rows.end - 1) / output + 1;
        let parts: Vec<_> = images
            .map(|n| (n, rows.start.max(n * output) - n * output..rows.end.min((n + 1) * output) - n * output))
            .collect();
        let height = |rows: &Range<usize>| self.h.span(rows).count();
        let to = scratch.take(parts.iter().map(|(_, rows)| height(rows) * line).sum());
        let (mut done, mut starts) = (0, Vec::with_capacity(rows.len()));
        for (n, rows) in parts {
            starts.extend((0..rows.len()).map(|row| (done + row * self.h.stride * line) as isize));
            for y in self.h.span(&rows) {
                self.copy_line(n, y, 0..self.w.output, &mut to[done..done + line]);
                done += line;
            }
        }
        (to, Rows { lines: starts.into(), width: self.w.output, skip: 0, row: (self.pixel() * self.w.stride) as isize })
    }

    /// Copies what of line `y` of image `n` lies under some windows, with its padding.
    fn copy_line(&self, n: usize, y: isize, windows: Range<usize>, to: &mut [T]) {
        let (wide, pixel) = (self.w.span(&windows), self.pixel());
        let Some(y) = usize::try_from(y).ok().filter(|&y| y < self.h.input) else {
            to.fill(T::default());
            return;
        };
        let left = (-wide.start).clamp(0, wide.end - wide.start) as usize * pixel;
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

    /// From line to line, in the image or its copy.
    fn line(&self) -> usize {
        self.pixel()
            * if self.copied == Copied::Lines { self.w.span(&(0..self.w.output)).count() } else { self.w.input }
    }

    /// From pixel to pixel, in the image or its copy.
    fn pixel(&self) -> usize {
        match (self.copied == Copied::Lines, collide::<T>((self.w.stride * self.count) as isize)) {
            (false, _) => self.channels,
            (true, false) => self.count,
            (true, true) => apart(self.count),
        }
    }

    /// Where a tap lies from a window's first.
    fn tap(&self, y: usize, x: usize) -> isize {
        (y * self.h.dilation * self.line() + x * self.w.dilation * self.pixel()) as isize
    }

    /// Whether the columns of neighbouring taps lie side by side.
    fn taps_touch(&self) -> bool {
        self.w.dilation == 1 && self.pixel() == self.count
    }

    /// How many columns lie side by side in a line: a row of taps, or the channels of one.
    fn width(&self) -> usize {
        if self.taps_touch() { self.w.kernel * self.count } else { self.count }
    }

    /// The columns of some taps, as places from the first tap: pieces of lines.
    fn columns(&self, columns: Range<usize>, [taps_h, taps_w]: [Range<usize>; 2]) -> impl Iterator<Item = Run> {
        let (patches, first) = (*self, self.tap(taps_h.start, taps_w.start));
        let abreast = if self.taps_touch() { taps_w.len().max(1) } else { 1 };
        let mut done = columns.start;
        let pieces = taps_h.flat_map(move |y| taps_w.clone().step_by(abreast).map(move |x| (y, x)));
        pieces.filter_map(move |(y, x)| {
            let piece = (y * patches.w.kernel + x) * patches.count;
            let (start, end) = (piece.max(columns.start), (piece + abreast * patches.count).min(columns.end));
            if start >= end {
                return None;
            }
            let at = patches.tap(y, x) - first + (start - piece) as isize;
            let skip = start - std::mem::replace(&mut done, end);
            Some(Run { at, len: end - start, skip })
        })
    }

    /// The windows that see the same taps, along each axis: first the greatest band of each.
    fn bands(&self) -> impl Iterator<Item = [Band; 2]> {
        let (h, w) = (self.h.bands(), self.w.bands());
        h.into_iter().flat_map(move |h| w.clone().into_iter().map(move |w| [h.clone(), w]))
    }

    /// Puts those of some windows side by side that see the same taps, from the first tap that they see on.
    fn group(&self, left: &mut LeftBlock<T>, windows: Range<usize>) {
        let rows = std::mem::take(&mut left.rows);
        left.order.clear();
        left.groups.clear();
        let width = self.w.output;
        let lines = windows.start / width..(windows.end - 1) / width + 1;
        for [h, w] in self.bands() {
            let (start, first) = (left.order.len(), self.tap(h.taps.start, w.taps.start));
            for line in lines.clone().filter(|line| h.windows.contains(&(line % self.h.output))) {
                let [from, to] = [w.windows.start, w.windows.end].map(|x| line * width + x);
                left.order.extend((from.max(windows.start)..to.min(windows.end)).map(|window| window - windows.start));
            }
            left.rows.extend(left.order[start..].iter().map(|&row| rows[row].wrapping_offset(first)));
            left.groups.push(Group { rows: start..left.order.len(), runs: 0..0 });
        }
    }
}

impl<T: SimdFloat> Lhs<T> for Patches<'_, T> {
    fn cut_depth(&self, depth: usize, _most: usize) -> Cuts {
        Cuts::of_size(depth, 1, DEPTH)
    }

    fn block(
        &self,
        _packer: Packer,
        left: &mut LeftBlock<T>,
        scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    ) {
        let windows = self.start + rows.start..self.start + rows.end;
        if left.held != rows {
            let lines = windows.start / self.w.output..(windows.end - 1) / self.w.output + 1;
            let among = windows.start - lines.start * self.w.output..windows.end - lines.start * self.w.output;
            if self.copied == Copied::Lines {
                let (copy, places) = self.copy(scratch, lines);
                places.find(copy.as_ptr(), among, &mut left.rows);
            } else {
                self.places(lines).find(self.image.as_ptr(), among, &mut left.rows);
            }
            if self.copied == Copied::Edges {
                self.copy_edges(scratch, windows.clone(), &mut left.rows);
            }
            if self.h.banded || self.w.banded {
                self.group(left, windows);
            }
            left.held = rows;
        }
        left.runs.clear();
        for (i, [h, w]) in self.bands().enumerate() {
            let first = left.runs.len();
            left.runs.extend(self.columns(depth.clone(), [h.taps, w.taps]));
            if let Some(group) = left.groups.get_mut(i) {
                group.runs = first..left.runs.len();
            }
        }
        // what several taps see comes by itself for the later ones
        (left.step, left.cold) = (1, self.copied != Copied::Lines && self.h.kernel * self.w.kernel == 1);
    }
}

/// The transpose: a row for each tap and channel, a column for each window. The patches lie in memory as they are, see
/// [`StoredImages`].
#[derive(Clone, Copy)]
pub(super) struct Transposed<'a, T>(Patches<'a, T>);

impl<T: SimdFloat> Lhs<T> for Transposed<'_, T> {
    fn cut_depth(&self, depth: usize, most: usize) -> Cuts {
        // a step reads part of two cache lines; half the depth keeps them and B in the first-level cache
        Cuts::of_size(depth, self.0.w.output, most / 2)
    }

    fn block(
        &self,
        _packer: Packer,
        left: &mut LeftBlock<T>,
        _scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    ) {
        let p = &self.0;
        assert!(p.copied == Copied::Nothing, "the patches lie in memory");
        let lines = p.places(depth.start / p.w.output..depth.end / p.w.output);
        left.runs.clear();
        left.runs.extend(lines.lines.iter().map(|&at| Run { at, len: p.w.output, skip: 0 }));
        let (width, skip) = (p.width(), rows.start % p.width());
        let taps = [0..p.h.kernel, 0..p.w.kernel];
        let pieces = p.columns(rows.start - skip..rows.end, taps).map(|run| run.at).collect();
        let pieces = Rows { lines: pieces, width, skip, row: 1 };
        pieces.find(p.image.as_ptr(), 0..rows.len(), &mut left.rows);
        // each step lies in a cache line of its own
        (left.step, left.cold) = (lines.row, lines.row >= 16);
    }
}

/// Images of which every patch lies in memory: as they are, or copied at once with what [`Patches`] would copy for every
/// block, their padding, and pixels that do not collide.
pub(super) struct StoredImages<'a, T> {
    /// Channels last.
    x: &'a [T],
    g: &'a ConvGeometry,
    copy: Option<PaddedCopy>,
}

/// The copy of images, and the axes and channels that it has.
struct PaddedCopy {
    images: Buffer,
    axes: [Axis; 2],
    channels: usize,
}

impl<'a, T: SimdFloat> StoredImages<'a, T> {
    /// The channels-last images x of a convolution.
    pub fn new(x: &'a [T], g: &'a ConvGeometry) -> Self {
        let [h, w] = [g.window.h, g.window.w].map(Axis::new);
        let all = Patches::whole(x, h, w, g.channels, 0..g.channels);
        let copy = (all.copied != Copied::Nothing).then(|| Patches { copied: Copied::Lines, ..all }.copy_all(g.batch));
        Self { x, g, copy }
    }

    /// The patches of some images, in some of their channels.
    pub fn patches(&self, images: Range<usize>, group: Range<usize>) -> Transposed<'_, T> {
        let some = |x: &'_ [T]| {
            let image = x.len() / self.g.batch.max(1);
            images.start * image..images.end * image
        };
        Transposed(match &self.copy {
            Some(PaddedCopy { images, axes: [h, w], channels }) => {
                let copy = images.as_slice();
                Patches::over(&copy[some(copy)], *h, *w, *channels, group)
            }
            None => Patches::new(&self.x[some(self.x)], self.g.window, self.g.channels, group),
        })
    }
}

impl<T: SimdFloat> Patches<'_, T> {
    /// Copies all lines that windows see of so many images.
    fn copy_all(&self, batch: usize) -> PaddedCopy {
        let (high, line) = (self.h.span(&(0..self.h.output)), self.line());
        let height = high.clone().count();
        let images = Buffer::build(batch * height * line, |to| {
            let to = Shared::new(to);
            for_each(batch * height, line, |i| {
                // SAFETY: each line has a place of its own.
                let to = unsafe { to.part(i * line, (i + 1) * line) };
                self.copy_line(i / height, high.start + (i % height) as isize, 0..self.w.output, to);
            });
        });
        let inner = |axis: Axis| Axis { input: axis.span(&(0..axis.output)).count(), before: 0, ..axis };
        PaddedCopy { images, axes: [inner(self.h), inner(self.w)], channels: self.pixel() }
    }
}
