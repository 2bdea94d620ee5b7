//! Batch normalisation over the last axis and the affine map behind it in one: `y = z·w + b`, `z = x̂·γ + β`. The rule is
//! the map's and then the normalisation's, unless x needs no cotangent, as data does not. Then nobody needs `dz = dy·wᵀ`,
//! of which γ and β want sums alone: with `P = x̂ᵀ·dy` and `s = Σ dy`, the leading axes taken as rows,
//! `dγ = Σₖ w∘P`, `dβ = w·s`, `dw = γ∘P + β·sᵀ`, `db = s`. Saves the operands, the statistics, `z`.

use super::batch_norm::BatchNorm;
use super::linear::{self, Linear, affine, rows};
use super::rectified::{Rectified, Rectify, rectified};
use crate::autograd::{Op, Saved, apply, is_tracking};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{Saves, ShapeError};

/// Batch normalisation of x with γ and β, then the map by w and b.
#[derive(Clone, Debug)]
pub struct BatchNormLinear(BatchNorm);

impl Op<5> for BatchNormLinear {
    const NAME: &'static str = "batch_norm_linear";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = Tensor;

    fn infer(&self, [x, gamma, beta, w, b]: [Spec; 5]) -> Result<Spec, ShapeError> {
        Op::<3>::infer(&Linear, [self.0.infer([x, gamma, beta])?, w, b])
    }

    fn forward(&self, [x, gamma, beta, w, b]: [&Tensor; 5], y: Spec) -> (Tensor, Tensor) {
        let (z, ()) = self.0.forward([x, gamma, beta], x.spec());
        (affine(&z, w, Some(b), y.shape), z)
    }

    fn vjp(&self, saved: Saved<5, Tensor>, dy: Tensor, need: [bool; 5]) -> [Option<Tensor>; 5] {
        let ([x, gamma, beta, w, _], dy) = (saved.x(), rows(&dy));
        if let Some(found) = self.without_dz(saved.x(), &dy, need) {
            return found;
        }
        let z = if is_tracking() { &apply(self.0.clone(), [x, gamma, beta]) } else { saved.aux };
        let of_norm = [need[0], need[1], need[2]];
        let [dz, dw] = linear::cotangents(z, w, &dy, [of_norm.contains(&true), need[3]]);
        let [dx, dgamma, dbeta] = dz.map_or([const { None }; 3], |dz| self.0.cotangents(x, gamma, &dz, of_norm));
        [dx, dgamma, dbeta, dw, need[4].then(|| dy.sum(0))]
    }
}

impl BatchNormLinear {
    /// By the kernel, if dz would only be made for γ and β, and the device has one.
    fn without_dz(&self, x: [&Tensor; 5], dy: &Tensor, need: [bool; 5]) -> Option<[Option<Tensor>; 5]> {
        let ([x, gamma, beta, w, _], [of_x, of_gamma, of_beta, of_w, of_b]) = (x, need);
        if of_x || !(of_gamma || of_beta) || is_tracking() {
            return None;
        }
        let (gamma, beta) = (kernels::compact(gamma), kernels::compact(beta));
        let [dgamma, dbeta, dw, db] = kernels::normalize_linear_vjp(&rows(x), self.0.norm(&gamma, &beta), w, dy)?;
        Some([None, of_gamma.then_some(dgamma), of_beta.then_some(dbeta), of_w.then_some(dw), of_b.then_some(db)])
    }
}

impl Rectify<5> for BatchNormLinear {
    const RECTIFIED: &'static str = "batch_norm_linear_relu";

    fn rectified(&self, x: [&Tensor; 5], y: Spec) -> (Tensor, Tensor) {
        let (y, z) = self.forward(x, y);
        (rectified(y), z)
    }
}

impl Tensor {
    /// The [affine map](Tensor::linear) by w `[in, out]` and b `[out]` of [batch normalisation](Tensor::batch_norm) over the
    /// last axis, as in training. Gives `(y, mean, var)` as that does. The backward pass is faster than that of one after the
    /// other where `self` is not tracked.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32], [3.0]]);
    /// let (w, b) = (Tensor::from([[10.0_f32]]), Tensor::from([5.0_f32]));
    /// let (y, mean, var) = x.batch_norm_linear(&Tensor::ones([1]), &Tensor::zeros([1]), 0.0, &w, &b);
    /// assert_eq!((mean.item(), var.item()), (2.0, 1.0));
    /// assert_eq!(y.to_vec::<f32>(), [-5.0, 15.0]);
    /// ```
    ///
    /// # Panics
    /// If the shapes or dtypes do not fit.
    #[track_caller]
    pub fn batch_norm_linear(
        &self,
        gamma: &Tensor,
        beta: &Tensor,
        eps: f64,
        w: &Tensor,
        b: &Tensor,
    ) -> (Tensor, Tensor, Tensor) {
        let (norm, mean, var) = BatchNorm::of("batch_norm_linear", self, [gamma, beta], -1, eps);
        (apply(BatchNormLinear(norm), [self, gamma, beta, w, b]), mean, var)
    }

    /// [`batch_norm_linear`](Tensor::batch_norm_linear) with a [`relu`](Tensor::relu) at the end.
    ///
    /// # Panics
    /// As [`batch_norm_linear`](Tensor::batch_norm_linear).
    #[track_caller]
    pub fn batch_norm_linear_relu(
        &self,
        gamma: &Tensor,
        beta: &Tensor,
        eps: f64,
        w: &Tensor,
        b: &Tensor,
    ) -> (Tensor, Tensor, Tensor) {
        let (norm, mean, var) = BatchNorm::of("batch_norm_linear", self, [gamma, beta], -1, eps);
        (apply(Rectified(BatchNormLinear(norm)), [self, gamma, beta, w, b]), mean, var)
    }
}
