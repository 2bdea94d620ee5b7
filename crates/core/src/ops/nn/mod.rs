//! The ops that neural networks are made of.

mod avg_pool2d;
mod batch_norm;
mod batch_norm_inference;
mod batch_norm_linear;
mod conv2d;
mod conv2d_max_pool2d;
mod conv2d_vjp;
mod cross_entropy;
mod dropout;
mod linear;
mod log_softmax;
mod max_pool2d;
mod rectified;
mod softmax;

pub use avg_pool2d::AvgPool2d;
pub use batch_norm::BatchNorm;
pub use batch_norm_inference::BatchNormInference;
pub use batch_norm_linear::BatchNormLinear;
pub use conv2d::{Conv2d, Conv2dSpec};
pub use conv2d_max_pool2d::Conv2dMaxPool2d;
pub use cross_entropy::SoftmaxCrossEntropy;
pub use dropout::Dropout;
pub use linear::Linear;
pub use log_softmax::LogSoftmax;
pub use max_pool2d::MaxPool2d;
pub use rectified::{Rectified, Rectify};
pub use softmax::Softmax;

use crate::autograd::{Op, apply};
use crate::ops::check;
use crate::{Spec, Tensor};
use cotangent_base::{DataFormat, PoolGeometry, ShapeError, WindowSpec};

/// `op` on x and the weights w, and on the bias b if there is one.
#[track_caller]
fn apply_to<O: Op<2> + Op<3>>(op: O, x: &Tensor, w: &Tensor, b: Option<&Tensor>) -> Tensor {
    match b {
        Some(b) => apply(op, [x, w, b]),
        None => apply(op, [x, w]),
    }
}

/// The geometry of pooling `x`, or why there is none.
fn pool_geometry(
    op: &'static str,
    window: &WindowSpec,
    format: DataFormat,
    x: Spec,
) -> Result<PoolGeometry, ShapeError> {
    check::rank(op, "x", x, 4)?;
    check::float(op, x)?;
    let [batch, h, w, channels] = format.nhwc(&x.shape);
    Ok(PoolGeometry { batch, channels, window: window.over(op, [h, w])?, format })
}
