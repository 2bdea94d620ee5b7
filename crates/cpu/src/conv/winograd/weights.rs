//! Weights into the transformed places.

use super::factors::{spread, weights_of};
use crate::Buffer;
use crate::gemm::{Cuts, Scratch};
use crate::par::{Shared, for_ranges};
use crate::simd::{Kernel, Level, Vector, Words, run_at, transpose};
use cotangent_base::DType;
use std::ops::Range;

/// The most channels that are transformed at a time.
const CHUNK: usize = 16;

/// The weights of 3 × 3 taps that a convolution multiplies with.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `[tap, c, k]`; if they are flipped `[tap, k, c]`, the last tap first.
    w: &'a [f32],
    channels: usize,
    filters: usize,
    flipped: bool,
}

impl<'a> Weights<'a> {
    /// Those of a convolution with weights `[tap, c, k]`.
    pub fn of(w: &'a [f32], [channels, filters]: [usize; 2]) -> Self {
        assert!(w.len() == 9 * channels * filters);
        Self { w, channels, filters, flipped: false }
    }

    /// Those that make the cotangent of that convolution's images: its taps flipped, its channels and filters exchanged.
    pub fn flipped(self) -> Self {
        Self { channels: self.filters, filters: self.channels, flipped: !self.flipped, ..self }
    }

    /// `u[place, panel, c, column] = G·g·Gᵀ`, in panels of `width` filters, a multiple of all vectors; filters that are over
    /// in the last panel are 0.
    pub fn transformed<const P: usize>(self, level: Level, width: usize) -> Buffer {
        let Self { channels, filters, .. } = self;
        let (panels, chunks) = (filters.div_ceil(width), Cuts::of_size(channels, 1, CHUNK));
        let place = panels * channels * width;
        let mut u = Buffer::uninit(DType::F32, weights_of(P).pow(2) * place);
        let to = Shared::new(u.as_mut::<f32>());
        for_ranges(panels * chunks.blocks(), 1, |start, end| {
            let mut scratch = Scratch::new();
            for i in start..end {
                let (panel, some) = (i / chunks.blocks(), chunks.range(i % chunks.blocks()));
                let u = to.ptr().wrapping_add((panel * channels + some.start) * width);
                let filters = panel * width..filters.min((panel + 1) * width);
                let (count, columns) = (some.len(), filters.len());
                let taps = self.taps(level, some, filters, &mut scratch);
                run_at(level, Transform::<P> { taps, channels: count, filters: columns, width, u, place });
            }
        });
        u
    }

    /// The taps of some channels and filters, put in `scratch` if they are flipped.
    fn taps<'s>(
        &self,
        level: Level,
        channels: Range<usize>,
        filters: Range<usize>,
        scratch: &'s mut Scratch<f32>,
    ) -> Taps<'s>
    where
        'a: 's,
    {
        if !self.flipped {
            let from = &self.w[channels.start * self.filters + filters.start..];
            return Taps { from, tap: self.channels * self.filters, channel: self.filters };
        }
        let (rows, columns) = (filters.len(), channels.len());
        let all = scratch.take(9 * rows * columns);
        assert!(level.is_available());
        for (tap, to) in all.chunks_exact_mut(rows * columns).enumerate() {
            let from = &self.w[((8 - tap) * self.filters + filters.start) * self.channels + channels.start..];
            let from = Words { at: from.as_ptr().cast(), row: self.channels as isize };
            let to = Words { at: to.as_mut_ptr().cast(), row: rows as isize };
            // SAFETY: the CPU has the level, the filters' channels lie in w, and there is room for them.
            unsafe { transpose(level, from, to, [rows, columns]) }
        }
        Taps { from: all, tap: rows * columns, channel: rows }
    }
}

/// Where the filters of some channels lie, those of a channel side by side.
struct Taps<'a> {
    /// From the first on.
    from: &'a [f32],
    /// From tap to tap,
    tap: usize,
    /// and from channel to channel.
    channel: usize,
}

/// `u[place, c, column] = G·g·Gᵀ` for some channels and one panel.
struct Transform<'a, const P: usize> {
    taps: Taps<'a>,
    channels: usize,
    /// Those of the panel.
    filters: usize,
    width: usize,
    u: *mut f32,
    /// From place to place.
    place: usize,
}

impl<const P: usize> Kernel<f32> for Transform<'_, P> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        let Self { taps: Taps { from, tap, channel }, channels, filters, width, u, place } = self;
        assert!(8 * tap + (channels - 1) * channel + filters <= from.len() && width.is_multiple_of(V::WIDTH));
        for (c, k) in (0..channels).flat_map(|c| (0..width).step_by(V::WIDTH).map(move |k| (c, k))) {
            let count = filters.saturating_sub(k).min(V::WIDTH);
            let (from, to) = (from.as_ptr().wrapping_add(c * channel + k), u.wrapping_add(c * width + k));
            // SAFETY: `count` filters from k on are there, and the row of each place is the caller's alone.
            unsafe {
                let mut lines = [[V::zero(); 3]; P];
                for x in 0..3 {
                    let mut g = [V::zero(); 3];
                    for (y, g) in g.iter_mut().enumerate() {
                        *g = V::load_next(from.wrapping_add((3 * y + x) * tap), count);
                    }
                    for (line, value) in lines.iter_mut().zip(spread::<V, P>(g)) {
                        line[x] = value;
                    }
                }
                let side = const { weights_of(P) };
                for (y, line) in lines.into_iter().enumerate().take(side) {
                    for (x, value) in spread::<V, P>(line).into_iter().enumerate().take(side) {
                        value.store(to.add((side * y + x) * place));
                    }
                }
            }
        }
    }
}
