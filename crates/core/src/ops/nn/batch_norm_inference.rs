//! Batch normalisation with given statistics: `y = x̂·γ + β`, `x̂ = (x − mean)·s`, `s = 1/√(var + ε)`, all per channel.
//! `dx = dy·γ·s`, `dγ = Σ dy·x̂`, `dβ = Σ dy`, `dmean = −Σ dy·γ·s`, `dvar = −½ Σ dy·x̂ · γ·s²`. Saves the operands.

use super::batch_norm::{along, fits, others};
use crate::autograd::{Op, Saved, apply};
use crate::kernels::{self, Norm};
use crate::ops::check;
use crate::{Spec, Tensor};
use cotangent_base::{Saves, ShapeError};

/// Batch normalisation of x with γ, β, mean, var along axis `channel`.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormInference {
    /// The axis of the channels.
    pub channel: usize,
    /// What is added to the variance.
    pub eps: f64,
}

impl Op<5> for BatchNormInference {
    const NAME: &'static str = "batch_norm_inference";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, gamma, beta, mean, var]: [Spec; 5]) -> Result<Spec, ShapeError> {
        let vectors = [("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)];
        fits(Self::NAME, x, self.channel, &vectors)
    }

    fn forward(&self, [x, gamma, beta, mean, var]: [&Tensor; 5], _: Spec) -> (Tensor, ()) {
        let [gamma, beta, mean] = [gamma, beta, mean].map(kernels::compact);
        let inv_std = (var.detach() + self.eps).rsqrt();
        let norm = Norm { mean: &mean, inv_std: &inv_std, gamma: &gamma, beta: &beta };
        (kernels::normalize(x, self.channel, norm), ())
    }

    fn vjp(&self, saved: Saved<5, ()>, dy: Tensor, need: [bool; 5]) -> [Option<Tensor>; 5] {
        let [x, gamma, _, mean, var] = saved.x();
        let (axes, wide) = (others(x, self.channel), |v: &Tensor| along(v, self.channel, x.rank()));
        let inv_std = (var + self.eps).rsqrt();
        let scale = gamma * &inv_std;
        let total = dy.sum(axes);
        let weighted = || (&dy * (x - wide(mean)) * wide(&inv_std)).sum(axes);
        [
            need[0].then(|| &dy * wide(&scale)),
            need[1].then(weighted),
            need[2].then(|| total.clone()),
            need[3].then(|| -(&total * &scale)),
            need[4].then(|| weighted() * &scale * &inv_std * -0.5),
        ]
    }
}

impl Tensor {
    /// Batch normalisation as in inference: `y = (x − mean) / √(var + eps) · gamma + beta` with given statistics,
    /// all four vectors `[C]` along `axis`. The derivative goes to all of them.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let [gamma, beta, mean, var] = [2.0_f32, 1.0, 3.0, 4.0].map(|v| Tensor::from([v]));
    /// let y = Tensor::from([[5.0_f32]]).batch_norm_inference(&gamma, &beta, &mean, &var, -1, 0.0);
    /// assert_eq!(y.item(), 3.0);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or a vector is not `[C]` of the same dtype.
    #[track_caller]
    pub fn batch_norm_inference(
        &self,
        gamma: &Tensor,
        beta: &Tensor,
        mean: &Tensor,
        var: &Tensor,
        axis: isize,
        eps: f64,
    ) -> Tensor {
        let channel = check::axis_or_panic("batch_norm_inference", axis, self.rank());
        apply(BatchNormInference { channel, eps }, [self, gamma, beta, mean, var])
    }
}
