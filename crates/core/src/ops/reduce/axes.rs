//! The axes of a reduction as a user writes them: `..`, `0`, `-1`, `[0, 2]`.

use crate::ops::check;
use cotangent_base::Axes;
use std::ops::RangeFull;

/// `..` for all axes, a number for one, an array or slice for several; negative counts from the back.
pub trait IntoAxes {
    /// The axes of a tensor of this rank.
    ///
    /// # Panics
    /// If there is no such axis, naming `op`.
    #[track_caller]
    fn into_axes(self, op: &'static str, rank: usize) -> Axes;
}

impl IntoAxes for RangeFull {
    fn into_axes(self, _: &'static str, rank: usize) -> Axes {
        Axes::all(rank)
    }
}

impl IntoAxes for &[isize] {
    #[track_caller]
    fn into_axes(self, op: &'static str, rank: usize) -> Axes {
        let mut set = Axes::NONE;
        for &axis in self {
            set = set.with(check::axis_or_panic(op, axis, rank)); // no closure: it would hide the caller's line
        }
        set
    }
}

impl<const N: usize> IntoAxes for [isize; N] {
    #[track_caller]
    fn into_axes(self, op: &'static str, rank: usize) -> Axes {
        self.as_slice().into_axes(op, rank)
    }
}

impl IntoAxes for isize {
    #[track_caller]
    fn into_axes(self, op: &'static str, rank: usize) -> Axes {
        [self].into_axes(op, rank)
    }
}

impl IntoAxes for Axes {
    fn into_axes(self, _: &'static str, _: usize) -> Axes {
        self
    }
}
