//! [`Layout`]: where in a buffer each element of a tensor lies. Every view is arithmetic on a layout.

use crate::{MAX_RANK, Shape};

/// Shape, strides and offset, all counted in elements. Element `(i₀, i₁, …)` lies at
/// `offset + Σ iₐ·strideₐ`. A stride may be 0 (broadcast) or negative (flipped).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The sizes of the axes.
    pub shape: Shape,
    strides: [isize; MAX_RANK],
    /// The place of the first element.
    pub offset: usize,
}

impl Layout {
    /// Row-major, without gaps, from the buffer's start.
    #[inline]
    pub fn contiguous(shape: Shape) -> Self {
        let mut strides = [0; MAX_RANK];
        let mut step = 1;
        for axis in (0..shape.rank()).rev() {
            strides[axis] = step;
            step *= shape[axis] as isize;
        }
        Self { shape, strides, offset: 0 }
    }

    /// The layout with these strides.
    #[inline]
    pub fn new(shape: Shape, strides: &[isize], offset: usize) -> Self {
        assert_eq!(shape.rank(), strides.len(), "one stride for each axis");
        let mut all = [0; MAX_RANK];
        all[..strides.len()].copy_from_slice(strides);
        Self { shape, strides: all, offset }
    }

    /// The distance between neighbours along each axis.
    #[inline]
    pub fn strides(&self) -> &[isize] {
        &self.strides[..self.shape.rank()]
    }

