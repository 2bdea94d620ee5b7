//! An optimizer's state in a checkpoint.

use super::Store;
use crate::Model;
use cotangent_core::{Result, Tensor};
use cotangent_nn::{LearningRate, Optimizer, Scaling, State};

/// A dynamic loss scale, and for how many steps it has been that.
const LOSS_SCALE: &str = "optimizer/loss_scale";

/// What the optimizer remembers of the model's parameters.
pub(super) fn put(store: &mut Store, model: &Model, optimizer: &dyn Optimizer) {
    let state = optimizer.state();
    store.put("optimizer", optimizer.name());
    store.put("optimizer.slots", optimizer.slot_names().join(" "));
    store.put("optimizer.steps", state.steps());
    store.put("optimizer.summed", state.summed());
    // a schedule is a function of the steps; only what was set is to be kept
    if let LearningRate::Constant(rate) = optimizer.common().learning_rate {
        store.put_floats("optimizer/learning_rate", &[rate]);
    }
    if let Some(Scaling { scale, good_steps }) = state.scaling() {
        store.put_floats(LOSS_SCALE, &[scale, good_steps as f64]);
    }
    for (name, param) in model.params().filter(|(_, param)| param.trainable) {
        for (i, slot) in state.get(&param.value).iter().enumerate() {
            store.put_tensor(&slot_name(&name, i), slot.clone());
        }
        let others = [("average", state.average(&param.value)), ("gradient_sum", state.gradient_sum(&param.value))];
        for (kind, tensor) in others {
            tensor.into_iter().for_each(|tensor| store.put_tensor(&format!("{kind}/{name}"), tensor.clone()));
        }
    }
}

fn slot_name(param: &str, i: usize) -> String {
    format!("slot/{i}/{param}")
}

/// An optimizer's state that was checked against the model and only waits to be put in its place.
pub(super) struct Restored {
    state: State,
    learning_rate: Option<f64>,
}

/// Reads the state, if it is one of this optimizer and this model.
pub(super) fn read(store: &Store, model: &Model, optimizer: &dyn Optimizer) -> Result<Restored> {
    let name: String = store.get("optimizer")?;
    if name != optimizer.name() {
        let message =
            format!("the checkpoint is of the optimizer {name}, the model is compiled with {}", optimizer.name());
        return Err(store.error(message).hint("compile the model as it was when the checkpoint was written"));
    }
    let (slots, wanted) = (store.get::<String>("optimizer.slots")?, optimizer.slot_names().join(" "));
    if slots != wanted {
        let message =
            format!("the checkpoint's {name} keeps [{slots}] of each parameter, the model's keeps [{wanted}]");
        return Err(store
            .error(message)
            .hint("give the optimizer the settings that it had when the checkpoint was written"));
    }
    let mut state = State::default();
    state.set_steps(store.get("optimizer.steps")?);
    state.set_summed(store.get("optimizer.summed")?);
    if store.tensor(LOSS_SCALE).is_some() {
        let [scale, good_steps] = store.floats(LOSS_SCALE)?[..] else {
            return Err(store.error(format!("the checkpoint's '{LOSS_SCALE}' is not two numbers")));
        };
        state.set_scaling(Some(Scaling { scale, good_steps: good_steps as u64 }));
    }
    for (name, param) in model.params().filter(|(_, param)| param.trainable) {
        let value = &param.value;
        let fitting = |key: String| fitting(store, &key, value);
        let slots: Vec<Tensor> =
            (0..).map_while(|i| fitting(slot_name(&name, i)).transpose()).collect::<Result<_>>()?;
        if !slots.is_empty() {
            state.set(value, slots);
        }
        if let Some(average) = fitting(format!("average/{name}"))? {
            state.set_average(value, average);
        }
        if let Some(sum) = fitting(format!("gradient_sum/{name}"))? {
            state.set_gradient_sum(value, sum);
        }
    }
    let learning_rate = match store.tensor("optimizer/learning_rate") {
        Some(_) => store.floats("optimizer/learning_rate")?.first().copied(),
        None => None,
    };
    Ok(Restored { state, learning_rate })
}

/// The tensor `name`, on the parameter's device, if there is one; an error if it is not of its shape and dtype.
fn fitting(store: &Store, name: &str, param: &Tensor) -> Result<Option<Tensor>> {
    match store.tensor(name) {
        Some(tensor) if tensor.spec() != param.spec() => Err(store.error(format!(
            "the checkpoint's '{name}' is {} {}, the parameter {} {}",
            tensor.dtype(),
            tensor.shape(),
            param.dtype(),
            param.shape()
        ))),
        found => found.map(|tensor| tensor.to_device(&param.device())).transpose(),
    }
}

impl Restored {
    /// Puts the state in its place.
    pub fn put_into(self, optimizer: &mut dyn Optimizer) {
        *optimizer.state_mut() = self.state;
        if let Some(rate) = self.learning_rate {
            optimizer.set_learning_rate(rate);
        }
    }
}
