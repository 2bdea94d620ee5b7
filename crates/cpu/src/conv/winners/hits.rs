//! Which patches of an image take part, filter by filter.

use super::frame::Frame;
use crate::simd::{Level, Lists, Matrix, NOWHERE, SPARE, SimdFloat, list_columns};
use cotangent_base::{ConvGeometry, PoolGeometry};
use std::ops::Range;

/// How many numbers of the frame the windows of a band see, at most: what the first-level cache holds beside the
/// lists.
const BAND: usize = 6 << 10;

/// For each filter of a group, the windows that won in a band of pooled rows, in row-major order: their places in the frame
/// and the cotangents that they get, none of which is 0.
pub(super) struct Hits<T> {
    level: Level,
    /// A list for each filter, `room` long; `counts` are in use.
    at: Vec<u32>,
    values: Vec<T>,
    counts: Vec<u32>,
    room: usize,
    /// For each pooled window and each of its taps, the place of the convolution's patch there; none in the pooling's
    /// padding, which never wins.
    places: Vec<u32>,
    taps: usize,
    /// The size of the pooled image, the rows of a band, and all filters of the convolution.
    size: [usize; 2],
    band: usize,
    stride: usize,
}

impl<T: SimdFloat> Hits<T> {
    /// No hits yet.
    pub fn new(level: Level, conv: &ConvGeometry, pool: &PoolGeometry, frame: &Frame) -> Self {
        assert!(frame.count() < NOWHERE as usize, "[conv2d_max_pool2d] an image of {} numbers", frame.count());
        let (h, w) = (pool.window.h, pool.window.w);
        let images = [conv.window.h.output, conv.window.w.output];
        assert_eq!([h.input, w.input], images, "[conv2d_max_pool2d] the images between convolution and pooling");
        let [down, right] = [conv.window.h.stride * frame.line, conv.window.w.stride * frame.pixel];
        let place = |y: Option<usize>, x: Option<usize>| Some((y? * down + x? * right) as u32);
        let mut places = Vec::with_capacity(h.output * w.output * h.kernel * w.kernel);
        for (y, x) in (0..h.output).flat_map(|y| (0..w.output).map(move |x| (y, x))) {
            for (i, j) in (0..h.kernel).flat_map(|i| (0..w.kernel).map(move |j| (i, j))) {
                places.push(place(h.at(y, i), w.at(x, j)).unwrap_or(NOWHERE));
            }
        }
        let lines = |rows: usize| ((rows - 1) * h.stride + h.kernel) * conv.window.h.stride;
        let band = (1..=h.output).take_while(|&rows| lines(rows) * frame.line <= BAND).last().unwrap_or(1);
        let (room, filters) = (band * w.output + SPARE, conv.filters / conv.groups);
        let size = [h.output, w.output];
        Self {
            level,
            at: vec![0; filters * room],
            values: vec![T::default(); filters * room],
            counts: vec![0; filters],
            room,
            places,
            taps: h.kernel * w.kernel,
            size,
            band,
            stride: conv.filters,
        }
    }

    /// The filters of a group.
    pub fn filters(&self) -> usize {
        self.counts.len()
    }

    /// The bands of pooled rows.
    pub fn bands(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<T> {
        let (rows, band) = (self.size[0], self.band);
        (0..rows).step_by(band).map(move |top| top..rows.min(top + band))
    }

    /// Lists the hits of a band, and adds what each filter gets to `sums`; `dy`, the results `y` of a ReLU behind the pooling
    /// if there is one, and `taps` begin with the image's first window and the group's first filter.
    pub fn collect(&mut self, dy: &[T], y: Option<&[T]>, taps: &[u32], rows: Range<usize>, sums: &mut [T]) {
        let (columns, each, first) = (self.counts.len(), self.taps, rows.start * self.size[1]);
        let table = &self.places[first * each..rows.end * self.size[1] * each];
        let behind = first * self.stride;
        let (numbers, gates, choices) = (&dy[behind..], y.map(|y| &y[behind..]), &taps[behind..]);
        let from = Matrix { numbers, gates, choices, row: self.stride, columns, table, each };
        let to =
            Lists { places: &mut self.at, numbers: &mut self.values, counts: &mut self.counts, room: self.room, sums };
        list_columns(self.level, from, to);
    }

    /// The hits of each filter.
    pub fn lists(&self) -> impl Iterator<Item = (&[u32], &[T])> {
        let lists = self.at.chunks_exact(self.room).zip(self.values.chunks_exact(self.room)).zip(&self.counts);
        lists.map(|((at, values), &count)| (&at[..count as usize], &values[..count as usize]))
    }
}
