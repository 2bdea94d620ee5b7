//! The checks that `infer` functions share.

use crate::Spec;
use cotangent_base::{Axes, DType, Shape, ShapeError};

/// What a check gives, or a panic at the caller's line that says why it fails.
#[track_caller]
pub(crate) fn or_panic<T>(checked: Result<T, ShapeError>) -> T {
    match checked {
        Ok(found) => found,
        Err(e) => e.panic(),
    }
}

/// Both operands have the same dtype.
pub(crate) fn same_dtype(op: &'static str, a: Spec, b: Spec) -> Result<(), ShapeError> {
    if a.dtype == b.dtype {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("dtypes differ: {} and {}; cast one of them", a.dtype, b.dtype)))
}

/// The operand is f32 or f64.
pub(crate) fn float(op: &'static str, x: Spec) -> Result<(), ShapeError> {
    if x.dtype.is_float() {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("wants f32 or f64, got {} {}; cast it first", x.dtype, x.shape)))
}

/// The operand is of numbers: any dtype but bool.
pub(crate) fn number(op: &'static str, x: Spec) -> Result<(), ShapeError> {
    if x.dtype != DType::Bool {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("wants numbers, got bool {}; cast it first", x.shape)))
}

/// The shape that both operands broadcast to.
pub(crate) fn broadcast(op: &'static str, a: Spec, b: Spec) -> Result<Shape, ShapeError> {
    a.shape.broadcast(&b.shape).ok_or_else(|| {
        let message = format!(
            "shapes do not broadcast: {} and {}; aligned at the last axis, sizes must be equal or 1",
            a.shape, b.shape
        );
        ShapeError::new(op, message)
    })
}

/// The operand has `rank` axes.
pub(crate) fn rank(op: &'static str, what: &str, x: Spec, rank: usize) -> Result<(), ShapeError> {
    if x.shape.rank() == rank {
        return Ok(());
    }
    let message = format!("{what} {} has {} axes, wants {rank}", x.shape, x.shape.rank());
    Err(ShapeError::new(op, message))
}

/// The axis that `axis` names, counted from the back if negative.
pub(crate) fn axis(op: &'static str, axis: isize, rank: usize) -> Result<usize, ShapeError> {
    let at = if axis < 0 { axis + rank as isize } else { axis };
    if (0..rank as isize).contains(&at) {
        return Ok(at as usize);
    }
    Err(ShapeError::new(op, format!("axis {axis} of a tensor with {rank} axes")))
}

/// [`axis`], panicking at the caller's line.
#[track_caller]
pub(crate) fn axis_or_panic(op: &'static str, axis: isize, rank: usize) -> usize {
    or_panic(self::axis(op, axis, rank))
}

/// The bias `b` is `[K]`, K being the last axis of the weights `w`.
pub(crate) fn bias(op: &'static str, b: Spec, w: Spec) -> Result<(), ShapeError> {
    same_dtype(op, b, w)?;
    let k = w.shape.last().copied().unwrap_or(1);
    if *b.shape == [k] {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("the bias has shape {}, w {} wants [{k}]", b.shape, w.shape)))
}

/// Both operands have the same dtype and shape.
pub(crate) fn same_spec(op: &'static str, a: Spec, b: Spec) -> Result<(), ShapeError> {
    same_dtype(op, a, b)?;
    if a.shape == b.shape {
        return Ok(());
    }
    Err(ShapeError::new(op, format!("shapes differ: {} and {}", a.shape, b.shape)))
}

/// None of `axes` is empty, so that there is a greatest element.
pub(crate) fn some(op: &'static str, x: Spec, axes: Axes) -> Result<(), ShapeError> {
    match axes.iter().find(|&axis| x.shape[axis] == 0) {
        None => Ok(()),
        Some(axis) => Err(ShapeError::new(op, format!("axis {axis} of {} has no elements to choose from", x.shape))),
    }
}
