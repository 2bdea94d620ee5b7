//! Which patches of an image take part, filter by filter.

use super::frame::Frame;
use crate::simd::SimdFloat;
use cotangent_base::{ConvGeometry, PoolGeometry};
use std::ops::Range;

/// How many numbers of the frame the windows of a band see, at most: what the first-level cache holds beside the
/// lists.
const BAND: usize = 6 << 10;

/// A window that won, and the cotangent that it gets.
#[derive(Clone, Copy, Default)]
pub(super) struct Hit<T> {
    /// The place of its patch in the frame.
    pub at: u32,
    /// The cotangent, not 0.
    pub value: T,
}

/// Marks a tap that lies in the pooling's padding, which never wins.
const NOWHERE: u32 = u32::MAX;

/// For each filter of a group, the windows that won in a band of pooled rows, in row-major order.
pub(super) struct Hits<T> {
    /// A list for each filter, `room` hits long; `counts` of them are in use.
    hits: Vec<Hit<T>>,
    counts: Vec<u32>,
    room: usize,
    /// For each pooled window and each of its taps, the place of the convolution's patch there.
    places: Vec<u32>,
    taps: usize,
    /// The size of the pooled image, the rows of a band, and all filters of the convolution.
    size: [usize; 2],
    band: usize,
    stride: usize,
}

impl<T: SimdFloat> Hits<T> {
    /// No hits yet.
    pub fn new(conv: &ConvGeometry, pool: &PoolGeometry, frame: &Frame) -> Self {
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
        let (room, filters) = (band * w.output, conv.filters / conv.groups);
        let hits = vec![Hit::default(); filters * room];
        let size = [h.output, w.output];
        Self {
            hits,
            counts: vec![0; filters],
            room,
            places,
            taps: h.kernel * w.kernel,
            size,
            band,
            stride: conv.filters,
        }
    }

    /// The bands of pooled rows.
    pub fn bands(&self) -> impl Iterator<Item = Range<usize>> + use<T> {
        let (rows, band) = (self.size[0], self.band);
        (0..rows).step_by(band).map(move |top| top..rows.min(top + band))
    }

    /// Lists the hits of a band; `dy` and `taps` begin with the image's first window and the group's first filter.
    pub fn collect(&mut self, dy: &[T], taps: &[u32], rows: Range<usize>) {
        self.counts.fill(0);
        let filters = self.counts.len();
        for window in rows.start * self.size[1]..rows.end * self.size[1] {
            let places = &self.places[window * self.taps..][..self.taps];
            let numbers = dy[window * self.stride..][..filters].iter().zip(&taps[window * self.stride..][..filters]);
            let lists = self.hits.chunks_exact_mut(self.room).zip(&mut self.counts);
            for ((&value, &tap), (list, count)) in numbers.zip(lists) {
                // written in any case, and kept if it counts: whether it does is hard to guess
                let at = places[tap as usize];
                list[*count as usize] = Hit { at, value };
                *count += u32::from((value != T::default()) & (at != NOWHERE));
            }
        }
    }

    /// The hits of each filter.
    pub fn lists(&self) -> impl Iterator<Item = &[Hit<T>]> {
        self.hits.chunks_exact(self.room.max(1)).zip(&self.counts).map(|(list, &count)| &list[..count as usize])
    }
}
