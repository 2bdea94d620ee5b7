//! Packing: blocks of A and B are copied to where the microkernel reads them in order, from any strides or from
//! matrices that exist nowhere in memory, as the patches of a convolution.

use super::kernel::{Left, Right, STRIDE, Tile};
use crate::Buffer;
use crate::simd::{Kernel, Level, SimdFloat, Vector, run_at};
use std::ops::Range;

/// A matrix A that can be packed block by block.
pub(crate) trait Lhs<T: SimdFloat>: Sync {
    /// Packs rows `rows` of columns `depth` (at most [`DEPTH`](super::loops::DEPTH) of them) into `scratch`.
    fn pack(&self, to: Packer, scratch: &mut Scratch<T>, rows: Range<usize>, depth: Range<usize>) -> Left<T>;
}

/// What packing needs to know of the microkernel.
#[derive(Clone, Copy)]
pub(crate) struct Packer {
    /// The instructions to use.
    pub level: Level,
    /// The microkernel's tile.
    pub tile: Tile,
}

/// Memory that one thread packs into, again and again; it grows as needed.
pub(crate) struct Scratch<T> {
    buffer: Buffer,
    element: std::marker::PhantomData<T>,
}

impl<T: SimdFloat> Scratch<T> {
    /// No memory yet.
    pub fn new() -> Self {
        Self { buffer: Buffer::uninit(T::DTYPE, 0), element: std::marker::PhantomData }
    }

    /// `count` numbers, whatever they are.
    pub fn take(&mut self, count: usize) -> &mut [T] {
        if self.buffer.len() < count {
            self.buffer = Buffer::uninit(T::DTYPE, count);
        }
        &mut self.buffer.as_mut::<T>()[..count]
    }
}

/// A matrix in memory: element (lane, k) at `at + lane·lane_stride + k·step`. Lanes are rows of A or columns
/// of B; k is what is summed over.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, T> {
    data: &'a [T],
    at: usize,
    lane: isize,
    step: isize,
}

impl<'a, T: SimdFloat> Strided<'a, T> {
    /// The matrix of `lanes × depth` elements.
    ///
    /// # Panics
    /// If some of them lie outside `data`.
    pub fn new(data: &'a [T], at: usize, [lanes, depth]: [usize; 2], [lane, step]: [isize; 2]) -> Self {
        if lanes > 0 && depth > 0 {
            let reach = [(lanes - 1) as isize * lane, (depth - 1) as isize * step];
            let first = at as isize + reach.iter().map(|r| r.min(&0)).sum::<isize>();
            let last = at as isize + reach.iter().map(|r| r.max(&0)).sum::<isize>();
            assert!(first >= 0 && (last as usize) < data.len(), "a matrix lies within its buffer");
        }
        Self { data, at, lane, step }
    }

    /// Whether neighbouring lanes are neighbours in memory.
    pub fn lanes_touch(&self) -> bool {
        self.lane == 1
    }

    /// Whether neighbouring steps are neighbours in memory.
    pub fn steps_touch(&self) -> bool {
        self.step == 1
    }

    /// Where the element lies.
    #[inline(always)]
    pub fn place(&self, lane: usize, k: usize) -> *const T {
        self.data.as_ptr().wrapping_offset(self.at as isize + lane as isize * self.lane + k as isize * self.step)
    }

    /// The block as it lies there, for lanes that touch and fill whole vectors.
    pub fn direct(&self, tile: Tile, lanes: &Range<usize>, depth: &Range<usize>) -> Right<T> {
        Right { at: self.place(lanes.start, depth.start), panel: tile.cols, step: self.step }
    }

    /// Packs lanes `lanes` of steps `depth` as panels of B into `to`, `panel` apart.
    pub fn pack_right(&self, packer: Packer, to: &mut [T], lanes: &Range<usize>, depth: &Range<usize>) -> Right<T> {
        let width = packer.tile.cols;
        let panel = width * depth.len();
        self.pack_columns(packer.level, to, lanes, depth, width, panel);
        Right { at: to.as_ptr(), panel, step: width as isize }
    }

