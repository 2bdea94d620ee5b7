//! Channels-first images with the channels put last: the lines under one row of tiles at a time, while they are in the core's
//! cache. Images that are exchanged as a whole are written and read once more.

use super::factors::{side, step};
use super::transform::{Cotangents, Inputs, Rows, position};
use super::{Axis, Images};
use crate::gemm::Scratch;
use crate::par::Shared;
use crate::simd::{Level, Upcoming, Words, run_at, transpose};
use cotangent_base::DataFormat;
use std::ops::Range;

/// Some channels of channels-first images.
#[derive(Clone, Copy)]
struct Channels<'a> {
    /// `[n, c, h, w]`.
    x: &'a [f32],
    /// All channels, the height, the width.
    size: [usize; 3],
    /// The first of these channels, and how many.
    channels: [usize; 2],
}

/// Some lines of some channels, `[h, w, c]`.
pub(super) struct Lines {
    scratch: Scratch<f32>,
    /// The image that they are of, and which they are.
    held: (usize, Range<usize>),
}

impl Lines {
    /// None yet.
    pub fn new() -> Self {
        Self { scratch: Scratch::new(), held: (0, 0..0) }
    }

    /// The lines of image `n`, at most `most`, which is always the same. Those that were there last stay there.
    fn bring(&mut self, level: Level, images: Channels, n: usize, lines: Range<usize>, most: usize) -> &[f32] {
        let Channels { x, size: [all, height, width], channels: [first, channels] } = images;
        assert!(lines.len() <= most && lines.end <= height && first + channels <= all && level.is_available());
        let (line, held) = (width * channels, std::mem::replace(&mut self.held, (n, lines.clone())));
        let here = self.scratch.take(most * line);
        let there = match held.0 == n && held.1.contains(&lines.start) {
            true => held.1.end.min(lines.end) - lines.start,
            false => 0,
        };
        if there > 0 {
            let from = (lines.start - held.1.start) * line;
            here.copy_within(from..from + there * line, 0);
        }
        let x = &x[(n * all + first) * height * width..][..channels * height * width];
        let rest = (lines.start + there) * width..lines.end * width;
        if !rest.is_empty() {
            let from = Words { at: x[rest.start..].as_ptr().cast(), row: (height * width) as isize };
            let to = Words { at: here[there * line..].as_mut_ptr().cast(), row: channels as isize };
            // SAFETY: the CPU has the level; the lines lie in each channel's image, and there is room for them.
            unsafe { transpose(level, from, to, [channels, rest.len()]) }
        }
        &here[..lines.len() * line]
    }
}

/// Calls `run(n, row, columns, i)` for each row of tiles, the first of whose `columns` is tile `tiles.start + i`.
fn rows(tiles: &Range<usize>, grid: [usize; 2], mut run: impl FnMut(usize, usize, Range<usize>, usize)) {
    let mut tile = tiles.start;
    while tile < tiles.end {
        let (n, [row, column]) = position(tile, grid);
        let end = grid[1].min(column + tiles.end - tile);
        run(n, row, column..end, tile - tiles.start);
        tile += end - column;
    }
}

impl Rows {
    /// From row `i` of each place on.
    fn from(self, i: usize) -> Self {
        Self { to: Shared::at(self.to.ptr().wrapping_add(i * self.apart)), ..self }
    }
}

impl<const N: usize, const I: usize> Inputs<'_, N, I> {
    /// Transforms the tiles of images in either format.
    pub fn compute(self, level: Level, lines: &mut Lines) {
        let Images { x, axes: [h, w], channels, format } = self.images;
        if format == DataFormat::ChannelsLast {
            return run_at(level, self);
        }
        let count = self.channels.len();
        let images = Channels { x, size: [channels, h.input, w.input], channels: [self.channels.start, count] };
        rows(&self.tiles, self.grid, |n, row, columns, i| {
            let [above, below] = [0, N].map(|i| step(N) * row + i);
            let seen = above.saturating_sub(h.before).min(h.input)..below.saturating_sub(h.before).min(h.input);
            let axis = Axis { input: seen.len(), before: h.before.saturating_sub(above) };
            let x = lines.bring(level, images, n, seen, N);
            let images = Images { x, axes: [axis, w], channels: count, format: DataFormat::ChannelsLast };
            let grid = [1, self.grid[1]];
            let (channels, v, ahead) = (0..count, self.v.from(i), Upcoming::nothing());
            run_at(level, Inputs::<N, I> { images, channels, grid, tiles: columns, v, ahead });
        });
    }
}

impl<const N: usize> Cotangents<'_, N> {
    /// Transforms the tiles of images in either format.
    pub fn compute(self, level: Level, lines: &mut Lines) {
        let [height, width, filters] = self.size;
        if self.format == DataFormat::ChannelsLast {
            return run_at(level, self);
        }
        let count = self.filters.len();
        let images = Channels { x: self.dy, size: [filters, height, width], channels: [self.filters.start, count] };
        rows(&self.tiles, self.grid, |n, row, columns, i| {
            let seen = (side(N) * row).min(height)..(side(N) * (row + 1)).min(height);
            let (size, grid) = ([seen.len(), width, count], [1, self.grid[1]]);
            let dy = lines.bring(level, images, n, seen, side(N));
            let (format, filters) = (DataFormat::ChannelsLast, 0..count);
            run_at(level, Cotangents::<N> { dy, format, size, filters, grid, tiles: columns, m: self.m.from(i) });
        });
    }
}
