//! A range of one axis, every `step`-th element: `dx` is dy in those places, 0 elsewhere. A view.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Layout, Saves, Shape, ShapeError};
use std::ops::{Bound, RangeBounds};

/// `len` elements of `axis` from `start`, `step` apart; a negative step walks backwards.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The axis.
    pub axis: usize,
    /// The first element.
    pub start: usize,
    /// How many.
    pub len: usize,
    /// The distance between them.
    pub step: isize,
}

impl Op<1> for Slice {
    const NAME: &'static str = "slice";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    /// x's shape.
    type Aux = Shape;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        let size = x.shape[self.axis];
        let last = self.start as isize + (self.len.max(1) - 1) as isize * self.step;
        if self.len > 0 && (self.start >= size || !(0..size as isize).contains(&last)) {
            let message = format!("elements {} to {last} of axis {} of {}", self.start, self.axis, x.shape);
            return Err(ShapeError::new("slice", message));
        }
        Ok(Spec { shape: x.shape.with(self.axis, self.len), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Shape) {
        (x.with_layout(self.of(x.layout)), x.shape())
    }

    fn vjp(&self, saved: Saved<1, Shape>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(Unslice { slice: *self, shape: *saved.aux }, [&dy]))]
    }
}

impl Slice {
    fn of(&self, layout: Layout) -> Layout {
        layout.slice(self.axis, self.start, self.len, self.step)
    }
}

/// The transpose of [`Slice`]: x in its places within zeros of `shape`.
struct Unslice {
    slice: Slice,
    shape: Shape,
}

impl Op<1> for Unslice {
    const NAME: &'static str = "unslice";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.shape, ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], y: Spec) -> (Tensor, ()) {
        let places = self.slice.of(Layout::contiguous(self.shape));
        (kernels::assemble(y, Some(0.0), &[(places, x)]), ())
    }

    fn vjp(&self, _: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        [Some(apply(self.slice, [&dy]))]
    }
}

impl Tensor {
    /// The elements `range` of axis `axis`. Ends may be negative, counted from the back, as in Python.
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// let x = Tensor::arange(0.0, 6.0, 1.0, DType::I64);
    /// assert_eq!(x.slice(0, 1..3).to_vec::<i64>(), [1, 2]);
    /// assert_eq!(x.slice(0, -2..).to_vec::<i64>(), [4, 5]);
    /// ```
    ///
    /// # Panics
    /// If an end lies outside the axis.
    #[track_caller]
    pub fn slice(&self, axis: isize, range: impl RangeBounds<isize>) -> Tensor {
        let (axis, start, end) = self.bounds("slice", axis, range);
        apply(Slice { axis, start, len: end.saturating_sub(start), step: 1 }, [self])
    }

    /// Every `step`-th of the elements `range` of axis `axis`; with a negative step from the last to the first.
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// let x = Tensor::arange(0.0, 6.0, 1.0, DType::I64);
    /// assert_eq!(x.slice_step(0, 1.., 2).to_vec::<i64>(), [1, 3, 5]);
    /// assert_eq!(x.slice_step(0, .., -2).to_vec::<i64>(), [5, 3, 1]);
    /// ```
    #[track_caller]
    pub fn slice_step(&self, axis: isize, range: impl RangeBounds<isize>, step: isize) -> Tensor {
        let (axis, start, end) = self.bounds("slice_step", axis, range);
        if step == 0 {
            ShapeError::new("slice_step", "the step is 0").panic();
        }
        let len = end.saturating_sub(start).div_ceil(step.unsigned_abs());
        let first = if step < 0 { end.max(1) - 1 } else { start };
        apply(Slice { axis, start: first, len, step }, [self])
    }

    /// `len` elements of axis `axis` from `start`.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, len: usize) -> Tensor {
        let axis = check::axis_or_panic("narrow", axis, self.rank());
        apply(Slice { axis, start, len, step: 1 }, [self])
    }

    /// The elements of axis `axis` in the opposite order.
    #[track_caller]
    pub fn flip(&self, axis: isize) -> Tensor {
        self.slice_step(axis, .., -1)
    }

    /// The sub-tensor at `index` of axis `axis`, without that axis.
    #[track_caller]
    pub fn select(&self, axis: isize, index: isize) -> Tensor {
        let at = check::axis_or_panic("select", axis, self.rank());
        let end = if index == -1 { self.shape()[at] as isize } else { index + 1 };
        self.slice(axis, index..end).reshape(self.shape().without(at))
    }

    #[track_caller]
    fn bounds(&self, op: &'static str, axis: isize, range: impl RangeBounds<isize>) -> (usize, usize, usize) {
        let axis = check::axis_or_panic(op, axis, self.rank());
        let size = self.shape()[axis] as isize;
        let place = |i: isize| if i < 0 { i + size } else { i };
        let start = match range.start_bound() {
            Bound::Included(&i) => place(i),
            Bound::Excluded(&i) => place(i) + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&i) => place(i) + 1,
            Bound::Excluded(&i) => place(i),
            Bound::Unbounded => size,
        };
        if !(0..=size).contains(&start) || !(0..=size).contains(&end) {
            ShapeError::new(op, format!("{start}..{end} reaches beyond axis {axis} of {}", self.shape())).panic();
        }
        (axis, start as usize, end as usize)
    }
}
