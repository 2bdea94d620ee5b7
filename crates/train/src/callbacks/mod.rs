//! Callbacks: what happens between the steps and epochs of training. [`Callback`], and the built-in ones, one file each.

mod context;
mod csv_logger;
mod early_stopping;
mod lambda;
mod learning_rate_scheduler;
mod model_checkpoint;
mod monitor;
mod reduce_lr_on_plateau;
mod swap_averages;
#[cfg(feature = "tensorboard")]
mod tensorboard;
mod terminate_on_nan;

pub use context::{Context, Logs};
pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use lambda::LambdaCallback;
pub use learning_rate_scheduler::LearningRateScheduler;
pub use model_checkpoint::ModelCheckpoint;
pub use monitor::Mode;
pub use reduce_lr_on_plateau::ReduceLrOnPlateau;
pub use swap_averages::SwapAverages;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use terminate_on_nan::TerminateOnNan;

use cotangent_core::{Result, Tensor};

/// Something to do while a model trains: `model.fit(&x, &y).callback(EarlyStopping::new("val_loss"))`. An error ends the
/// training.
///
/// ```
/// # use cotangent_core::{Device, Result, Tensor};
/// # use cotangent_nn::*;
/// # use cotangent_train::{Seed, Sequential};
/// use cotangent_train::{Callback, Context};
///
/// /// Remembers the learning rate of each epoch.
/// #[derive(Default)]
/// struct Rates(Vec<f64>);
/// impl Callback for Rates {
///     fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
///         self.0.push(context.learning_rate());
///         Ok(())
///     }
/// }
/// # let (x, y) = (Tensor::zeros([8, 2]), Tensor::zeros([8, 1]));
/// # let mut model = Sequential::new([2]).add(Dense::new(1)).build(&Device::Cpu, Seed(0))?;
/// model.compile(Sgd::new(0.25), MeanSquaredError, [] as [Accuracy; 0]);
/// let mut rates = Rates::default();
/// model.fit(&x, &y).epochs(2).callback(&mut rates).verbose(0).run()?;
/// assert_eq!(rates.0, [0.25, 0.25]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub trait Callback {
    /// Before the first epoch.
    fn on_train_begin(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Before the first step of each epoch.
    fn on_epoch_begin(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// After each step. The logs are the running values.
    fn on_batch_end(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Whether [`on_batch_end`](Callback::on_batch_end) does anything. If no callback's does, nobody asks for the running
    /// values after each step, and a GPU works on without the host.
    fn watches_steps(&self) -> bool {
        true
    }

    /// Before the validation at the end of an epoch, if there is one.
    fn on_validation_begin(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// After the validation.
    fn on_validation_end(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// After each epoch and its validation. What is added to the logs is reported and stands in the history.
    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// When training has ended, also by Ctrl-C: see [`Context::interrupted`].
    fn on_train_end(&mut self, context: &mut Context) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// What it remembers, for a checkpoint.
    fn state(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// Takes back what it remembered, after [`on_train_begin`](Callback::on_train_begin).
    fn restore(&mut self, state: Vec<(String, Tensor)>) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// Whether it wants to come after all others, at the end of an epoch also after the history: so that a checkpoint
    /// holds what they made of it.
    fn runs_last(&self) -> bool {
        false
    }
}

/// The calls of a [`Callback`].
#[derive(Clone, Copy)]
pub(crate) enum Round {
    TrainBegin,
    EpochBegin,
    BatchEnd,
    ValidationBegin,
    ValidationEnd,
    EpochEnd,
    TrainEnd,
}

impl Round {
    pub fn call(self, callback: &mut dyn Callback, context: &mut Context) -> Result<()> {
        match self {
            Self::TrainBegin => callback.on_train_begin(context),
            Self::EpochBegin => callback.on_epoch_begin(context),
            Self::BatchEnd => callback.on_batch_end(context),
            Self::ValidationBegin => callback.on_validation_begin(context),
            Self::ValidationEnd => callback.on_validation_end(context),
            Self::EpochEnd => callback.on_epoch_end(context),
            Self::TrainEnd => callback.on_train_end(context),
        }
    }
}

/// The methods of a callback that only holds another one.
macro_rules! forward {
    ($($method:ident),*) => {
        $(fn $method(&mut self, context: &mut Context) -> Result<()> {
            (**self).$method(context)
        })*

        fn state(&self) -> Vec<(String, Tensor)> {
            (**self).state()
        }

        fn restore(&mut self, state: Vec<(String, Tensor)>) -> Result<()> {
            (**self).restore(state)
        }

        fn runs_last(&self) -> bool {
            (**self).runs_last()
        }

        fn watches_steps(&self) -> bool {
            (**self).watches_steps()
        }
    };
}

/// A callback that is wanted back: `.callback(&mut stopping)`.
impl<C: Callback + ?Sized> Callback for &mut C {
    forward!(
        on_train_begin,
        on_epoch_begin,
        on_batch_end,
        on_validation_begin,
        on_validation_end,
        on_epoch_end,
        on_train_end
    );
}

/// A callback that is chosen at run time.
impl<C: Callback + ?Sized> Callback for Box<C> {
    forward!(
        on_train_begin,
        on_epoch_begin,
        on_batch_end,
        on_validation_begin,
        on_validation_end,
        on_epoch_end,
        on_train_end
    );
}
