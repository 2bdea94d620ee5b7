//! Into the transformed places and back.

use super::factors::{differences, gather, opposites, side, step, sums, weights_of};
use super::{Axis, Finish, Images};
use crate::par::Shared;
use crate::simd::{Kernel, Upcoming, Vector};
use cotangent_base::DataFormat;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What has been written there: vectors that wait in memory, as there are more of them than registers. Zeros that stood there before
/// would be written for nothing.
///
/// # Safety
/// All of them are written.
#[inline(always)]
unsafe fn written<V: Vector, const N: usize>(vectors: &[MaybeUninit<V>; N]) -> [V; N] {
    // SAFETY: the caller's promise.
    unsafe { vectors.as_ptr().cast::<[V; N]>().read() }
}

/// The row and column of a tile, and its image.
pub(super) fn position(tile: usize, [rows, columns]: [usize; 2]) -> (usize, [usize; 2]) {
    let in_image = tile % (rows * columns);
    (tile / (rows * columns), [in_image / columns, in_image % columns])
}

/// `v[place, tile] = Bᵀ·d·B` for some tiles and channels of images with channels last.
pub(super) struct Inputs<'a, const N: usize, const I: usize> {
    pub images: Images<'a>,
    pub channels: Range<usize>,
    pub grid: [usize; 2],
    pub tiles: Range<usize>,
    pub v: Rows,
    /// What is asked for meanwhile.
    pub ahead: Upcoming,
}

/// Where transformed tiles are written: tile i of `tiles` at row i of each place.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub to: Shared<f32>,
    /// The rows of a place.
    pub count: usize,
    /// From row to row.
    pub apart: usize,
}

impl Rows {
    /// Writes line `y` of the places of a tile from number `at` of its rows on.
    ///
    /// # Safety
    /// The rows are there and reach a vector beyond `at`, and nobody else has them.
    #[inline(always)]
    unsafe fn write<V: Vector<Scalar = f32>, const P: usize>(&self, tile: usize, at: usize, y: usize, places: [V; P]) {
        let place = self.count * self.apart;
        let to = self.to.ptr().wrapping_add(P * y * place + tile * self.apart + at);
        for (x, value) in places.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { value.store(to.add(x * place)) };
        }
    }
}

impl<const N: usize, const I: usize> Inputs<'_, N, I> {
    /// The pixels under a tile; those outside the image are `zeros`.
    fn pixels(&self, tile: usize, zeros: &[f32]) -> [[*const f32; N]; N] {
        let Images { x, axes: [h, w], channels, .. } = self.images;
        let (n, [row, column]) = position(tile, self.grid);
        let image = &x[n * h.input * w.input * channels..][..h.input * w.input * channels];
        let inside = |tile: usize, i: usize, axis: Axis| {
            (step(N) * tile + i).checked_sub(axis.before).filter(|&at| at < axis.input)
        };
        let columns: [_; N] = std::array::from_fn(|x| inside(column, x, w));
        std::array::from_fn(|y| {
            let line = inside(row, y, h).map(|y| image[y * w.input * channels..][..w.input * channels].as_ptr());
            std::array::from_fn(|x| match (line, columns[x]) {
                (Some(line), Some(x)) => line.wrapping_add(x * channels),
                _ => zeros.as_ptr(),
            })
        })
    }
}

impl<const N: usize, const I: usize> Kernel<f32> for Inputs<'_, N, I> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        let channels = self.channels.clone();
        assert!(self.images.format == DataFormat::ChannelsLast);
        assert!(channels.end <= self.images.channels && self.v.apart >= channels.len().next_multiple_of(V::WIDTH));
        let zeros = vec![0.0; self.images.channels];
        for (i, tile) in self.tiles.clone().enumerate() {
            self.ahead.part(i, self.tiles.len()).to_read_later();
            let pixels = self.pixels(tile, &zeros);
            for c in channels.clone().step_by(V::WIDTH) {
                let rest = channels.end - c;
                // SAFETY: each pixel holds all channels, and a row of v whole vectors of them; whoever gave the rows
                // vouches for them.
                unsafe {
                    // loops, for closures over vectors are not sure to be inlined
                    let mut rows = [[MaybeUninit::uninit(); N]; I];
                    for x in 0..N {
                        let mut column = [V::zero(); N];
                        for (y, d) in column.iter_mut().enumerate() {
                            let from = pixels[y][x].add(c);
                            *d = V::load_next(from, rest);
                        }
                        for (row, d) in rows.iter_mut().zip(differences::<V, N, I>(column)) {
                            row[x].write(d);
                        }
                    }
                    for (y, row) in rows.iter().enumerate() {
                        self.v.write::<V, I>(i, c - channels.start, y, differences(written(row)));
                    }
                }
            }
        }
    }
}

/// `y = Aᵀ·m·A` for some tiles, given to `finish`. Says whether all of them are finite.
pub(super) struct Outputs<'a, F, const N: usize, const P: usize> {
    pub filters: usize,
    pub grid: [usize; 2],
    pub tiles: Range<usize>,
    /// From tile to tile in m.
    pub apart: usize,
    pub m: &'a [f32],
    pub finish: &'a F,
}

