//! Into the transformed places and back.

use super::{Finish, PLACES, Winograd};
use crate::par::Shared;
use crate::simd::{Kernel, Vector};
use std::ops::Range;

/// `u[place, panel, c, column] = G·g·Gᵀ` of weights `[tap, c, k]`, in panels of `width` filters; filters that are over in
/// the last panel are 0.
pub(super) struct Weights<'a> {
    pub w: &'a [f32],
    pub channels: usize,
    pub filters: usize,
    /// A multiple of all vectors.
    pub width: usize,
    /// Some pairs of a panel and a channel.
    pub rows: Range<usize>,
    pub u: Shared<f32>,
}

/// G applied to three numbers.
#[inline(always)]
fn spread<V: Vector>([a, b, c]: [V; 3]) -> [V; 4] {
    let (half, outer) = (V::splat(0.5), a + c);
    [a, half * (outer + b), half * (outer - b), c]
}

impl Kernel<f32> for Weights<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        let Weights { w, channels, filters, width, rows, u } = self;
        assert!(w.len() == 9 * channels * filters && width.is_multiple_of(V::WIDTH));
        let size = filters.div_ceil(width) * channels * width;
        for row in rows {
            for column in (0..width).step_by(V::WIDTH) {
                let k = row / channels * width + column;
                let count = filters.saturating_sub(k).min(V::WIDTH);
                let from = w.as_ptr().wrapping_add(row % channels * filters + k);
                let to = u.ptr().wrapping_add(row * width + column);
                // SAFETY: `count` filters from k on are there, and the row of each place is the caller's alone.
                unsafe {
                    let mut lines = [[V::zero(); 3]; 4];
                    for x in 0..3 {
                        let mut g = [V::zero(); 3];
                        for (y, g) in g.iter_mut().enumerate() {
                            let from = from.wrapping_add((3 * y + x) * channels * filters);
                            *g = if count < V::WIDTH { V::load_part(from, count) } else { V::load(from) };
                        }
                        for (line, value) in lines.iter_mut().zip(spread(g)) {
                            line[x] = value;
                        }
                    }
                    for (y, line) in lines.into_iter().enumerate() {
                        for (x, value) in spread(line).into_iter().enumerate() {
                            value.store(to.add((4 * y + x) * size));
                        }
                    }
                }
            }
        }
    }
}

/// The row and column of a tile, and its image.
fn position(tile: usize, [rows, columns]: [usize; 2]) -> (usize, [usize; 2]) {
    let in_image = tile % (rows * columns);
    (tile / (rows * columns), [in_image / columns, in_image % columns])
}

/// `v[place, tile] = Bᵀ·d·B` for some tiles.
pub(super) struct Inputs<'a> {
    pub conv: &'a Winograd<'a>,
    pub grid: [usize; 2],
    pub tiles: Range<usize>,
    /// From tile to tile in v.
    pub apart: usize,
    pub v: &'a mut [f32],
}

impl Inputs<'_> {
    /// The sixteen pixels under a tile; those outside the image are `zeros`.
    fn pixels(&self, tile: usize, zeros: &[f32]) -> [*const f32; PLACES] {
        let Winograd { x, axes: [h, w], channels, .. } = *self.conv;
        let (n, [row, column]) = position(tile, self.grid);
        let image = &x[n * h.input * w.input * channels..][..h.input * w.input * channels];
        std::array::from_fn(|place| {
            let y = (2 * row + place / 4).checked_sub(h.before).filter(|&y| y < h.input);
            let x = (2 * column + place % 4).checked_sub(w.before).filter(|&x| x < w.input);
            match (y, x) {
                (Some(y), Some(x)) => image[(y * w.input + x) * channels..][..channels].as_ptr(),
                _ => zeros.as_ptr(),
            }
        })
    }
}

/// Bᵀ applied to four numbers.
#[inline(always)]
fn differences<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 4] {
    [a - c, b + c, c - b, b - d]
}

/// Aᵀ applied to four numbers.
#[inline(always)]
fn sums<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 2] {
    let (sum, difference) = (b + c, b - c);
    [a + sum, difference - d]
}

impl Kernel<f32> for Inputs<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        let (channels, count) = (self.conv.channels, self.tiles.len());
        assert!(self.apart >= channels.next_multiple_of(V::WIDTH) && self.v.len() >= PLACES * count * self.apart);
        let zeros = vec![0.0; channels];
        let v = self.v.as_mut_ptr();
        for (i, tile) in self.tiles.clone().enumerate() {
            let pixels = self.pixels(tile, &zeros);
            for c in (0..channels).step_by(V::WIDTH) {
                let rest = channels - c;
                // SAFETY: each pixel holds all channels, and a row of v whole vectors of them.
                unsafe {
                    // loops, for closures over vectors are not sure to be inlined
                    let mut rows = [[V::zero(); 4]; 4];
                    for x in 0..4 {
                        let mut column = [V::zero(); 4];
                        for (y, d) in column.iter_mut().enumerate() {
                            let from = pixels[4 * y + x].add(c);
                            *d = if rest < V::WIDTH { V::load_part(from, rest) } else { V::load(from) };
                        }
                        for (row, d) in rows.iter_mut().zip(differences(column)) {
                            row[x] = d;
                        }
                    }
                    for (y, row) in rows.into_iter().enumerate() {
                        for (x, value) in differences(row).into_iter().enumerate() {
                            value.store(v.add(((4 * y + x) * count + i) * self.apart + c));
                        }
                    }
                }
            }
        }
    }
}

/// `y = Aᵀ·m·A` for some tiles, given to `finish`. Says whether all of them are finite.
pub(super) struct Outputs<'a, F> {
    pub filters: usize,
    pub grid: [usize; 2],
    pub tiles: Range<usize>,
    /// From tile to tile in m.
    pub apart: usize,
    pub m: &'a [f32],
    pub finish: &'a F,
}

impl<F: Finish> Kernel<f32> for Outputs<'_, F> {
    type Output = bool;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> bool {
        let count = self.tiles.len();
        assert!(self.apart >= self.filters.next_multiple_of(V::WIDTH) && self.m.len() >= PLACES * count * self.apart);
        let m = self.m.as_ptr();
        let mut finite = V::zero(); // stays 0 while all results are finite
        for (i, tile) in self.tiles.clone().enumerate() {
            let (n, [row, column]) = position(tile, self.grid);
            for k in (0..self.filters).step_by(V::WIDTH) {
                let filters = (self.filters - k).min(V::WIDTH);
                let from = m.wrapping_add(i * self.apart + k);
                // SAFETY: a row of m holds whole vectors; what lies behind its last filter is not used. The tile is one
                // of the grid's.
                unsafe {
                    let mut rows = [[V::zero(); 4]; 2];
                    for x in 0..4 {
                        let mut column = [V::zero(); 4];
                        for (y, m) in column.iter_mut().enumerate() {
                            let from = from.add((4 * y + x) * count * self.apart);
                            *m = if filters < V::WIDTH { V::load_part(from, filters) } else { V::load(from) };
                        }
                        for (row, sum) in rows.iter_mut().zip(sums(column)) {
                            row[x] = sum;
                        }
                    }
                    let y = [sums(rows[0]), sums(rows[1])];
                    finite = V::fma(y[0][0] + y[0][1] + (y[1][0] + y[1][1]), V::zero(), finite);
                    self.finish.tile(n, [row, column], k, filters, y);
                }
            }
        }
        finite.sum() == 0.0
    }
}
