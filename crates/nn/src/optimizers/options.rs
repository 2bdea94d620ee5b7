//! What optimizers are written with: macros for what all have, and checks of settings.

use cotangent_core::{Error, Result};

/// The methods of [`Optimizer`](super::Optimizer) that only reach fields, and the name.
macro_rules! fields {
    ($name:literal) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn common(&self) -> &$crate::Common {
            &self.common
        }

        fn common_mut(&mut self) -> &mut $crate::Common {
            &mut self.common
        }

        $crate::optimizers::in_one!();
    };
}
pub(super) use fields;

/// The methods of an [`Optimizer`](super::Optimizer) that moves all parameters at once.
macro_rules! in_one {
    () => {
        fn update(&mut self, param: &mut cotangent_core::Tensor, grad: &cotangent_core::Tensor, step: $crate::Step) {
            self.update_all(vec![(param, grad)], step);
        }

        fn can_be_recorded(&self) -> bool {
            true
        }
    };
}
pub(super) use in_one;

/// What is carried from step to step.
macro_rules! carried {
    ($($Optimizer:ident)*) => {$(
        impl cotangent_core::Carry for $Optimizer {
            fn carry(&mut self, ledger: &mut cotangent_core::Ledger) {
                self.carry_on(ledger);
            }
        }
    )*};
}
pub(super) use carried;

/// The options as methods that give the optimizer back, and `new` and those that all optimizers have.
macro_rules! options {
    ($Optimizer:ident { $($(#[$doc:meta])* $option:ident: $t:ty,)* }) => {
        impl $Optimizer {
            /// With this learning rate, a number or a [`Schedule`]($crate::Schedule), the rest as by default.
            pub fn new(learning_rate: impl Into<$crate::LearningRate>) -> Self {
                let mut optimizer = Self::default();
                optimizer.common.learning_rate = learning_rate.into();
                optimizer
            }

            $($(#[$doc])*
            pub fn $option(mut self, $option: $t) -> Self {
                self.$option = $option;
                self
            })*

            /// Which part of each parameter a step takes away, times the learning rate, before the rule: decoupled weight
            /// decay (Loshchilov, Hutter 2019).
            pub fn weight_decay(mut self, weight_decay: f64) -> Self {
                self.common.weight_decay = weight_decay;
                self
            }

            /// Parameters whose name has one of these in it do not decay: `["bias", "gamma"]`. Keras's
            /// `exclude_from_weight_decay`.
            pub fn no_decay<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
                self.common.no_decay = names.into_iter().map(Into::into).collect();
                self
            }

            /// A bound on the gradients.
            pub fn clip(mut self, clip: $crate::Clip) -> Self {
                self.common.clip = Some(clip);
                self
            }

            /// What the loss is multiplied by before its backward pass.
            pub fn loss_scale(mut self, scale: $crate::LossScale) -> Self {
                self.common.loss_scale = Some(scale);
                self
            }

            /// Keeps a moving average of each parameter, of which `momentum` stays at each step: Keras's `use_ema` and
            /// `ema_momentum`, 0.99 there. [`swap_averages`]($crate::Optimizer::swap_averages) puts them into the model.
            pub fn average(mut self, momentum: f64) -> Self {
                self.common.average = Some(momentum);
                self
            }

            /// Makes one step of every `gradients` gradients, with their mean: Keras's `gradient_accumulation_steps`.
            pub fn accumulate(mut self, gradients: u64) -> Self {
                self.common.accumulate = gradients;
                self
            }

            /// Whether parameters that the loss does not depend on are left as they are, instead of an error.
            pub fn allow_missing(mut self, allow: bool) -> Self {
                self.common.allow_missing = allow;
                self
            }
        }
    };
}
pub(super) use options;

/// Refuses settings that are negative, infinite or NaN.
pub(super) fn non_negative(optimizer: &'static str, settings: &[(&str, f64)]) -> Result<()> {
    match settings.iter().find(|(_, value)| !(*value >= 0.0 && value.is_finite())) {
        Some((name, value)) => {
            Err(Error::new(optimizer, format!("{name} is {value}")).hint("it must be a number that is not below 0"))
        }
        None => Ok(()),
    }
}

/// Refuses decay rates outside of [0, 1).
pub(super) fn decays(optimizer: &'static str, settings: &[(&str, f64)]) -> Result<()> {
    match settings.iter().find(|(_, value)| !(0.0..1.0).contains(value)) {
        Some((name, value)) => {
            Err(Error::new(optimizer, format!("{name} is {value}")).hint("it must be at least 0 and below 1"))
        }
        None => Ok(()),
    }
}
