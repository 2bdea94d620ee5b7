//! The checks of targets that losses share.

use cotangent_core::{DType, Error, Result, Spec, Tensor};

/// Targets and predictions have the same shape, or `[N]` stands for `[N, 1]`.
pub(super) fn same_shape(name: &'static str, y_true: &Tensor, y_pred: Spec) -> Result<()> {
    let (t, p) = (y_true.shape(), y_pred.shape);
    let column = t.rank() == 1 && p.rank() == 2 && p[1] == 1 && t[0] == p[0];
    if t == p || column {
        return Ok(());
    }
    let hint = "both must have the same shape; the last layer's units are the numbers to be predicted for each sample";
    Err(Error::new(name, format!("targets {t}, predictions {p}")).hint(hint))
}

/// Predictions `[N, C]`.
pub(super) fn class_predictions(name: &'static str, y_pred: Spec) -> Result<()> {
    match *y_pred.shape {
        [_, _] => Ok(()),
        _ => Err(Error::new(name, format!("predictions {}, wants [N, classes]", y_pred.shape))
            .hint("end the model with `Flatten` and `Dense::new(classes).activation(Softmax)`")),
    }
}

/// All targets lie in 0 ..= 1.
pub(super) fn probabilities(name: &'static str, y_true: &Tensor) -> Result<()> {
    let values = y_true.cast(DType::F64).to_vec::<f64>();
    let Some(at) = values.iter().position(|p| !(0.0..=1.0).contains(p)) else { return Ok(()) };
    let row = at / (values.len() / y_true.shape()[0]);
    let message = format!("the targets {} hold {} in row {row}", y_true.shape(), values[at]);
    Err(Error::new(name, message).hint("each target is a probability, 0 to 1"))
}