    /// Whether the elements lie in row-major order without gaps (from any offset).
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for axis in (0..self.shape.rank()).rev() {
            if self.shape[axis] != 1 && self.strides[axis] != step {
                return self.shape.count() == 0;
            }
            step *= self.shape[axis] as isize;
        }
        true
    }

    /// One past the last place of the buffer that the layout reaches; 0 if it has no elements.
    pub fn end(&self) -> usize {
        if self.shape.count() == 0 {
            return 0;
        }
        let reach: isize = (0..self.shape.rank()).map(|a| (self.shape[a] as isize - 1) * self.strides[a].max(0)).sum();
        self.offset + reach as usize + 1
    }

    /// The same elements in another shape, or `None` if that takes a copy.
    ///
    /// ```
    /// use cotangent_base::{Layout, Shape};
    /// let l = Layout::contiguous(Shape::from([4, 6]));
    /// assert!(l.reshape(Shape::from([2, 2, 6])).is_some());
    /// assert!(l.permute(&[1, 0]).reshape(Shape::from([24])).is_none());
    /// ```
    pub fn reshape(&self, shape: Shape) -> Option<Layout> {
        debug_assert_eq!(self.shape.count(), shape.count());
        if self.is_contiguous() {
            return Some(Layout { offset: self.offset, ..Layout::contiguous(shape) });
        }
        // Walk both shapes from the back; each group of new axes must lie evenly within old axes that are
        // contiguous among themselves.
        let old: Vec<(usize, isize)> =
            self.shape.iter().copied().zip(self.strides().iter().copied()).filter(|&(n, _)| n != 1).collect();
        let mut strides = [0; MAX_RANK];
        let mut axis = shape.rank();
        let mut i = old.len();
        while i > 0 {
            let (mut size, step) = old[i - 1];
            i -= 1;
            while i > 0 && old[i - 1].1 == size as isize * step {
                size *= old[i - 1].0;
                i -= 1;
            }
            let mut filled = 1;
            while filled < size {
                axis = axis.checked_sub(1)?;
                strides[axis] = filled as isize * step;
                filled *= shape[axis];
            }
            if filled != size {
                return None;
            }
        }
        Some(Layout { shape, strides, offset: self.offset })
    }

    /// Axis `i` of the result is axis `order[i]` of this layout.
    pub fn permute(&self, order: &[usize]) -> Layout {
        let mut strides = [0; MAX_RANK];
        let mut sizes = [1; MAX_RANK];
        for (axis, &from) in order.iter().enumerate() {
            (sizes[axis], strides[axis]) = (self.shape[from], self.strides[from]);
        }
        Layout { shape: Shape::new(&sizes[..order.len()]), strides, offset: self.offset }
    }

    /// `len` elements of axis `axis` from `start`, every `step`-th; a negative step walks backwards.
    pub fn slice(&self, axis: usize, start: usize, len: usize, step: isize) -> Layout {
        let mut out = *self;
        out.shape = self.shape.with(axis, len);
        if len > 0 {
            out.offset = (self.offset as isize + start as isize * self.strides[axis]) as usize;
        }
        out.strides[axis] *= step;
        out
    }

    /// Stretches axes of size 1, and adds leading ones, to reach `shape`; `None` if it does not fit.
    pub fn expand(&self, shape: Shape) -> Option<Layout> {
        let lead = shape.rank().checked_sub(self.shape.rank())?;
        let mut strides = [0; MAX_RANK];
        for axis in lead..shape.rank() {
            match (self.shape[axis - lead], shape[axis]) {
                (a, b) if a == b => strides[axis] = self.strides[axis - lead],
                (1, _) => {}
                _ => return None,
            }
        }
        Some(Layout { shape, strides, offset: self.offset })
    }

    /// Without axis `axis`, which must have size 1.
    pub fn squeeze(&self, axis: usize) -> Layout {
        let order: Vec<usize> = (0..self.shape.rank()).filter(|&a| a != axis).collect();
        self.permute(&order)
    }

    /// With a new axis of size 1 before axis `axis`.
    pub fn unsqueeze(&self, axis: usize) -> Layout {
        let mut strides = self.strides().to_vec();
        strides.insert(axis, 0);
        Layout::new(self.shape.inserted(axis, 1), &strides, self.offset)
    }

    /// The same elements in the same order with as few axes as possible: axes of size 1 dropped, and
    /// neighbours merged where one stride serves both. What a strided loop wants to walk.
    ///
    /// ```
    /// use cotangent_base::{Layout, Shape};
    /// let l = Layout::contiguous(Shape::from([2, 1, 3, 4])).slice(3, 0, 2, 1).collapsed();
    /// assert_eq!(l.shape, Shape::from([6, 2]));
    /// ```
    pub fn collapsed(&self) -> Layout {
        let (mut sizes, mut strides, mut rank) = ([1; MAX_RANK], [0; MAX_RANK], 0);
        for (&n, &s) in self.shape.iter().zip(self.strides()) {
            if n == 1 {
                continue;
            }
            if rank == 0 || strides[rank - 1] != n as isize * s {
                (sizes[rank], strides[rank]) = (n, s);
                rank += 1;
            } else {
                sizes[rank - 1] *= n;
                strides[rank - 1] = s;
            }
        }
        Layout { shape: Shape::new(&sizes[..rank]), strides, offset: self.offset }
    }

    /// The place of each element in row-major order. Slow and plain: for reference code and tests.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        let layout = *self;
        (0..self.shape.count()).map(move |i| layout.place(i))
    }

    /// The place of the `index`-th element in row-major order.
    pub fn place(&self, mut index: usize) -> usize {
        let mut place = self.offset as isize;
        for axis in (0..self.shape.rank()).rev() {
            place += (index % self.shape[axis]) as isize * self.strides[axis];
            index /= self.shape[axis];
        }
        place as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_reach_the_elements_they_name() {
        let l = Layout::contiguous(Shape::from([3, 4]));
        assert_eq!(l.permute(&[1, 0]).places().collect::<Vec<_>>(), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
        assert_eq!(l.slice(1, 3, 2, -2).places().collect::<Vec<_>>(), [3, 1, 7, 5, 11, 9]);
        assert_eq!(l.slice(1, 3, 2, -2).end(), 12);
        let e = Layout::contiguous(Shape::from([3, 1])).expand(Shape::from([2, 3, 2])).unwrap();
        assert_eq!(e.places().collect::<Vec<_>>(), [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert!(l.expand(Shape::from([3, 5])).is_none());
    }

    #[test]
    fn reshape_of_a_view_is_exact_or_refused() {
        let l = Layout::contiguous(Shape::from([4, 6])).slice(1, 0, 4, 1);
        let r = l.reshape(Shape::from([2, 2, 2, 2])).unwrap();
        assert_eq!(r.places().collect::<Vec<_>>(), l.places().collect::<Vec<_>>());
        assert!(l.reshape(Shape::from([16])).is_none());
        let b = Layout::contiguous(Shape::from([1, 3])).expand(Shape::from([4, 3])).unwrap();
        assert!(b.reshape(Shape::from([12])).is_none());
        assert_eq!(b.reshape(Shape::from([2, 2, 3])).unwrap().strides(), [0, 0, 1]);
    }

    #[test]
    fn collapsing_keeps_the_order() {
        let l = Layout::contiguous(Shape::from([2, 3, 1, 4, 5])).slice(1, 0, 2, 1);
        let c = l.collapsed();
        assert_eq!(c.shape, Shape::from([2, 40]));
        assert_eq!(c.places().collect::<Vec<_>>(), l.places().collect::<Vec<_>>());
    }
}
