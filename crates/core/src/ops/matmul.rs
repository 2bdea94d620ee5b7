//! Matrix product `y = a·b`, batched with broadcasting: `da = dy·bᵀ`, `db = aᵀ·dy`, each summed to its operand's
//! shape. Saves `a`, `b`.

use crate::autograd::{Op, Saved, apply};
use crate::ops::check;
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, Shape, ShapeError};
use std::borrow::Cow;

/// `[.., M, K] · [.., K, N] → [.., M, N]`; the leading axes broadcast.
#[derive(Clone, Copy, Debug)]
pub struct MatMul;

impl Op<2> for MatMul {
    const NAME: &'static str = "matmul";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [a, b]: [Spec; 2]) -> Result<Spec, ShapeError> {
        check::same_dtype("matmul", a, b)?;
        check::float("matmul", a)?;
        let error = |what: String| Err(ShapeError::new("matmul", format!("a {}, b {}: {what}", a.shape, b.shape)));
        let (ra, rb) = (a.shape.rank(), b.shape.rank());
        if ra < 2 || rb < 2 {
            return error("both need two axes or more; reshape a vector to a row or a column".into());
        }
        let (m, k) = (a.shape[ra - 2], a.shape[ra - 1]);
        let (kb, n) = (b.shape[rb - 2], b.shape[rb - 1]);
        if k != kb {
            return error(format!("a has {k} columns, b has {kb} rows"));
        }
        let lead = Shape::from(&a.shape[..ra - 2]).broadcast(&Shape::from(&b.shape[..rb - 2]));
        let Some(lead) = lead else {
            return error("the leading axes do not broadcast".into());
        };
        let axes = lead.rank();
        Ok(Spec { shape: lead.inserted(axes, m).inserted(axes + 1, n), ..a })
    }

    fn forward(&self, [a, b]: [&Tensor; 2], y: Spec) -> (Tensor, ()) {
        let lead = &y.shape[..y.shape.rank() - 2];
        (kernels::matmul(&stack(a, lead), &stack(b, lead), None, y.shape), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, dy: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [a, b] = saved.x();
        [need[0].then(|| dy.matmul(&b.t()).sum_to(a.shape())), need[1].then(|| a.t().matmul(&dy).sum_to(b.shape()))]
    }
}

/// The matrices of `x` broadcast over the leading axes `lead`, as a view.
fn stack<'a>(x: &'a Tensor, lead: &[usize]) -> Cow<'a, Tensor> {
    let shape = x.shape();
    let (own, matrix) = shape.split_at(x.rank() - 2);
    if own == lead { Cow::Borrowed(x) } else { Cow::Owned(x.expand([lead, matrix].concat())) }
}

impl Tensor {
    /// The matrix product: `[.., M, K] · [.., K, N] → [.., M, N]`, the leading axes broadcast.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let a = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// let b = Tensor::from([[1.0_f32], [10.0]]);
    /// assert_eq!(a.matmul(&b).to_vec::<f32>(), [21.0, 43.0]);
    /// ```
    ///
    /// # Panics
    /// If an operand has fewer than two axes, or a's columns are not b's rows.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Tensor {
        apply(MatMul, [self, other])
    }
}
