//! Picking elements by index.

use super::{Places, around};
use crate::Buffer;
use crate::buffer::by_words;
use crate::dense::dense;
use crate::dispatch::for_words;
use crate::par::{self, Shared};
use crate::simd::Upcoming;
use cotangent_base::{Element, View};

/// The slices about so many bytes ahead are asked for while one is copied: they lie anywhere in memory.
const AHEAD: usize = 4096;
/// At most so many slices ahead.
const MOST_AHEAD: usize = 32;

/// Slices `index[0], index[1], …` of axis `axis`; any dtype. Shape: `x`'s with `index.len()` for the axis.
pub fn index_select(x: View<Buffer>, axis: usize, index: View<Buffer>) -> Buffer {
    let sizes = around(&x.shape(), axis);
    by_words([x], |[x]| for_words!(x.buffer.dtype(), W => select::<W>(&dense(x), sizes, &dense(index))))
}

fn select<T: Element>(x: &[T], [outer, size, inner]: [usize; 3], index: &[i64]) -> Buffer {
    let count = index.len();
    let ahead = (AHEAD / (inner * size_of::<T>()).max(1)).clamp(1, MOST_AHEAD);
    Buffer::build(outer * count * inner, |y: &mut [T]| {
        let y = Shared::new(y);
        par::for_each(outer * count, inner, |row| {
            let (o, at) = (row / count, index[row % count] as usize);
            debug_assert!(at < size, "[index_select] index {at} of an axis of {size}");
            if let Some(&next) = index.get(row % count + ahead) {
                Upcoming::of(x.as_ptr().wrapping_add((o * size + next as usize) * inner), inner).to_read();
            }
            // SAFETY: each row is one thread's.
            let y = unsafe { y.part(row * inner, (row + 1) * inner) };
            y.copy_from_slice(&x[(o * size + at) * inner..][..inner]);
        });
    })
}

/// `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`; any dtype. The index has y's shape; along the other
/// axes it may be shorter than `x`.
pub fn gather(x: View<Buffer>, axis: usize, index: View<Buffer>) -> Buffer {
    let places = Places::new(index.shape(), &x.layout, axis);
    let index = dense::<i64>(index);
    by_words([x], |[x]| for_words!(x.buffer.dtype(), W => gather_as::<W>(x.buffer.as_slice(), &places, &index)))
}

fn gather_as<W: Element>(x: &[W], places: &Places, index: &[i64]) -> Buffer {
    Buffer::build(index.len(), |y: &mut [W]| {
        let y = Shared::new(y);
        par::for_each(places.rows.shape.count(), places.len, |row| {
            // SAFETY: each row is one thread's.
            let out = unsafe { y.part(row * places.len, (row + 1) * places.len) };
            places.for_row(row, index, |place, i| out[i - row * places.len] = x[place]);
        });
    })
}
