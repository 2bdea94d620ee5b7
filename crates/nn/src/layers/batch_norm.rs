//! [`BatchNorm`]: batch normalisation.

use super::{built, params};
use crate::{Affine, Behind, Build, Init, Layer, Param, Pass};
use cotangent_core::{Error, Result, Shape, Tensor, no_grad};

/// `y = (x − mean) / √(variance + ε) · gamma + beta`, channel by channel. Shape: any → same; all parameters `[C]`.
/// Ioffe, Szegedy 2015; Keras's `BatchNormalization`.
///
/// While training, mean and (biased) variance are the batch's own, over all axes but the channel's, and the moving
/// ones follow: `moving = momentum · moving + (1 − momentum) · batch`. In inference the moving ones are used.
///
/// Keras's momentum 0.99 is what PyTorch calls 0.01.
pub struct BatchNorm {
    axis: isize,
    momentum: f64,
    epsilon: f64,
    center: bool,
    scale: bool,
    gamma: Option<Param>,
    beta: Option<Param>,
    moving_mean: Option<Param>,
    moving_variance: Option<Param>,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchNorm {
    /// Over the last axis, momentum 0.99, ε = 1e-3.
    pub fn new() -> Self {
        Self {
            axis: -1,
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            gamma: None,
            beta: None,
            moving_mean: None,
            moving_variance: None,
        }
    }

    /// The channel's axis, the batch axis being 0: −1 for channels-last images, 1 for channels-first.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// How much of the moving statistics stays at each step.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// What is added to the variance.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Whether there is a beta. Default: yes.
    pub fn center(mut self, center: bool) -> Self {
        self.center = center;
        self
    }

    /// Whether there is a gamma. Default: yes; a linear layer behind this one can do without it.
    pub fn scale(mut self, scale: bool) -> Self {
        self.scale = scale;
        self
    }

    /// The number of channels in an input, if the options make sense for it.
    fn check(&self, input: Shape) -> Result<usize> {
        let rank = input.rank() as isize + 1;
        let axis = if self.axis < 0 { self.axis + rank } else { self.axis };
        if !(1..rank).contains(&axis) {
            let message = format!("axis {} of input {}", self.axis, input.of_batch());
            return Err(Error::new("BatchNorm", message).hint("name the channel's axis; axis 0 is the batch"));
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            let hint = "it is the part of the moving statistics that stays: 0 to 1, Keras's default is 0.99";
            return Err(Error::new("BatchNorm", format!("momentum {}", self.momentum)).hint(hint));
        }
        if !(self.epsilon > 0.0) {
            let hint = "it must be above 0: a channel without variance would be divided by 0";
            return Err(Error::new("BatchNorm", format!("epsilon {}", self.epsilon)).hint(hint));
        }
        Ok(input[axis as usize - 1])
    }

    /// The moving mean and variance.
    fn moving(&self) -> [&Tensor; 2] {
        [&self.moving_mean, &self.moving_variance].map(|p| built("BatchNorm", p))
    }

    /// Those that learn, or what does nothing.
    fn gamma_and_beta(&self) -> [Tensor; 2] {
        let [mean, _] = self.moving();
        let gamma = self.gamma.as_ref().map_or_else(|| mean.ones_like(), |p| p.value.clone());
        let beta = self.beta.as_ref().map_or_else(|| mean.zeros_like(), |p| p.value.clone());
        [gamma, beta]
    }

    /// y, the moving statistics being made to follow those of the batch.
    fn kept(&self, (y, mean, variance): (Tensor, Tensor, Tensor), pass: &mut Pass) -> Tensor {
        // they stand behind the parameters that learn
        let place = usize::from(self.scale) + usize::from(self.center);
        pass.keep(place, self.follow(&mean));
        pass.keep(place + 1, self.follow(&variance));
        y
    }

    /// How a moving statistic follows that of a batch.
    fn follow(&self, batch: &Tensor) -> impl FnOnce(&Tensor) -> Tensor + 'static {
        let (momentum, batch) = (self.momentum, batch.detach());
        move |moving| no_grad(|| moving.scale(momentum) + batch.scale(1.0 - momentum))
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        "BatchNorm"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> Result<Shape> {
        let channels = self.check(input)?;
        self.gamma = self.scale.then(|| build.param("gamma", [channels], Init::Ones));
        self.beta = self.center.then(|| build.param("beta", [channels], Init::Zeros));
        let fixed = |name, value| Some(Param::fixed(name, Tensor::full([channels], value, build.dtype)));
        self.moving_mean = fixed("moving_mean", 0.0);
        self.moving_variance = fixed("moving_variance", 1.0);
        Ok(input)
    }

    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let [mean, variance] = self.moving();
        let [gamma, beta] = &self.gamma_and_beta();
        if !pass.training {
            return x.batch_norm_inference(gamma, beta, mean, variance, self.axis, self.epsilon);
        }
        self.kept(x.batch_norm(gamma, beta, self.axis, self.epsilon), pass)
    }

    /// With an affine map, where x is data: the backward pass has a shorter way then.
    fn call_with(&self, x: &Tensor, behind: &Behind, pass: &mut Pass) -> Option<Tensor> {
        let &Behind { affine: Some(Affine { kernel, bias: Some(bias) }), pooling: None, relu } = behind else {
            return None;
        };
        let last = self.axis == -1 || self.axis == x.rank() as isize - 1;
        if !pass.training || !last || x.is_tracked() {
            return None;
        }
        let [gamma, beta] = &self.gamma_and_beta();
        let run = if relu { Tensor::batch_norm_linear_relu } else { Tensor::batch_norm_linear };
        Some(self.kept(run(x, gamma, beta, self.epsilon, kernel, bias), pass))
    }

    params!(gamma, beta, moving_mean, moving_variance);
}
