//! The axes in another order: `dx` is dy with the axes back in theirs. A view.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor};
use cotangent_base::{Saves, Shape, ShapeError};

/// Axis `i` of the result is axis `order[i]` of x.
#[derive(Clone, Debug)]
pub struct Permute(pub Vec<usize>);

impl Op<1> for Permute {
    const NAME: &'static str = "permute";
    const SAVES: Saves = Saves::Nothing;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        let mut seen = self.0.clone();
        seen.sort_unstable();
        if !seen.into_iter().eq(0..x.shape.rank()) {
            let message = format!("{:?} does not name each axis of {} once", self.0, x.shape);
            return Err(ShapeError::new("permute", message));
        }
        let sizes: Vec<usize> = self.0.iter().map(|&a| x.shape[a]).collect();
        Ok(Spec { shape: Shape::from(sizes), ..x })
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
        (x.with_layout(x.layout.permute(&self.0)), ())
    }

    fn vjp(&self, _: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        let mut back = vec![0; self.0.len()];
        for (i, &axis) in self.0.iter().enumerate() {
            back[axis] = i;
        }
        [Some(apply(Permute(back), [&dy]))]
    }
}

impl Tensor {
    /// The axes in another order: axis `i` of the result is axis `order[i]` of this tensor.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).permute(&[2, 0, 1]).dims(), [4, 2, 3]);
    /// ```
    #[track_caller]
    pub fn permute(&self, order: &[isize]) -> Tensor {
        let axis = |&a| check::axis_or_panic("permute", a, self.rank());
        apply(Permute(order.iter().map(axis).collect()), [self])
    }

    /// With axes `a` and `b` exchanged.
    #[track_caller]
    pub fn transpose(&self, a: isize, b: isize) -> Tensor {
        let mut order: Vec<usize> = (0..self.rank()).collect();
        let (a, b) =
            (check::axis_or_panic("transpose", a, self.rank()), check::axis_or_panic("transpose", b, self.rank()));
        order.swap(a, b);
        apply(Permute(order), [self])
    }

    /// The matrix transpose: the last two axes exchanged.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        self.transpose(-2, -1)
    }
}
