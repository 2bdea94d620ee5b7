//! Optimizers: [`Optimizer`], what they all share, and the rules, one file each.

mod adadelta;
mod adagrad;
mod adam;
mod adamw;
mod clip;
mod common;
mod loss_scale;
mod options;
mod rmsprop;
mod sgd;
mod state;
mod target;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use clip::Clip;
pub use common::{Common, Step};
pub use loss_scale::{LossScale, Scaling};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use state::State;
pub use target::Target;

use crate::LearningRate;
use cotangent_core::{Carry, Grads, Ledger, Result, Tensor, inspect};
use options::{carried, decays, fields, in_one, non_negative, options};

carried! { Adadelta Adagrad Adam AdamW RmsProp Sgd }

/// A rule that moves parameters against their gradients, and what it remembers of them.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::{Optimizer, Sgd};
/// let mut w = Tensor::from([1.0_f32, -2.0]).tracked();
/// let mut optimizer = Sgd::new(0.25);
/// let grads = (&w * &w).sum(..).backward();
/// optimizer.step([&mut w], &grads)?;
/// assert_eq!(w.to_vec::<f32>(), [0.5, -1.0]);
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// An optimizer of one's own implements [`update`](Optimizer::update), which moves one parameter, and holds a
/// [`Common`]: the learning rate and its schedule, clipping, weight decay and the rest then work for it too.
pub trait Optimizer: Send {
    /// Keras's name for it.
    fn name(&self) -> &'static str;

    /// What it has in common with the others.
    fn common(&self) -> &Common;

    /// What it has in common with the others, to change.
    fn common_mut(&mut self) -> &mut Common;

    /// Whether the settings of its own make sense; [`Common`]'s are checked besides.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Moves one parameter by its gradient.
    fn update(&mut self, param: &mut Tensor, grad: &Tensor, step: Step);

