//! [`Shape`]: the sizes of a tensor's axes, inline and `Copy`, and NumPy's broadcasting rule.

use crate::ShapeError;
use std::fmt;
use std::ops::Deref;

/// The most axes a tensor can have.
pub const MAX_RANK: usize = 6;

/// The sizes of the axes, outermost first; at most [`MAX_RANK`] of them. `[]` is a scalar's shape.
///
/// ```
/// use cotangent_base::Shape;
/// let s = Shape::from([2, 3, 4]);
/// assert_eq!((s.rank(), s.count(), s[1]), (3, 24, 3));
/// assert_eq!(s.to_string(), "[2, 3, 4]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// 1 beyond the rank.
    sizes: [usize; MAX_RANK],
    rank: u8,
}

impl Shape {
    /// The shape of a scalar: no axes, one element.
    pub const SCALAR: Shape = Shape { sizes: [1; MAX_RANK], rank: 0 };

    /// The shape with these sizes.
    ///
    /// # Panics
    /// With more than [`MAX_RANK`] axes.
    #[inline]
    #[track_caller]
    pub fn new(sizes: &[usize]) -> Self {
        if sizes.len() > MAX_RANK {
            too_many(sizes);
        }
        let mut all = [1; MAX_RANK];
        all[..sizes.len()].copy_from_slice(sizes);
        Self { sizes: all, rank: sizes.len() as u8 }
    }

    /// The number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The number of elements: the product of the sizes.
    #[inline]
    pub fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// `[N, 28, 28, 1]`: the shape of a batch of samples of this shape, as messages show it.
    pub fn of_batch(&self) -> String {
        let sizes = std::iter::once("N".to_owned()).chain(self.iter().map(usize::to_string));
        format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
    }

    /// The same shape with `size` for axis `axis`.
    pub fn with(mut self, axis: usize, size: usize) -> Self {
        assert!(axis < self.rank(), "axis {axis} of {self}");
        self.sizes[axis] = size;
        self
    }

    /// Without axis `axis`.
    pub fn without(mut self, axis: usize) -> Self {
        assert!(axis < self.rank(), "axis {axis} of {self}");
        self.sizes.copy_within(axis + 1.., axis);
        self.sizes[MAX_RANK - 1] = 1;
        self.rank -= 1;
        self
    }

    /// With a new axis of `size` before axis `axis`.
    #[track_caller]
    pub fn inserted(self, axis: usize, size: usize) -> Self {
        let mut sizes = [size; MAX_RANK + 1];
        sizes[..axis].copy_from_slice(&self[..axis]);
        sizes[axis + 1..=self.rank()].copy_from_slice(&self[axis..]);
        Self::new(&sizes[..=self.rank()])
    }

    /// The shape that both broadcast to, aligned at the last axis; sizes must be equal or 1 (NumPy's rule).
    ///
    /// ```
    /// use cotangent_base::Shape;
    /// let a = Shape::from([5, 1, 3]);
    /// assert_eq!(a.broadcast(&Shape::from([4, 1])), Some(Shape::from([5, 4, 3])));
    /// assert_eq!(a.broadcast(&Shape::from([2])), None);
    /// ```
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let mut out = Self { sizes: [1; MAX_RANK], rank: rank as u8 };
        for i in 0..rank {
            let size = |s: &Shape| (i + s.rank()).checked_sub(rank).map_or(1, |axis| s[axis]);
            out.sizes[i] = match (size(self), size(other)) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => return None,
            };
        }
        Some(out)
    }

    /// The axes (of `self`) that were stretched or added when `from` was broadcast to `self`: what a
    /// gradient of shape `self` is summed over to reach `from`.
    pub fn stretched_from(&self, from: &Shape) -> Axes {
        let lead = self.rank() - from.rank();
        (0..self.rank()).filter(|&i| i < lead || (from[i - lead] == 1 && self[i] != 1)).collect()
    }
}

#[cold]
#[track_caller]
fn too_many(sizes: &[usize]) -> ! {
    ShapeError::new("shape", format!("{} axes in {sizes:?}: at most {MAX_RANK}", sizes.len())).panic()
}

impl Deref for Shape {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        &self.sizes[..self.rank as usize]
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?}", &**self)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    #[inline]
    #[track_caller]
    fn from(sizes: [usize; N]) -> Self {
        Self::new(&sizes)
    }
}

impl From<&[usize]> for Shape {
    #[track_caller]
    fn from(sizes: &[usize]) -> Self {
        Self::new(sizes)
    }
}

impl From<Vec<usize>> for Shape {
    #[track_caller]
    fn from(sizes: Vec<usize>) -> Self {
        Self::new(&sizes)
    }
}

/// A set of axes, one bit each.
///
/// ```
/// use cotangent_base::Axes;
/// let axes = Axes::from_iter([0, 2]);
/// assert!(axes.has(2) && !axes.has(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Axes(u8);

impl Axes {
    /// No axis.
    pub const NONE: Axes = Axes(0);

    /// The first `rank` axes.
    pub fn all(rank: usize) -> Self {
        (0..rank).collect()
    }

    /// The set with `axis` added.
    pub fn with(self, axis: usize) -> Self {
        Axes(self.0 | 1 << axis)
    }

    /// Whether `axis` is in the set.
    pub fn has(self, axis: usize) -> bool {
        self.0 >> axis & 1 == 1
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many axes are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The axes in rising order.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAX_RANK).filter(move |&i| self.has(i))
    }

    /// The shape after reducing over these axes: size 1 there if `keepdim`, else without them.
    pub fn reduce(self, shape: &Shape, keepdim: bool) -> Shape {
        let mut out = Shape::SCALAR;
        for i in (0..shape.rank()).filter(|&i| keepdim || !self.has(i)) {
            out.sizes[out.rank()] = if self.has(i) { 1 } else { shape[i] };
            out.rank += 1;
        }
        out
    }
}

impl FromIterator<usize> for Axes {
    fn from_iter<I: IntoIterator<Item = usize>>(axes: I) -> Self {
        axes.into_iter().fold(Axes::NONE, Axes::with)
    }
}
