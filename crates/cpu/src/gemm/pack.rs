//! Packing: blocks of A and B are copied to where the microkernel reads them in order, from any strides or from
//! matrices that exist nowhere in memory, as the patches of a convolution.

use super::operands::{LeftBlock, Right, Rows, Run};
use super::tile::Tile;
use crate::Buffer;
use crate::simd::{Kernel, Level, SimdFloat, Upcoming, Vector, Words, run_widest_at, transpose};
use std::marker::PhantomData;
use std::ops::Range;

/// A matrix A whose blocks the microkernel can read, as they lie in memory or packed.
pub(crate) trait Lhs<T: SimdFloat>: Copy + Sync {
    /// How the columns may be cut into blocks of about `most`.
    fn cut_depth(&self, depth: usize, most: usize) -> Cuts {
        Cuts::of_size(depth, 1, most)
    }
    /// Whether blocks are read where they lie.
    fn lies(&self) -> bool {
        false
    }
    /// Says in `left` where the block is, after packing it into `scratch` if need be.
    fn block(
        &self,
        packer: Packer,
        left: &mut LeftBlock<T>,
        scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    );
}

/// So many numbers of A stay in a near cache, and need not be asked for.
const NEAR: usize = 1 << 15;

/// A size cut into blocks of about equal size, multiples of a unit all but the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cuts {
    count: usize,
    unit: usize,
    blocks: usize,
}

impl Cuts {
    /// So many blocks, or as many as there are units.
    pub fn of_count(count: usize, unit: usize, blocks: usize) -> Self {
        Self { count, unit: unit.max(1), blocks: blocks.min(count.div_ceil(unit.max(1))) }
    }

    /// Blocks of `most` or less, but at least a unit.
    pub fn of_size(count: usize, unit: usize, most: usize) -> Self {
        let units = count.div_ceil(unit.max(1));
        Self::of_count(count, unit, units.div_ceil((most / unit.max(1)).max(1)))
    }

    /// The number of blocks.
    pub fn blocks(self) -> usize {
        self.blocks
    }

    /// The block `i`.
    pub fn range(self, i: usize) -> Range<usize> {
        let units = self.count.div_ceil(self.unit);
        let start = |i: usize| (i * units / self.blocks * self.unit).min(self.count);
        start(i)..start(i + 1)
    }
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
    buffer: Option<Buffer>,
    element: PhantomData<T>,
}

impl<T: SimdFloat> Scratch<T> {
    /// No memory yet.
    pub fn new() -> Self {
        Self { buffer: None, element: PhantomData }
    }