    /// Moves several parameters, each as [`update`](Optimizer::update) does. The built-in ones do it in one launch on a GPU,
    /// by [`State::update_all`].
    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        moves.into_iter().for_each(|(param, grad)| self.update(param, grad, step));
    }

    /// Whether a [`Capture`](cotangent_core::Capture) can record it: if all that differs from step to step reaches the
    /// device as the rule of [`State::update_all`], of which [`update_all`](Optimizer::update_all) makes the same calls
    /// whatever the parameters, even for none.
    fn can_be_recorded(&self) -> bool {
        false
    }

    /// What it keeps of each parameter under its settings, in the order of [`State::get`]: a checkpoint of other settings
    /// is refused by it.
    fn slot_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether [`update`](Optimizer::update) takes the weight decay off by itself, by [`Step::keep`]; else it is done
    /// before.
    fn decays(&self) -> bool {
        false
    }

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64 {
        self.common().rate()
    }

    /// Changes the learning rate, from the next step on; a schedule ends.
    fn set_learning_rate(&mut self, rate: f64) {
        self.common_mut().learning_rate = LearningRate::Constant(rate);
    }

    /// The loss as its backward pass begins with it: times [`Common::scale`].
    fn scale_loss(&self, loss: &Tensor) -> Tensor {
        match self.common().scale() {
            1.0 => loss.clone(),
            scale => loss.scale(scale),
        }
    }

    /// What it remembers.
    fn state(&self) -> &State {
        &self.common().state
    }

    /// What it remembers, to change.
    fn state_mut(&mut self) -> &mut State {
        &mut self.common_mut().state
    }

    /// One step over all `targets`, unless a [`LossScale::Dynamic`] skips it. Fails before it moves any of them, if a
    /// setting makes no sense, or a target is not tracked or has no gradient.
    fn step_targets(&mut self, targets: Vec<Target>, grads: &Grads) -> Result<()> {
        self.check()?;
        self.common().check(self.name())?;
        let allow_missing = self.common().allow_missing;
        for (i, target) in targets.iter().enumerate() {
            if grads.get(target.value).is_none() && !(allow_missing && target.value.leaf_id().is_some()) {
                return Err(target.refuse(self.name(), i));
            }
        }
        let Some(grads) = self.common_mut().gradients(&targets, grads) else { return Ok(()) };
        let step = self.common_mut().begin();
        if inspect::is_watched() {
            self.move_one_by_one(targets, &grads, step);
        } else {
            self.move_all(targets, &grads, step);
        }
        Ok(())
    }

    /// Moves the targets that have a gradient, those that decay and those that do not, each lot at once.
    #[doc(hidden)]
    fn move_all(&mut self, targets: Vec<Target>, grads: &[Option<Tensor>], step: Step) {
        let mut lots = [Vec::new(), Vec::new()];
        for (target, grad) in targets.into_iter().zip(grads) {
            let Some(grad) = grad else { continue };
            let lot = usize::from(!self.common().decays(&target));
            lots[lot].push((target.value, grad));
        }
        self.common_mut().lots = [0, 1].map(|lot| !lots[lot].is_empty());
        for (lot, mut moves) in lots.into_iter().enumerate().filter(|(_, moves)| !moves.is_empty()) {
            self.move_lot(moves.iter_mut().map(|(param, grad)| (&mut **param, *grad)).collect(), lot == 0, step);
            self.common_mut().follow(moves.iter().map(|(param, _)| &**param).collect());
        }
    }

    /// Moves each target in its own scope, for whoever looks on.
    #[doc(hidden)]
    fn move_one_by_one(&mut self, targets: Vec<Target>, grads: &[Option<Tensor>], step: Step) {
        for (target, grad) in targets.into_iter().zip(grads) {
            let Some(grad) = grad else { continue };
            let decays = self.common().decays(&target);
            inspect::scope(target.name.as_deref().unwrap_or("parameter"), || {
                self.move_lot(vec![(&mut *target.value, grad)], decays, step);
            });
            self.common_mut().follow(vec![target.value]);
        }
    }

    /// Moves parameters that all decay, or all do not.
    #[doc(hidden)]
    fn move_lot(&mut self, mut moves: Vec<(&mut Tensor, &Tensor)>, decays: bool, step: Step) {
        let decays = decays && self.common().weight_decay != 0.0;
        let step = if decays { step } else { Step { keep: 1.0, ..step } };
        if decays && !self.decays() {
            step.decay(moves.iter_mut().map(|(param, grad)| (&mut **param, *grad)).collect());
        }
        self.update_all(moves, step);
    }

    /// Shows a [`Capture`](cotangent_core::Capture) what it keeps; where a record makes a step in its place, counts it.
    #[doc(hidden)]
    fn carry_on(&mut self, ledger: &mut Ledger) {
        let names = self.slot_names();
        if !self.can_be_recorded() || self.common().accumulate > 1 {
            ledger.refuse("an optimizer's step is not the same each time");
        }
        if let Some(LossScale::Dynamic { .. }) = self.common().loss_scale {
            ledger.refuse("a dynamic loss scale looks at the gradients on the host");
        }
        ledger.setting(names);
        self.common_mut().carry(ledger);
        if ledger.replays() {
            let step = self.common_mut().begin();
            for (lot, _) in self.common().lots.into_iter().enumerate().filter(|(_, any)| *any) {
                self.move_lot(Vec::new(), lot == 0, step);
                self.common_mut().follow(Vec::new());
            }
        }
    }

    /// Exchanges the parameters with their moving averages, to evaluate with those; a second call undoes it.
    /// Parameters without an average stay.
    fn swap_averages(&mut self, targets: Vec<Target>) {
        for target in targets {
            if let Some(average) = self.state().average(target.value).cloned() {
                self.state_mut().set_average(target.value, target.value.detach());
                target.value.set_(&average);
            }
        }
    }

    /// One step: moves each of `params` by its gradient, in place. They are tracked tensors, or pairs of a name (for
    /// messages) and a tensor.
    ///
    /// Fails, before it moves any of them, if a setting makes no sense, a parameter is not a tracked leaf, or the loss
    /// does not depend on it (unless [`Common::allow_missing`]).
    fn step<'a, P>(&mut self, params: P, grads: &Grads) -> Result<()>
    where
        P: IntoIterator,
        P::Item: Into<Target<'a>>,
        Self: Sized,
    {
        self.step_targets(params.into_iter().map(Into::into).collect(), grads)
    }
}

/// An optimizer that is chosen at run time.
impl<O: Optimizer + ?Sized> Optimizer for Box<O> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn common(&self) -> &Common {
        (**self).common()
    }

    fn common_mut(&mut self) -> &mut Common {
        (**self).common_mut()
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }

    fn update(&mut self, param: &mut Tensor, grad: &Tensor, step: Step) {
        (**self).update(param, grad, step);
    }

    fn update_all(&mut self, moves: Vec<(&mut Tensor, &Tensor)>, step: Step) {
        (**self).update_all(moves, step);
    }

    fn can_be_recorded(&self) -> bool {
        (**self).can_be_recorded()
    }

    fn slot_names(&self) -> &'static [&'static str] {
        (**self).slot_names()
    }

    fn decays(&self) -> bool {
        (**self).decays()
    }
}

impl Carry for dyn Optimizer {
    fn carry(&mut self, ledger: &mut Ledger) {
        self.carry_on(ledger);
    }
}
