//! The cotangents of a convolution as ops. Convolution is linear in x and in w, so the derivatives of these two
//! are convolutions and each other, and everything can be differentiated any number of times.

use super::conv2d::{Conv2d, Conv2dSpec};
use crate::autograd::{Op, Saved, apply};
use crate::{Spec, Tensor, kernels};
use cotangent_base::{ConvGeometry, Saves, ShapeError};

/// The cotangent of x: `[dy, w] → dx`.
pub(super) struct Conv2dDx {
    pub spec: Conv2dSpec,
    pub geometry: ConvGeometry,
}

impl Op<2> for Conv2dDx {
    const NAME: &'static str = "conv2d_dx";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [dy, _]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.geometry.x_shape(), ..dy })
    }

    fn forward(&self, [dy, w]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (kernels::conv2d_dx(dy, w, &self.geometry), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, g: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [dy, w] = saved.x();
        let Self { spec, geometry } = *self;
        [need[0].then(|| apply(Conv2d(spec), [&g, w])), need[1].then(|| apply(Conv2dDw { spec, geometry }, [&g, dy]))]
    }
}

/// The cotangent of w: `[x, dy] → dw`.
pub(super) struct Conv2dDw {
    pub spec: Conv2dSpec,
    pub geometry: ConvGeometry,
}

impl Op<2> for Conv2dDw {
    const NAME: &'static str = "conv2d_dw";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    fn infer(&self, [x, _]: [Spec; 2]) -> Result<Spec, ShapeError> {
        Ok(Spec { shape: self.geometry.w_shape(), ..x })
    }

    fn forward(&self, [x, dy]: [&Tensor; 2], _: Spec) -> (Tensor, ()) {
        (kernels::conv2d_dw(x, dy, &self.geometry), ())
    }

    fn vjp(&self, saved: Saved<2, ()>, g: Tensor, need: [bool; 2]) -> [Option<Tensor>; 2] {
        let [x, dy] = saved.x();
        let Self { spec, geometry } = *self;
        [need[0].then(|| apply(Conv2dDx { spec, geometry }, [dy, &g])), need[1].then(|| apply(Conv2d(spec), [x, &g]))]
    }
}
