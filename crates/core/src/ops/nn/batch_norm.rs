//! Batch normalisation with the batch's own statistics: `y = x̂·γ + β`, `x̂ = (x − mean) / √(var + ε)`, both per
//! channel over all other axes, the variance biased. With `g = dy·γ` and the mean `⟨·⟩` over the same axes:
//! `dx = (g − ⟨g⟩ − x̂·⟨g·x̂⟩) / √(var + ε)`, `dγ = Σ dy·x̂`, `dβ = Σ dy`. Saves `x`, `γ`, the statistics.
//!
//! Ioffe, Szegedy: *Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift*,
//! ICML 2015.

use crate::autograd::{Op, Saved, apply, is_tracking, no_grad};
use crate::kernels::{self, Norm};
use crate::ops::check;
use crate::{Spec, Tensor};
use cotangent_base::{Axes, Saves, Shape, ShapeError};

/// Batch normalisation of x, γ, β along axis `channel`.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    channel: usize,
    eps: f64,
    /// Of the batch, `[C]`.
    mean: Tensor,
    /// `1 / √(var + ε)` of the batch, `[C]`.
    inv_std: Tensor,
}

impl Op<3> for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, gamma, beta]: [Spec; 3]) -> Result<Spec, ShapeError> {
        fits("batch_norm", x, self.channel, &[("gamma", gamma), ("beta", beta), ("mean", self.mean.spec())])
    }

    fn forward(&self, [x, gamma, beta]: [&Tensor; 3], _: Spec) -> (Tensor, ()) {
        let (gamma, beta) = (kernels::compact(gamma), kernels::compact(beta));
        (kernels::normalize(x, self.channel, self.norm(&gamma, &beta)), ())
    }

    fn vjp(&self, saved: Saved<3, ()>, dy: Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let [x, gamma, _] = saved.x();
        self.cotangents(x, gamma, &dy, need)
    }
}

impl BatchNorm {
    /// With the statistics of x along `axis`, for the op `name`; gives the mean and the variance too.
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis, or gamma or beta does not fit.
    #[track_caller]
    pub(super) fn of(
        name: &'static str,
        x: &Tensor,
        [gamma, beta]: [&Tensor; 2],
        axis: isize,
        eps: f64,
    ) -> (Self, Tensor, Tensor) {
        let channel = check::axis_or_panic(name, axis, x.rank());
        let vectors = [("gamma", gamma.spec()), ("beta", beta.spec())];
        check::or_panic(fits(name, x.spec(), channel, &vectors));
        let (mean, var) = kernels::moments(x, channel);
        let inv_std = no_grad(|| (&var + eps).rsqrt());
        (Self { channel, eps, mean: mean.clone(), inv_std }, mean, var)
    }

    pub(super) fn norm<'a>(&'a self, gamma: &'a Tensor, beta: &'a Tensor) -> Norm<'a> {
        Norm { mean: &self.mean, inv_std: &self.inv_std, gamma, beta }
    }

    /// By the kernel; by ops where the result is to be differentiated again.
    pub(super) fn cotangents(&self, x: &Tensor, gamma: &Tensor, dy: &Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        if is_tracking() {
            return self.cotangents_by_ops(x, gamma, dy, need);
        }
        let gamma = kernels::compact(gamma);
        kernels::normalize_vjp(x, self.channel, self.norm(&gamma, &gamma), dy, need)
    }

    fn cotangents_by_ops(&self, x: &Tensor, gamma: &Tensor, dy: &Tensor, need: [bool; 3]) -> [Option<Tensor>; 3] {
        let axes = others(x, self.channel);
        let centred = x - x.mean_keepdim(axes);
        let inv_std = (centred.square().mean_keepdim(axes) + self.eps).rsqrt();
        let unit = centred * &inv_std;
        let dx = || {
            let g = dy * along(gamma, self.channel, x.rank());
            (&g - g.mean_keepdim(axes) - &unit * (&g * &unit).mean_keepdim(axes)) * &inv_std
        };
        [need[0].then(dx), need[1].then(|| (dy * &unit).sum(axes)), need[2].then(|| dy.sum(axes))]
    }
}

/// Every axis of `x` but the channel.
pub(super) fn others(x: &Tensor, channel: usize) -> Axes {
    (0..x.rank()).filter(|&axis| axis != channel).collect()
}

/// `v`, `[C]`, in a shape that broadcasts along axis `channel` of `rank`.
pub(super) fn along(v: &Tensor, channel: usize, rank: usize) -> Tensor {
    let ones = Shape::new(&vec![1; rank]);
    v.reshape(ones.with(channel, v.count()))
}

/// The spec of the result, if each of the vectors is `[C]` of x's dtype.
pub(super) fn fits(op: &'static str, x: Spec, channel: usize, vectors: &[(&str, Spec)]) -> Result<Spec, ShapeError> {
    check::float(op, x)?;
    let c = x.shape[channel];
    for &(name, v) in vectors {
        check::same_dtype(op, x, v)?;
        if *v.shape != [c] {
            let message = format!("{name} {} for x {} with {c} channels on axis {channel}", v.shape, x.shape);
            return Err(ShapeError::new(op, message));
        }
    }
    Ok(x)
}

impl Tensor {
    /// Batch normalisation as in training: `y = (x − mean) / √(var + eps) · gamma + beta`, mean and (biased)
    /// variance taken over all axes but `axis`. Gives `(y, mean, var)`, the last two `[C]` and outside any graph:
    /// they are for moving averages.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from([[1.0_f32], [3.0]]);
    /// let (y, mean, var) = x.batch_norm(&Tensor::ones([1]), &Tensor::zeros([1]), -1, 0.0);
    /// assert_eq!((mean.item(), var.item()), (2.0, 1.0));
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If there is no such axis, or gamma or beta is not `[C]` of the same dtype.
    #[track_caller]
    pub fn batch_norm(&self, gamma: &Tensor, beta: &Tensor, axis: isize, eps: f64) -> (Tensor, Tensor, Tensor) {
        let (op, mean, var) = BatchNorm::of("batch_norm", self, [gamma, beta], axis, eps);
        (apply(op, [self, gamma, beta]), mean, var)
    }
}