impl<F: Finish, const N: usize, const P: usize> Kernel<f32> for Outputs<'_, F, N, P> {
    type Output = bool;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> bool {
        let count = self.tiles.len();
        assert!(self.apart >= self.filters.next_multiple_of(V::WIDTH) && self.m.len() >= P * P * count * self.apart);
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
                    let mut rows = [[MaybeUninit::uninit(); P]; 4];
                    for x in 0..P {
                        let mut column = [V::zero(); P];
                        for (y, m) in column.iter_mut().enumerate() {
                            let from = from.add((P * y + x) * count * self.apart);
                            *m = V::load_next(from, filters);
                        }
                        for (row, sum) in rows.iter_mut().zip(sums::<V, N, P>(column)) {
                            row[x].write(sum);
                        }
                    }
                    // in squares of four results
                    let squares = const { side(N) / 2 };
                    for down in 0..squares {
                        let [above, below] = [written(&rows[2 * down]), written(&rows[2 * down + 1])];
                        let (above, below) = (sums::<V, N, P>(above), sums::<V, N, P>(below));
                        for across in 0..squares {
                            let (left, right) = (2 * across, 2 * across + 1);
                            let y = [[above[left], above[right]], [below[left], below[right]]];
                            finite = V::fma(y[0][0] + y[0][1] + (y[1][0] + y[1][1]), V::zero(), finite);
                            self.finish.square(n, [squares * row + down, squares * column + across], k, filters, y);
                        }
                    }
                }
            }
        }
        finite.sum() == 0.0
    }
}

/// `m[place, tile] = A·dy·Aᵀ` for some tiles and filters of cotangents `[n, h, w, k]`: the transpose of what [`Outputs`]
/// does.
pub(super) struct Cotangents<'a, const N: usize> {
    pub dy: &'a [f32],
    /// Last, but for [`compute`](Cotangents::compute).
    pub format: DataFormat,
    /// The height, width and filters of its images.
    pub size: [usize; 3],
    pub filters: Range<usize>,
    pub grid: [usize; 2],
    pub tiles: Range<usize>,
    pub m: Rows,
}

impl<const N: usize> Kernel<f32> for Cotangents<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) {
        let Cotangents { dy, format, size: [height, width, all], filters, .. } = self;
        assert!(format == DataFormat::ChannelsLast);
        assert!(filters.end <= all && self.m.apart >= filters.len().next_multiple_of(V::WIDTH));
        for (i, tile) in self.tiles.clone().enumerate() {
            let (n, [row, column]) = position(tile, self.grid);
            let (row, column) = (side(N) * row, side(N) * column);
            for k in filters.clone().step_by(V::WIDTH) {
                let mut rows = [[MaybeUninit::uninit(); 4]; N];
                for x in 0..4 {
                    let mut column_y = [V::zero(); 4];
                    for (y, d) in column_y.iter_mut().enumerate().take(side(N)) {
                        let (row, column) = (row + y, column + x);
                        if x < side(N) && row < height && column < width {
                            let from = dy[((n * height + row) * width + column) * all + k..].as_ptr();
                            // SAFETY: so many filters are there.
                            *d = unsafe { V::load_next(from, filters.end - k) };
                        }
                    }
                    for (row, d) in rows.iter_mut().zip(opposites::<V, N>(column_y)) {
                        row[x].write(d);
                    }
                }
                for (y, row) in rows.iter().enumerate() {
                    // SAFETY: whoever gave the rows of m vouches for them; they hold whole vectors.
                    unsafe { self.m.write::<V, N>(i, k - filters.start, y, opposites(written(row))) };
                }
            }
        }
    }
}

/// `dw = Gᵀ·du·G` for some channels and filters. Says whether all of it is finite.
pub(super) struct WeightCotangents<'a, const N: usize> {
    /// `[sum, c, k]` of these, with rows `apart`.
    pub du: &'a [f32],
    pub apart: usize,
    pub channels: Range<usize>,
    pub filters: Range<usize>,
    /// All channels and filters.
    pub sizes: [usize; 2],
    /// `[tap, c, k]` of all.
    pub dw: *mut f32,
}

impl<const N: usize> Kernel<f32> for WeightCotangents<'_, N> {
    type Output = bool;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> bool {
        let (count, filters) = (self.channels.len(), self.filters.len());
        let side = const { weights_of(N) };
        assert!(self.apart >= filters.next_multiple_of(V::WIDTH) && self.du.len() >= side * side * count * self.apart);
        let [all_channels, all] = self.sizes;
        assert!(self.channels.end <= all_channels && self.filters.end <= all);
        let mut finite = V::zero(); // stays 0 while all results are finite
        for (i, c) in self.channels.clone().enumerate() {
            for k in (0..filters).step_by(V::WIDTH) {
                let rest = filters - k;
                // SAFETY: a row of du holds whole vectors, and the numbers behind its last filter are not used; this part
                // of dw is the caller's alone.
                unsafe {
                    let mut lines = [[V::zero(); N]; 3];
                    for x in 0..side {
                        let mut column = [V::zero(); N];
                        for (y, u) in column.iter_mut().enumerate().take(side) {
                            let from = self.du.as_ptr().add(((side * y + x) * count + i) * self.apart + k);
                            *u = V::load_next(from, rest);
                        }
                        for (line, value) in lines.iter_mut().zip(gather(column)) {
                            line[x] = value;
                        }
                    }
                    for (y, line) in lines.into_iter().enumerate() {
                        for (x, value) in gather(line).into_iter().enumerate() {
                            finite = V::fma(value, V::zero(), finite);
                            let to = self.dw.add(((3 * y + x) * all_channels + c) * all + self.filters.start + k);
                            value.store_next(to, rest);
                        }
                    }
                }
            }
        }
        finite.sum() == 0.0
    }
}
