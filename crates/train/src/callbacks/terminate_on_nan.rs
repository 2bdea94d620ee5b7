//! [`TerminateOnNan`]: ends training that has gone astray.

use super::{Callback, Context};
use cotangent_core::Result;

/// Ends the training after the step that makes the loss NaN or infinite: Keras's `TerminateOnNaN`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TerminateOnNan;

impl Callback for TerminateOnNan {
    fn on_batch_end(&mut self, context: &mut Context) -> Result<()> {
        if context.logs.get("loss").is_some_and(|loss| !loss.is_finite()) {
            context.stop();
        }
        Ok(())
    }
}
