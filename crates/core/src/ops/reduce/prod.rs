//! Π x over some axes: `dx = dy · Π` of the others, which is right with zeros among them, where `y/x` is not.
//! Saves `x`.

use super::IntoAxes;
use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Axes, Reduce, Saves, ShapeError};

/// The product over `axes`.
#[derive(Clone, Copy, Debug)]
pub struct Prod {
    /// The axes to multiply over.
    pub axes: Axes,
    /// Whether they stay with size 1.
    pub keepdim: bool,
}

impl Op<1> for Prod {
    const NAME: &'static str = "prod";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        check::number("prod", x)?;
        Ok(Spec { shape: self.axes.reduce(&x.shape, self.keepdim), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (kernels::reduce(Reduce::Prod, x, self.axes, self.keepdim), ())
    }

    fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let [x] = saved.x();
        let kept = self.axes.reduce(&x.shape(), true);
        [Some(others(x, self.axes) * dy.reshape(kept))]
    }
}

/// For each element the product of all others over `axes`.
fn others(x: &Tensor, axes: Axes) -> Tensor {
    let order: Vec<usize> = (0..x.rank()).filter(|&a| !axes.has(a)).chain(axes.iter()).collect();
    let signed = |order: &[usize]| order.iter().map(|&a| a as isize).collect::<Vec<isize>>();
    let moved = x.permute(&signed(&order));
    let rows: usize = order[..x.rank() - axes.len()].iter().map(|&a| x.shape()[a]).product();
    let columns: usize = axes.iter().map(|a| x.shape()[a]).product();
    let mut back = vec![0; order.len()];
    for (i, &axis) in order.iter().enumerate() {
        back[axis] = i;
    }
    others_in_row(&moved.reshape([rows, columns])).reshape(moved.shape()).permute(&signed(&back))
}

/// The same over the columns of `[rows, n]`: the product of pairs gives a row half as long, whose others, times the
/// neighbour in the pair, are the element's.
fn others_in_row(x: &Tensor) -> Tensor {
    let [rows, n] = x.dims();
    if n <= 1 {
        return x.ones_like();
    }
    let even = x.pad(&[(0, 0), (0, n % 2)], 1.0);
    let pairs = even.reshape([rows, n.div_ceil(2), 2]);
    let products = pairs.select(2, 0) * pairs.select(2, 1);
    let each = others_in_row(&products).unsqueeze(-1) * pairs.flip(-1);
    each.reshape(even.shape()).narrow(1, 0, n)
}

impl Tensor {
    /// The product over `axes`; 1 over no elements.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([2.0_f32, 0.0, 5.0]).tracked();
    /// assert_eq!(x.prod(..).backward().wrt(&x).to_vec::<f32>(), [0.0, 10.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or the dtype is bool.
    #[track_caller]
    pub fn prod(&self, axes: impl IntoAxes) -> Tensor {
        apply(Prod { axes: axes.into_axes("prod", self.rank()), keepdim: false }, [self])
    }

    /// As [`prod`](Tensor::prod), the axes staying with size 1.
    #[track_caller]
    pub fn prod_keepdim(&self, axes: impl IntoAxes) -> Tensor {
        apply(Prod { axes: axes.into_axes("prod", self.rank()), keepdim: true }, [self])
    }
}
