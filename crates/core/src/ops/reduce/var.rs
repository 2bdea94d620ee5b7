//! Variance and standard deviation over some axes, from the squared distances to the mean.

use super::{IntoAxes, mean};
use crate::Tensor;
use crate::ops::check;
use cotangent_base::{Axes, Shape};

impl Tensor {
    /// The variance over `axes`: `Σ (x − mean)² / (n − ddof)`. `ddof` is 0 for the variance of a population
    /// (NumPy's and Keras's default), 1 for the unbiased estimate (PyTorch's); NaN where n is at most `ddof`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.var(.., 1).item(), 1.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is not a float.
    #[track_caller]
    pub fn var(&self, axes: impl IntoAxes, ddof: usize) -> Tensor {
        self.var_axes(axes.into_axes("var", self.rank()), ddof, false)
    }

    /// As [`var`](Tensor::var), the axes staying with size 1.
    #[track_caller]
    pub fn var_keepdim(&self, axes: impl IntoAxes, ddof: usize) -> Tensor {
        self.var_axes(axes.into_axes("var", self.rank()), ddof, true)
    }

    /// The standard deviation over `axes`, the root of [`var`](Tensor::var). Where it is 0 its gradient is 0.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::from([1.0_f32, 5.0]).std(.., 0).item(), 2.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is not a float.
    #[track_caller]
    pub fn std(&self, axes: impl IntoAxes, ddof: usize) -> Tensor {
        root(&self.var_axes(axes.into_axes("std", self.rank()), ddof, false))
    }

    /// As [`std`](Tensor::std), the axes staying with size 1.
    #[track_caller]
    pub fn std_keepdim(&self, axes: impl IntoAxes, ddof: usize) -> Tensor {
        root(&self.var_axes(axes.into_axes("std", self.rank()), ddof, true))
    }

    #[track_caller]
    fn var_axes(&self, axes: Axes, ddof: usize, keepdim: bool) -> Tensor {
        check::or_panic(check::float("var", self.spec()));
        let n = mean::size(self, axes);
        let squares = (self - self.mean_keepdim(axes)).square().sum_axes(axes, keepdim);
        if n > ddof { squares.div_scalar((n - ddof) as f64) } else { squares.scale(f64::NAN) }
    }
}

/// The square root, with derivative 0 where it is 0.
fn root(var: &Tensor) -> Tensor {
    let [zero, one] = [0.0, 1.0].map(|c| var.new_full(Shape::SCALAR, c));
    let still = var.eq(0.0);
    still.where_(&zero, &still.where_(&one, var).sqrt())
}
