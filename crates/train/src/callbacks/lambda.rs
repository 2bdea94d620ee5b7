//! [`LambdaCallback`]: closures as a callback.

use super::{Callback, Context};
use cotangent_core::Result;

type Closure<'a> = Box<dyn FnMut(&mut Context) -> Result<()> + 'a>;

/// A callback of closures, as in Keras.
///
/// ```
/// # use cotangent_core::{Device, Tensor};
/// # use cotangent_nn::*;
/// # use cotangent_train::{LambdaCallback, Seed, Sequential};
/// # let (x, y) = (Tensor::zeros([8, 2]), Tensor::zeros([8, 1]));
/// # let mut model = Sequential::new([2]).add(Dense::new(1)).build(&Device::Cpu, Seed(0))?;
/// # model.compile(Sgd::new(0.25), MeanSquaredError, [] as [Accuracy; 0]);
/// let good_enough = LambdaCallback::on_epoch_end(|context| {
///     if context.logs.get("loss") < Some(0.1) {
///         context.stop();
///     }
///     Ok(())
/// });
/// let history = model.fit(&x, &y).epochs(100).callback(good_enough).verbose(0).run()?;
/// assert_eq!(history.epochs(), 1);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
#[derive(Default)]
pub struct LambdaCallback<'a> {
    batch_end: Option<Closure<'a>>,
    epoch_end: Option<Closure<'a>>,
}

impl<'a> LambdaCallback<'a> {
    /// Calls `f` after each step.
    pub fn on_batch_end(f: impl FnMut(&mut Context) -> Result<()> + 'a) -> Self {
        Self { batch_end: Some(Box::new(f)), epoch_end: None }
    }

    /// Calls `f` after each epoch.
    pub fn on_epoch_end(f: impl FnMut(&mut Context) -> Result<()> + 'a) -> Self {
        Self { batch_end: None, epoch_end: Some(Box::new(f)) }
    }
}

impl Callback for LambdaCallback<'_> {
    fn watches_steps(&self) -> bool {
        self.batch_end.is_some()
    }

    fn on_batch_end(&mut self, context: &mut Context) -> Result<()> {
        self.batch_end.as_mut().map_or(Ok(()), |f| f(context))
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        self.epoch_end.as_mut().map_or(Ok(()), |f| f(context))
    }
}