    /// `count` numbers, whatever they are.
    pub fn take(&mut self, count: usize) -> &mut [T] {
        let enough = self.buffer.take_if(|buffer| buffer.len() >= count);
        let buffer = self.buffer.insert(enough.unwrap_or_else(|| Buffer::uninit(T::DTYPE, count)));
        &mut buffer.as_mut::<T>()[..count]
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
    runs: Option<Runs<'a>>,
}

/// Steps that do not all lie evenly: each `len` of them begin at a place of their own.
#[derive(Clone, Copy)]
struct Runs<'a> {
    len: usize,
    /// The places, in place of `at`.
    at: &'a [usize],
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
        Self { data, at, lane, step, runs: None }
    }

    /// The right operand of `lanes` columns made of several such matrices below each other, `len` steps from each place of
    /// `at` on.
    ///
    /// # Panics
    /// If some elements lie outside `data`.
    pub fn stacked(data: &'a [T], at: &'a [usize], [lanes, len]: [usize; 2], [lane, step]: [isize; 2]) -> Self {
        for &at in at {
            Self::new(data, at, [lanes, len], [lane, step]);
        }
        Self { data, at: 0, lane, step, runs: Some(Runs { len, at }) }
    }

    /// The same matrix, if its numbers are f32.
    pub fn as_f32s(&self) -> Option<Strided<'a, f32>> {
        Some(Strided { data: T::as_f32s(self.data)?, at: self.at, lane: self.lane, step: self.step, runs: self.runs })
    }

    /// Whether neighbouring lanes are neighbours in memory, and their steps lie evenly.
    pub fn lanes_touch(&self) -> bool {
        self.lane == 1 && self.runs.is_none()
    }

    /// Whether neighbouring steps are neighbours in memory.
    pub fn steps_touch(&self) -> bool {
        self.step == 1 && self.runs.is_none()
    }

    /// Where the element lies.
    #[inline(always)]
    pub fn place(&self, lane: usize, k: usize) -> *const T {
        let (at, k) = self.runs.map_or((self.at, k), |runs| (runs.at[k / runs.len], k % runs.len));
        self.data.as_ptr().wrapping_offset(at as isize + lane as isize * self.lane + k as isize * self.step)
    }

    /// From step `k` on, how many lie evenly.
    fn evenly(&self, k: usize) -> usize {
        self.runs.map_or(usize::MAX, |runs| runs.len - k % runs.len)
    }

    /// The block as it lies there, for lanes that touch and fill whole vectors.
    pub fn direct(&self, tile: Tile, lanes: &Range<usize>, depth: &Range<usize>) -> Right<T> {
        Right { at: self.place(lanes.start, depth.start), panel: tile.cols, step: self.step }
    }

    /// Packs lanes `lanes` of steps `depth` as panels of B into `to`, as [`Tile::packed`] finds them.
    pub fn pack_right(&self, packer: Packer, to: &mut [T], lanes: &Range<usize>, depth: &Range<usize>) {
        let width = packer.tile.cols;
        self.pack_columns(packer.level, to, lanes, depth, width, width * depth.len());
    }

    /// Copies some steps of a lane.
    pub fn copy_row(&self, lane: usize, depth: &Range<usize>, to: &mut [T]) {
        let from = self.place(lane, depth.start);
        if self.step == 1 {
            // SAFETY: the steps lie in the matrix.
            to.copy_from_slice(unsafe { std::slice::from_raw_parts(from, depth.len()) });
            return;
        }
        for (k, x) in to.iter_mut().enumerate() {
            // SAFETY: the element lies in the matrix.
            *x = unsafe { *from.wrapping_offset(k as isize * self.step) };
        }
    }

    /// Copies some steps of some lanes, lane by lane.
    pub fn copy_rows(&self, level: Level, lanes: &Range<usize>, depth: &Range<usize>, to: &mut [T]) {
        assert!(to.len() >= lanes.len() * depth.len() && level.is_available());
        if self.lane != 1 || size_of::<T>() != 4 {
            return lanes.clone().zip(to.chunks_mut(depth.len())).for_each(|(lane, to)| self.copy_row(lane, depth, to));
        }
        let from = Words { at: self.place(lanes.start, depth.start).cast(), row: self.step };
        let to = Words { at: to.as_mut_ptr().cast(), row: depth.len() as isize };
        // SAFETY: the CPU has the level, the block lies in the matrix, and there is room for it.
        unsafe { transpose(level, from, to, [depth.len(), lanes.len()]) }
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
        let to = to.as_mut_ptr();
        if self.lanes_touch() {
            let from = self.place(lanes.start, depth.start);
            let (lanes, depth) = (lanes.len(), depth.len());
            return run_widest_at(level, Spread { from, step: self.step, lanes, depth, to, width, panel });
        }
        for (i, first) in lanes.clone().step_by(width).enumerate() {
            let mut k = depth.start;
            while k < depth.end {
                let (some, steps) = (width.min(lanes.end - first), self.evenly(k).min(depth.end - k));
                let to = to.wrapping_add(i * panel + (k - depth.start) * width);
                // the next panel of these steps, or the first one of those that follow
                let (from, last) = (self.place(first, k), first + width >= lanes.end && self.runs.is_none());
                let next = if last { self.place(lanes.start, k + depth.len()) } else { self.place(first + width, k) };
                // SAFETY: `to` has room for the panel, as asserted above, and the steps lie in the matrix.
                unsafe { self.pack_panel(level, from, next, to, [some, steps], width) }
                k += steps;
            }
        }
    }

    /// Copies one panel of lanes that do not touch, some steps of all lanes at a time, so that both sides stay in the cache,
    /// and asks for the panel at `next`.
    ///
    /// # Safety
    /// `from` is the first of `lanes × depth` elements of the matrix, and `to` has room for `width` of each step.
    unsafe fn pack_panel(
        &self,
        level: Level,
        from: *const T,
        next: *const T,
        to: *mut T,
        [lanes, depth]: [usize; 2],
        width: usize,
    ) {
        const STEPS: usize = 64;
        for k in (0..depth).step_by(STEPS) {
            let steps = STEPS.min(depth - k);
            if self.step == 1 {
                // what the next panel reads, in the order in which it lies: the CPU does not foresee so many lanes
                for lane in width * k / depth..width * (k + steps) / depth {
                    Upcoming::of(next.wrapping_offset(lane as isize * self.lane), depth).to_read_later();
                }
            }
            let (from, to) = (from.wrapping_offset(k as isize * self.step), to.wrapping_add(k * width));
            // SAFETY: the caller's promise.
            unsafe {
                if self.step == 1 && size_of::<T>() == 4 {
                    let (from, to) =
                        (Words { at: from.cast(), row: self.lane }, Words { at: to.cast(), row: width as isize });
                    transpose(level, from, to, [lanes, steps]);
                } else {
                    for (lane, k) in (0..lanes).flat_map(|lane| (0..steps).map(move |k| (lane, k))) {
                        let place = lane as isize * self.lane + k as isize * self.step;
                        *to.add(k * width + lane) = *from.offset(place);
                    }
                }
                if lanes < width {
                    (0..steps).for_each(|k| to.add(k * width + lanes).write_bytes(0, width - lanes));
                }
            }
        }
    }
}

