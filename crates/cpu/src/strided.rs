//! [`Strided`]: a view's elements by their row-major index, whatever the layout, in runs along the last axis.

use crate::Buffer;
use cotangent_base::{Element, Layout, MAX_RANK, View};
use std::mem::MaybeUninit;
use std::ops::Range;

/// The rows of a layout: where each run of elements along its last axis lies.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    /// At least one axis; as few as possible.
    pub layout: Layout,
}

impl Rows {
    /// The rows of `layout` in a buffer of `len` elements.
    ///
    /// # Panics
    /// If the layout reaches out of the buffer.
    pub fn new(layout: &Layout, len: usize) -> Self {
        let count = layout.shape.count();
        let flat = Layout::new([count].into(), &[1], layout.offset);
        if layout.is_contiguous() {
            assert!(count == 0 || layout.offset + count <= len, "{}", Self::outside(len));
            return Self { layout: flat };
        }
        let layout = Some(layout.collapsed()).filter(|l| l.shape.rank() > 0).unwrap_or(flat);
        let reach = |a: usize| (layout.shape[a] as isize - 1) * layout.strides()[a];
        let lowest = layout.offset as isize + (0..layout.shape.rank()).map(|a| reach(a).min(0)).sum::<isize>();
        assert!(count == 0 || (lowest >= 0 && layout.end() <= len), "{}", Self::outside(len));
        Self { layout }
    }

    fn outside(len: usize) -> String {
        format!("a layout reaches out of its buffer of {len}")
    }

    /// The distance between neighbours of a row.
    pub fn step(&self) -> isize {
        *self.layout.strides().last().expect("at least one axis")
    }

    /// Whether all elements lie in one row without gaps.
    pub fn is_contiguous(&self) -> bool {
        self.layout.shape.rank() == 1 && self.step() == 1
    }

    /// Whether all elements are one and the same.
    pub fn is_constant(&self) -> bool {
        self.layout.shape.rank() == 1 && self.step() == 0
    }

    /// Calls `run(place, at, n)` for each row that the elements `start..end` touch: its `n` elements have the
    /// indices `start + at ..` and lie at `place, place + step, …`.
    #[inline(always)]
    pub fn for_each(&self, start: usize, end: usize, mut run: impl FnMut(usize, usize, usize)) {
        if start >= end {
            return;
        }
        let (sizes, strides) = (&*self.layout.shape, self.layout.strides());
        let last = sizes.len() - 1;
        let mut index = [0; MAX_RANK];
        let mut rest = start;
        let mut place = self.layout.offset as isize;
        for axis in (0..=last).rev() {
            index[axis] = rest % sizes[axis];
            rest /= sizes[axis];
            place += index[axis] as isize * strides[axis];
        }
        let mut at = start;
        let mut n = sizes[last] - index[last];
        let mut back = index[last] as isize * strides[last];
        loop {
            n = n.min(end - at);
            run(place as usize, at - start, n);
            at += n;
            if at == end {
                return;
            }
            // the next row: count up, like an odometer
            place -= back;
            for axis in (0..last).rev() {
                index[axis] += 1;
                place += strides[axis];
                if index[axis] < sizes[axis] {
                    break;
                }
                place -= sizes[axis] as isize * strides[axis];
                index[axis] = 0;
            }
            (n, back) = (sizes[last], 0);
        }
    }
}

/// A view's elements: element `i` is the `i`-th in row-major order.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, T> {
    data: &'a [T],
    /// Where they lie; checked to be within `data`.
    pub rows: Rows,
}

impl<'a, T: Element> Strided<'a, T> {
    /// The elements of `x`.
    ///
    /// # Panics
    /// If `T` is not the dtype, or the layout reaches out of the buffer.
    pub fn new(x: View<'a, Buffer>) -> Self {
        let data = x.buffer.as_slice();
        Self { data, rows: Rows::new(&x.layout, data.len()) }
    }

    /// The whole buffer.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// The elements as a slice, if they lie one after the other.
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let layout = &self.rows.layout;
        match layout.shape.count() {
            0 => Some(&[]),
            count => self.rows.is_contiguous().then(|| &self.data[layout.offset..layout.offset + count]),
        }
    }

    /// The elements from `start` on as a slice: in place if they lie one after the other, else copied to
    /// `scratch`. As many as `scratch` is long.
    #[inline(always)]
    pub fn block<'b>(&self, start: usize, scratch: &'b mut [MaybeUninit<T>]) -> &'b [T]
    where
        'a: 'b,
    {
        match self.as_slice() {
            Some(all) => &all[start..start + scratch.len()],
            None => self.gather(start, scratch),
        }
    }

    /// Copies the elements from `start` on to all of `to`.
    pub fn gather<'b>(&self, start: usize, to: &'b mut [MaybeUninit<T>]) -> &'b [T] {
        assert!(start + to.len() <= self.rows.layout.shape.count());
        let out = to.as_mut_ptr().cast::<T>();
        // SAFETY: `Rows::new` checked that every element lies within `data`, and the elements asked for are as many as
        // `to` is long; so all of `to` is written.
        unsafe {
            gather(&self.rows, self.data.as_ptr().cast(), size_of::<T>(), start..start + to.len(), out.cast());
            std::slice::from_raw_parts(out, to.len())
        }
    }
}

/// Copies the elements of the rows, `size` bytes each. Not generic, so that it is compiled once and not wherever an op
/// is.
///
/// # Safety
/// The rows lie in `from`, and `to` has room for the elements of the range.
pub(crate) unsafe fn gather(rows: &Rows, from: *const u8, size: usize, elements: Range<usize>, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        match size {
            1 => gather_words::<u8>(rows, from, elements, to),
            4 => gather_words::<u32>(rows, from.cast(), elements, to.cast()),
            8 => gather_words::<u64>(rows, from.cast(), elements, to.cast()),
            _ => unreachable!("no dtype has {size} bytes"),
        }
    }
}

/// # Safety
/// As for [`gather`].
unsafe fn gather_words<W: Copy>(rows: &Rows, from: *const W, elements: Range<usize>, to: *mut W) {
    let step = rows.step();
    rows.for_each(elements.start, elements.end, |place, at, n| {
        // SAFETY: the caller's promise.
        unsafe {
            let (from, to) = (from.add(place), to.add(at));
            match step {
                1 if n > 8 => std::ptr::copy_nonoverlapping(from, to, n),
                0 => (0..n).for_each(|i| to.add(i).write(*from)),
                _ => (0..n).for_each(|i| to.add(i).write(*from.offset(i as isize * step))),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::every_layout;

    #[test]
    fn rows_cover_any_range_in_order() {
        for layout in every_layout() {
            let count = layout.shape.count();
            let buffer = Buffer::from_slice(&(0..layout.end() as u32).collect::<Vec<_>>());
            let x = Strided::<u32>::new(View { buffer: &buffer, layout });
            let places: Vec<u32> = layout.places().map(|p| p as u32).collect();
            for (start, end) in [(0, count), (count / 3, count), (0, count - count / 3), (count / 2, count / 2)] {
                let mut to = vec![MaybeUninit::uninit(); end - start];
                assert_eq!(x.block(start, &mut to), &places[start..end], "{layout:?}");
                assert_eq!(x.gather(start, &mut to), &places[start..end], "{layout:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "reaches out")]
    fn a_layout_outside_the_buffer_is_refused() {
        let buffer = Buffer::from_slice(&[1u8, 2, 3]);
        Strided::<u8>::new(View { buffer: &buffer, layout: Layout::new([3].into(), &[-1], 1) });
    }
}