    /// Copies to panels of `width` lanes: element (lane, k) of panel p to `p·panel + k·width + lane`. Lanes that
    /// are over in the last panel become 0.
    fn pack_columns(
        &self,
        level: Level,
        to: &mut [T],
        lanes: &Range<usize>,
        depth: &Range<usize>,
        width: usize,
        panel: usize,
    ) {
        assert!(to.len() >= lanes.len().div_ceil(width) * panel && panel >= width * depth.len());
        let (from, to) = (self.place(lanes.start, depth.start), to.as_mut_ptr());
        let (lanes, depth) = (lanes.len(), depth.len());
        if self.lane == 1 {
            run_at(level, Spread { from, step: self.step, lanes, depth, to, width, panel });
            return;
        }
        for first in (0..lanes).step_by(width) {
            let to = to.wrapping_add(first / width * panel);
            let count = width.min(lanes - first);
            for lane in 0..width {
                let from = from.wrapping_offset((first + lane) as isize * self.lane);
                for k in 0..depth {
                    // SAFETY: the block lies in the matrix and `to` has room for it, as asserted above.
                    unsafe {
                        let x = if lane < count { *from.wrapping_offset(k as isize * self.step) } else { T::default() };
                        *to.add(k * width + lane) = x;
                    }
                }
            }
        }
    }
}

impl<T: SimdFloat> Lhs<T> for Strided<'_, T> {
    fn pack(&self, packer: Packer, scratch: &mut Scratch<T>, rows: Range<usize>, depth: Range<usize>) -> Left<T> {
        let tile = packer.tile;
        if self.lane == 1 && self.step != 1 {
            // each column is copied in whole vectors, which may reach over its end and the panel's
            let panel = (tile.rows * depth.len() + tile.cols).next_multiple_of(16);
            let to = scratch.take(rows.len().div_ceil(tile.rows) * panel);
            self.pack_columns(packer.level, to, &rows, &depth, tile.rows, panel);
            return Left::Columns { at: to.as_ptr(), tile: panel, step: tile.rows };
        }
        let (to, depth_len) = (left_rows(tile, scratch, rows.len(), depth.len()), depth.len());
        for (i, to) in to.chunks_mut(STRIDE).take(rows.len()).enumerate() {
            let from = self.place(rows.start + i, depth.start);
            if self.step == 1 {
                // SAFETY: the row's `depth` elements lie in the matrix; the scratch is other memory.
                to[..depth_len].copy_from_slice(unsafe { std::slice::from_raw_parts(from, depth_len) });
            } else {
                for (k, x) in to[..depth_len].iter_mut().enumerate() {
                    // SAFETY: the element lies in the matrix.
                    *x = unsafe { *from.wrapping_offset(k as isize * self.step) };
                }
            }
        }
        Left::Rows(to.as_ptr())
    }
}

/// Memory for [`Left::Rows`]: `rows` rows to be written, `STRIDE` apart, and after them the rows of zeros that the
/// last tile computes too much.
pub(crate) fn left_rows<T: SimdFloat>(tile: Tile, scratch: &mut Scratch<T>, rows: usize, depth: usize) -> &mut [T] {
    let over = rows % tile.rows;
    let height = if over == 0 { rows } else { rows - over + tile.height(over) };
    let to = scratch.take(height * STRIDE);
    for row in to.chunks_mut(STRIDE).skip(rows) {
        row[..depth].fill(T::default());
    }
    to
}

/// Copies lanes that touch to panels, vector by vector.
struct Spread<T> {
    from: *const T,
    step: isize,
    lanes: usize,
    depth: usize,
    to: *mut T,
    width: usize,
    panel: usize,
}

/// How many panels are written side by side: enough to read long runs, few enough for the cache.
const ABREAST: usize = 16;

impl<T: SimdFloat> Kernel<T> for Spread<T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let panels = self.lanes.div_ceil(self.width);
        for start in (0..panels).step_by(ABREAST) {
            for k in 0..self.depth {
                for p in start..panels.min(start + ABREAST) {
                    // SAFETY: `pack_columns` has checked both sides.
                    unsafe { self.copy::<V>(p, k) }
                }
            }
        }
    }
}

impl<T: SimdFloat> Spread<T> {
    /// Copies row `k` of panel `p` in whole vectors. A vector that reaches over the row's end spoils the start of
    /// the next row, which is written later, or the gap after the panel.
    ///
    /// # Safety
    /// The source holds `lanes × depth` elements, the target all its panels.
    #[inline(always)]
    unsafe fn copy<V: Vector<Scalar = T>>(&self, p: usize, k: usize) {
        let first = p * self.width;
        // SAFETY: the caller's promise.
        let (from, to) = unsafe {
            let from = self.from.wrapping_offset(k as isize * self.step).add(first);
            (from, self.to.add(p * self.panel + k * self.width))
        };
        let mut i = 0;
        while i < self.width {
            // SAFETY: the caller's promise; a vector that is not all there is read in part.
            unsafe {
                if first + i + V::WIDTH <= self.lanes {
                    V::load(from.add(i)).store(to.add(i));
                } else {
                    let there = self.lanes.saturating_sub(first + i);
                    V::load_part(from.wrapping_add(i), there).store(to.add(i));
                }
            }
            i += V::WIDTH;
        }
    }
}