/// Whether rows so far apart compete for the same few cache sets.
pub(crate) fn collide<T>(stride: isize) -> bool {
    (stride.unsigned_abs() * size_of::<T>()).is_multiple_of(2048) && stride != 0
}

/// A row length of at least `count` that is an odd number of cache lines, so that rows do not collide.
pub(crate) fn apart(count: usize) -> usize {
    (count.div_ceil(16) | 1) * 16
}

impl<T: SimdFloat> Lhs<T> for Strided<'_, T> {
    fn lies(&self) -> bool {
        self.step == 1
    }

    fn block(
        &self,
        packer: Packer,
        left: &mut LeftBlock<T>,
        scratch: &mut Scratch<T>,
        rows: Range<usize>,
        depth: Range<usize>,
    ) {
        left.runs.clear();
        left.runs.push(Run { at: 0, len: depth.len(), skip: 0 });
        left.cold = false;
        if self.step != 1 && self.lane == 1 {
            let height = packer.tile.rows;
            // each step is copied in whole vectors, which may reach over the panel's end
            let panel = (height * depth.len() + packer.tile.cols).next_multiple_of(16);
            let to = scratch.take(rows.len().div_ceil(height) * panel);
            self.pack_columns(packer.level, to, &rows, &depth, height, panel);
            let lines = (0..rows.len().div_ceil(height)).map(|tile| (tile * panel) as isize).collect();
            let places = Rows { lines, width: height, skip: 0, row: 1 };
            places.find(to.as_ptr(), 0..rows.len(), &mut left.rows);
            left.step = height as isize;
            return;
        }
        left.step = 1;
        if self.step == 1 {
            Rows::find_even(self.place(rows.start, depth.start), self.lane, rows.len(), &mut left.rows);
            left.cold = rows.len() * depth.len() > NEAR;
            return;
        }
        let stride = apart(depth.len());
        let to = scratch.take(rows.len() * stride);
        for (row, to) in rows.clone().zip(to.chunks_mut(stride)) {
            self.copy_row(row, &depth, &mut to[..depth.len()]);
        }
        Rows::find_even(to.as_ptr(), stride as isize, rows.len(), &mut left.rows);
    }
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
