//! Copies that exchange axes, in tiles, so that neither side walks through memory one cache line per element.

use crate::Buffer;
use crate::buffer::by_words;
use crate::dispatch::for_words;
use crate::par::{self, Shared};
use crate::simd::{Level, Words, transpose};
use crate::strided::{Rows, Strided};
use cotangent_base::{Element, Layout, View};
use std::mem::MaybeUninit;
use std::ops::Range;

/// The side of a square tile: its lines fit the first-level cache.
const TILE: usize = 64;

/// The side of a square of tiles: the pages that it touches fit the address translation cache.
const BLOCK: usize = 256;

/// A copy in which one axis is the inner one of the source, and another that of the result.
pub(crate) struct Plan {
    /// The source's places of the outer axes alone.
    outer: Layout,
    /// The result's places of the outer axes alone.
    outer_to: Layout,
    /// The size of the source's inner axis, its stride (1 or −1) there, and its stride in the result.
    inner: (usize, isize, usize),
    /// The size of the result's inner axis and its stride in the source.
    last: (usize, isize),
}

impl Plan {
    /// The plan for making `rows` contiguous, if the source has an inner axis that is not its last one.
    pub fn new(rows: &Rows) -> Option<Plan> {
        let layout = &rows.layout;
        let (sizes, strides) = (layout.shape, layout.strides());
        let last = sizes.rank() - 1;
        let inner = (0..last).find(|&a| strides[a].abs() == 1 && sizes[a] > 1)?;
        if strides[last].abs() <= 1 || sizes[last] < 2 {
            return None;
        }
        let order: Vec<usize> = (0..last).filter(|&a| a != inner).collect();
        let to = Layout::contiguous(sizes);
        Some(Plan {
            outer: layout.permute(&order),
            outer_to: to.permute(&order),
            inner: (sizes[inner], strides[inner], to.strides()[inner] as usize),
            last: (sizes[last], strides[last]),
        })
    }

    /// Writes the elements of `from`, whose rows the plan was made for, in row-major order.
    fn run<T: Element>(&self, from: Strided<T>, to: Shared<MaybeUninit<T>>) {
        let (bands, blocks) = (self.inner.0.div_ceil(BLOCK), self.last.0.div_ceil(BLOCK));
        let cost = self.inner.0.min(BLOCK) * self.last.0.min(BLOCK);
        par::for_each(self.outer.shape.count() * bands * blocks, cost, |unit| {
            let (outer, band, block) = (unit / blocks / bands, unit / blocks % bands, unit % blocks);
            let (place, place_to) = (self.outer.place(outer), self.outer_to.place(outer));
            let (from, to) = (from.data().as_ptr().wrapping_add(place), to.ptr().wrapping_add(place_to));
            for columns in tiles(block, self.last.0) {
                if size_of::<T>() == 4 && self.inner.1 == 1 {
                    let band = band * BLOCK..self.inner.0.min((band + 1) * BLOCK);
                    // SAFETY: all places are elements of the two layouts; units write different ones.
                    unsafe { self.words(from.cast(), to.cast(), band, columns) };
                    continue;
                }
                for band in tiles(band, self.inner.0) {
                    // SAFETY: as above.
                    unsafe { self.tile(from, to, band, columns.clone()) };
                }
            }
        });
    }

    /// Copies one tile of 32-bit words whose rows touch in the source.
    ///
    /// # Safety
    /// As for [`tile`](Self::tile).
    unsafe fn words(&self, from: *const u32, to: *mut u32, band: Range<usize>, columns: Range<usize>) {
        let size = [columns.len(), band.len()];
        let from = from.wrapping_offset(columns.start as isize * self.last.1).wrapping_add(band.start);
        let to = to.wrapping_add(band.start * self.inner.2 + columns.start);
        let from = Words { at: from, row: self.last.1 };
        // SAFETY: the caller's promise, and the level is one that the CPU has.
        unsafe { transpose(Level::current(), from, Words { at: to, row: self.inner.2 as isize }, size) }
    }

    /// Copies one tile through a small square, so that each side is read or written a whole line at a time: with
    /// strides that are powers of two, lines that are visited twice would have left the cache in between.
    ///
    /// # Safety
    /// Elements `band` × `columns` lie within the memory of both sides, from the outer axes' places on.
    unsafe fn tile<T: Element>(
        &self,
        from: *const T,
        to: *mut MaybeUninit<T>,
        band: Range<usize>,
        columns: Range<usize>,
    ) {
        let mut square = [[MaybeUninit::uninit(); TILE]; TILE];
        for (j, column) in columns.clone().enumerate() {
            for (i, row) in band.clone().enumerate() {
                let at = row as isize * self.inner.1 + column as isize * self.last.1;
                // SAFETY: the caller's promise.
                square[i][j] = MaybeUninit::new(unsafe { *from.offset(at) });
            }
        }
        for (line, row) in square.iter().zip(band) {
            // SAFETY: the caller's promise; the square's rows are at least as long as `columns`.
            unsafe {
                let to = to.add(row * self.inner.2 + columns.start);
                std::ptr::copy_nonoverlapping(line.as_ptr(), to, columns.len());
            }
        }
    }
}

/// The tiles of the `block`-th block of `0..size`.
fn tiles(block: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    let end = ((block + 1) * BLOCK).min(size);
    (block * BLOCK..end).step_by(TILE).map(move |start| start..(start + TILE).min(end))
}

/// The elements of `x` in row-major order, if `x` exchanges axes: then it is faster to copy them first than to
/// gather them element by element.
pub(crate) fn untangled(x: View<Buffer>) -> Option<Buffer> {
    if x.layout.is_contiguous() {
        return None;
    }
    let plan = Plan::new(&Rows::new(&x.layout, x.buffer.len()))?;
    let copied = by_words([x], |[x]| {
        let mut out = Buffer::uninit(x.buffer.dtype(), x.shape().count());
        for_words!(x.buffer.dtype(), W => plan.run(Strided::new(x), Shared::new(out.as_mut::<W>()).uninit()));
        out
    });
    Some(copied)
}
