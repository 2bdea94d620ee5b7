//! [`SwapAverages`]: validation with the averaged parameters.

use super::{Callback, Context};
use cotangent_core::Result;

/// Validates with the moving averages that the optimizer keeps (`Adam::default().average(0.99)`) in place of the
/// parameters: Keras's `SwapEMAWeights`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwapAverages;

impl Callback for SwapAverages {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_validation_begin(&mut self, context: &mut Context) -> Result<()> {
        context.model.swap_averages();
        Ok(())
    }

    fn on_validation_end(&mut self, context: &mut Context) -> Result<()> {
        context.model.swap_averages();
        Ok(())
    }
}
