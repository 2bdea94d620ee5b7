//! Tensors one after another along an axis: each operand's cotangent is its part of dy. And the opposite, splitting.

use crate::autograd::apply_variadic;
use crate::ops::check;
use crate::{Spec, Tensor, inspect, kernels};
use cotangent_base::{Layout, ShapeError};

/// The spec of the operands of spec `x` one after another along `axis`, or why they do not fit.
pub fn infer_concat(x: &[Spec], axis: usize) -> Result<Spec, ShapeError> {
    let Some((&first, rest)) = x.split_first() else {
        return Err(ShapeError::new("concat", "no tensors"));
    };
    let mut size = first.shape[axis];
    for (i, other) in rest.iter().enumerate() {
        check::same_dtype("concat", first, *other)?;
        let fits = other.shape.rank() == first.shape.rank() && other.shape.with(axis, first.shape[axis]) == first.shape;
        if !fits {
            let message = format!(
                "tensor {} is {}, tensor 0 is {}: they may differ in axis {axis} alone",
                i + 1,
                other.shape,
                first.shape
            );
            return Err(ShapeError::new("concat", message));
        }
        size += other.shape[axis];
    }
    Ok(Spec { shape: first.shape.with(axis, size), ..first })
}

/// The parts of a tensor along an axis: where each starts, and its size.
fn parts(sizes: impl Iterator<Item = usize>) -> Vec<(usize, usize)> {
    sizes.scan(0, |end, size| Some((std::mem::replace(end, *end + size), size))).collect()
}

impl Tensor {
    /// The tensors one after another along `axis`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let (a, b) = (Tensor::from([[1.0_f32], [2.0]]), Tensor::from([[3.0_f32], [4.0]]));
    /// assert_eq!(Tensor::concat(&[&a, &b], 1).to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If there are none, or they differ in dtype or in any other axis.
    #[track_caller]
    pub fn concat(tensors: &[&Tensor], axis: isize) -> Tensor {
        let at = check::axis_or_panic("concat", axis, tensors.first().map_or(1, |x| x.rank()));
        let specs: Vec<Spec> = tensors.iter().map(|x| x.spec()).collect();
        let y = check::or_panic(infer_concat(&specs, at));
        let parts = parts(specs.iter().map(|x| x.shape[at]));
        let whole = Layout::contiguous(y.shape);
        let places: Vec<(Layout, &Tensor)> =
            parts.iter().zip(tensors).map(|(&(start, size), &x)| (whole.slice(at, start, size, 1), x)).collect();
        let y = inspect::observe("concat", tensors, || kernels::assemble(y, None, &places));
        apply_variadic("concat", tensors, y, move |dy, need| {
            let part = |(&(start, size), &need): (&(usize, usize), &bool)| need.then(|| dy.narrow(axis, start, size));
            parts.iter().zip(need).map(part).collect()
        })
    }

    /// The tensors, of one shape, along a new axis at `axis` of the result.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let (a, b) = (Tensor::from([1.0_f32, 2.0]), Tensor::from([3.0_f32, 4.0]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 1).to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If there are none, or their shapes or dtypes differ.
    #[track_caller]
    pub fn stack(tensors: &[&Tensor], axis: isize) -> Tensor {
        if let Some(i) = tensors.iter().position(|x| x.shape() != tensors[0].shape()) {
            let message = format!("tensor {i} is {}, tensor 0 is {}", tensors[i].shape(), tensors[0].shape());
            ShapeError::new("stack", message).panic();
        }
        let rows: Vec<Tensor> = tensors.iter().map(|x| x.unsqueeze(axis)).collect();
        Tensor::concat(&rows.iter().collect::<Vec<_>>(), axis)
    }

    /// The parts of these sizes along `axis`, as views.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let parts = Tensor::zeros([2, 5]).split(&[1, 4], 1);
    /// assert_eq!(parts[1].dims(), [2, 4]);
    /// ```
    ///
    /// # Panics
    /// If the sizes do not sum to the axis's.
    #[track_caller]
    pub fn split(&self, sizes: &[usize], axis: isize) -> Vec<Tensor> {
        let at = check::axis_or_panic("split", axis, self.rank());
        if sizes.iter().sum::<usize>() != self.shape()[at] {
            let message = format!("the sizes {sizes:?} do not sum to axis {axis} of {}", self.shape());
            ShapeError::new("split", message).panic();
        }
        parts(sizes.iter().copied()).into_iter().map(|(start, size)| self.narrow(axis, start, size)).collect()
    }

    /// `count` parts of equal size along `axis`, as views.
    ///
    /// # Panics
    /// If `count` does not divide the axis's size.
    #[track_caller]
    pub fn chunk(&self, count: usize, axis: isize) -> Vec<Tensor> {
        let at = check::axis_or_panic("chunk", axis, self.rank());
        let size = self.shape()[at];
        if count == 0 || !size.is_multiple_of(count) {
            ShapeError::new("chunk", format!("{count} parts do not divide axis {axis} of {}", self.shape())).panic();
        }
        self.split(&vec![size / count; count], axis)
    }
}
