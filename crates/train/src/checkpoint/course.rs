//! Where a run stands, in a checkpoint.

use super::Store;
use crate::cursor::Cursor;
use crate::tally::Tally;
use crate::{Callback, History};
use cotangent_core::{Result, Rng, Tensor};
use cotangent_nn::Sums;
use std::fmt;

/// How a run goes through the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub samples: usize,
    /// The [`checksum`](crate::data::Samples::checksum) of the samples.
    pub checksum: u32,
    pub batch_size: usize,
    pub shuffle: bool,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let order = if self.shuffle { "shuffled" } else { "in order" };
        let Self { samples, checksum, batch_size, .. } = self;
        write!(f, "{samples} samples in batches of {batch_size}, {order}, checksum {checksum:08x}")
    }
}

/// What the checkpoint and the run that goes on from it must have in common.
pub(super) struct Here<'a> {
    pub plan: Plan,
    /// The names of the losses and the metrics.
    pub names: Vec<String>,
    pub callbacks: &'a [Box<dyn Callback + 'a>],
}

pub(super) fn put(store: &mut Store, cursor: &Cursor, names: &[String]) {
    store.put("epoch", cursor.epoch);
    store.put("step", cursor.step);
    store.put("stop", cursor.stop);
    put_rng(store, "epoch.rng", cursor.rng);
    store.put("samples", cursor.plan.samples);
    store.put("checksum", cursor.plan.checksum);
    store.put("batch_size", cursor.plan.batch_size);
    store.put("shuffle", cursor.plan.shuffle);
    store.put("names", lines(names));
    for (i, sums) in cursor.tally.0.iter().enumerate() {
        // the weight, then the columns
        store.put_floats(&format!("sums/{i}"), &[&[sums.weight], &sums.columns[..]].concat());
    }
    let columns = cursor.history.columns();
    store.put("history", lines(&columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()));
    for (name, values) in columns {
        store.put_floats(&format!("history/{name}"), values);
    }
    put_callbacks(store, &cursor.callbacks);
}

/// Reads where the run stood, if this one can go on from there.
pub(super) fn read(store: &Store, here: &Here) -> Result<Cursor> {
    let (epoch, step) = (store.get("epoch")?, store.get("step")?);
    check(store, here, step)?;
    let mut history = History::default();
    for name in listed(store, "history")? {
        store.floats(&format!("history/{name}"))?.into_iter().for_each(|value| history.push(&name, value));
    }
    let sums = |i| match store.floats(&format!("sums/{i}"))?[..] {
        [weight, ref columns @ ..] => Ok(Sums { weight, columns: columns.to_vec() }),
        [] => Err(store.error(format!("the checkpoint's 'sums/{i}' is empty"))),
    };
    Ok(Cursor {
        epoch,
        step,
        rng: rng(store, "epoch.rng")?,
        tally: Tally((0..here.names.len()).map(sums).collect::<Result<_>>()?),
        history,
        stop: store.get("stop")?,
        callbacks: callbacks(store, here.callbacks)?,
        plan: here.plan,
    })
}

/// Fails unless the two runs are one. Between epochs, the next one may go through other samples in another way.
fn check(store: &Store, here: &Here, step: usize) -> Result<()> {
    let plan = Plan {
        samples: store.get("samples")?,
        checksum: store.get("checksum")?,
        batch_size: store.get("batch_size")?,
        shuffle: store.get("shuffle")?,
    };
    let names = listed(store, "names")?;
    if names != here.names {
        let message = format!("the checkpoint is of a run that reports {names:?}, the model reports {:?}", here.names);
        return Err(store.error(message).hint("compile the model with the same metrics"));
    }
    if step > 0 && plan != here.plan {
        let message = format!("the checkpoint stands amid an epoch of {plan}; this run has {}", here.plan);
        return Err(store
            .error(message)
            .hint("go on with the data and the arguments of the run that wrote the checkpoint"));
    }
    Ok(())
}

/// What those callbacks remember that remember anything.
fn put_callbacks(store: &mut Store, states: &[Vec<(String, Tensor)>]) {
    let states: Vec<_> = states.iter().filter(|state| !state.is_empty()).collect();
    store.put("callbacks", states.len());
    for (i, state) in states.into_iter().enumerate() {
        for (j, (name, tensor)) in state.iter().enumerate() {
            // in this order they come back
            store.put_tensor(&format!("callback/{i}/{j:06}/{name}"), tensor.detach());
        }
    }
}

/// For each callback of this run what it is to remember.
fn callbacks(store: &Store, here: &[Box<dyn Callback + '_>]) -> Result<Vec<Vec<(String, Tensor)>>> {
    let remembers: Vec<bool> = here.iter().map(|callback| !callback.state().is_empty()).collect();
    let (wanted, found) = (remembers.iter().filter(|yes| **yes).count(), store.get::<usize>("callbacks")?);
    if found != wanted {
        let message =
            format!("the checkpoint is of a run with {found} callbacks that remember something, not {wanted}");
        return Err(store.error(message).hint("resume with the same callbacks, in the same order"));
    }
    let mut count = 0;
    let mut next = || {
        let prefix = format!("callback/{count}/");
        count += 1;
        let memory = store.tensors(&prefix).filter_map(|(name, tensor)| Some((name.split_once('/')?.1, tensor)));
        memory.map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
    };
    Ok(remembers.into_iter().map(|remembers| if remembers { next() } else { Vec::new() }).collect())
}

fn lines(names: &[String]) -> String {
    names.join("\n")
}

fn listed(store: &Store, key: &str) -> Result<Vec<String>> {
    Ok(store.get::<String>(key)?.lines().map(str::to_owned).collect())
}

pub(super) fn put_rng(store: &mut Store, key: &str, rng: Rng) {
    store.put(key, format!("{} {}", rng.seed, rng.next));
}

pub(super) fn rng(store: &Store, key: &str) -> Result<Rng> {
    let text: String = store.get(key)?;
    let numbers: Option<Vec<u64>> = text.split(' ').map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([seed, next]) => Ok(Rng { seed: *seed, next: *next }),
        _ => Err(store.error(format!("the checkpoint's '{key}' is {text:?}"))),
    }
}
