//! Checkpoints: all that a training run is, in one safetensors file.
//!
//! Parameters are tensors under their paths; everything else is a tensor whose name begins with `@`, or a number as text.
//! The file depends on the state alone: the same state makes the same bytes.

mod course;
mod optimizer;
mod store;

pub(crate) use course::Plan;
pub(crate) use store::{ASIDE, is_checkpoint};

use crate::cursor::Cursor;
use crate::{Callback, Model};
use cotangent_core::Result;
use course::Here;
use std::path::Path;
use store::Store;

/// Writes the model, its optimizer, its random numbers, and where the run stands.
pub(crate) fn write(path: &Path, model: &Model, cursor: &Cursor) -> Result<()> {
    let mut store = Store::new();
    for (name, param) in model.params() {
        store.put_param(name, param.value.detach());
    }
    course::put_rng(&mut store, "rng", model.rng);
    optimizer::put(&mut store, model, &*model.compiled("checkpoint")?.optimizer);
    course::put(&mut store, cursor, &model.names()?);
    store.write(path)
}

/// Puts model and optimizer in the state that the file holds, and gives where the run stood.
///
/// # Errors
/// If the file cannot be read or is damaged, or is of another model, optimizer or run. The model is as it was then.
pub(crate) fn resume(
    path: &Path,
    model: &mut Model,
    plan: Plan,
    callbacks: &mut [Box<dyn Callback + '_>],
) -> Result<Cursor> {
    let store = Store::read(path)?;
    let params = store.params().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    model.compare(path, &params)?;
    let optimizer = optimizer::read(&store, model, &*model.compiled("resume")?.optimizer)?;
    let rng = course::rng(&store, "rng")?;
    let cursor = course::read(&store, &Here { plan, names: model.names()?, callbacks })?;
    // they are asked again after `on_train_begin`, when nothing may fail any more
    for (callback, state) in callbacks.iter_mut().zip(&cursor.callbacks) {
        callback.restore(state.clone())?;
    }
    model.take(path, params)?;
    model.rng = rng;
    if let Some(compiled) = &mut model.compiled {
        optimizer.put_into(&mut *compiled.optimizer);
    }
    Ok(cursor)
}
