//! Affine map `y = x·w + b` over the last axis: `dx = dy·wᵀ`, `dw = xᵀ·dy`, `db = Σ dy`, the leading axes of x and
//! dy taken as rows. Saves `x`, `w`.

use super::apply_to;
use super::rectified::{Rectify, rectified};
use crate::autograd::{Op, Saved};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, Shape, ShapeError};

/// `[.., in] · [in, out] (+ [out]) → [.., out]`: two operands, or three with a bias.
#[derive(Clone, Copy, Debug)]
pub struct Linear;

impl Op<2> for Linear {
    const NAME: &'static str = "linear";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, w]: [Spec; 2]) -> Result<Spec, ShapeError> {
        check::same_dtype("linear", x, w)?;
        check::float("linear", x)?;
        check::rank("linear", "w", w, 2)?;
        let Some((&features, lead)) = x.shape.split_last() else {
            return Err(ShapeError::new("linear", "x has no axes, wants [.., in]"));
        };
        if features != w.shape[0] {
            let message = format!("x {} has {features} features, w {} wants {}", x.shape, w.shape, w.shape[0]);
            return Err(ShapeError::new("linear", message));
        }
        let sizes = [lead, &[w.shape[1]]].concat();
        Ok(Spec { shape: Shape::from(sizes), ..x })
    }

    fn forward(&self, [x, w]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        (affine(x, w, None, y.shape), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [x, w] = saved.x();
        cotangents(x, w, &rows(&dy), need)
    }
}

impl Op<3> for Linear {
    const NAME: &'static str = "linear";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, w, b]: [Spec; 3]) -> Result<Spec, ShapeError> {
        let y = Op::<2>::infer(self, [x, w])?;
        check::bias("linear", b, w)?;
        Ok(y)
    }

    fn forward(&self, [x, w, b]: [&Tensor; 3], y: Spec) -> (Tensor, ()) {
        (affine(x, w, Some(b), y.shape), ())
    }

    fn vjp(&self, saved: Saved<3, ()>, dy: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [x, w, _] = saved.x();
        let dy = rows(&dy);
        let [dx, dw] = cotangents(x, w, &dy, [need[0], need[1]]);
        [dx, dw, need[2].then(|| dy.sum(0))]
    }
}

/// `x` with all axes but the last as one.
pub(super) fn rows(x: &Tensor) -> Tensor {
    let shape = x.shape();
    let (&features, lead) = shape.split_last().expect("infer has checked");
    x.reshape([lead.iter().product(), features])
}

pub(super) fn affine(x: &Tensor, w: &Tensor, b: Option<&Tensor>, y: Shape) -> Tensor {
    let x = rows(&x.detach());
    let shape = Shape::from([x.shape()[0], w.shape()[1]]);
    kernels::matmul(&x, w, b, shape).reshape(y)
}

pub(super) fn cotangents(x: &Tensor, w: &Tensor, dy: &Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
    [need[0].then(|| dy.matmul(&w.t()).reshape(x.shape())), need[1].then(|| rows(x).t().matmul(dy))]
}

impl Rectify<2> for Linear {
    const RECTIFIED: &'static str = "linear_relu";

    fn rectified(&self, [x, w]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        (rectified(affine(x, w, None, y.shape)), ())
    }
}

impl Rectify<3> for Linear {
    const RECTIFIED: &'static str = "linear_relu";

    fn rectified(&self, [x, w, b]: [&Tensor; 3], y: Spec) -> (Tensor, ()) {
        (rectified(affine(x, w, Some(b), y.shape)), ())
    }
}

impl Tensor {
    /// The affine map `y = x·w + b` over the last axis: x `[.., in]`, w `[in, out]`, b `[out]`, y `[.., out]`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let w = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::from([10.0_f32, 20.0]);
    /// let x = Tensor::from([[1.0_f32, 1.0]]);
    /// assert_eq!(x.linear(&w, Some(&b)).to_vec::<f32>(), [14.0, 26.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes do not fit.
    #[track_caller]
    pub fn linear(&self, w: &Tensor, b: Option<&Tensor>) -> Tensor {
        apply_to(Linear, self, w, b)
    }
}
