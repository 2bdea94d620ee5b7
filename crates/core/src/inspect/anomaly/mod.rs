//! Where the first NaN or infinity arose.

mod census;
mod report;

pub use census::Numbers;
pub use report::{Anomaly, Cause};

use super::watch::{ANOMALY, Phase, Watched, set_watcher};
use crate::Tensor;
use cotangent_base::Result;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

/// What a thread that looks for anomalies knows.
struct Search {
    guards: usize,
    /// Backward passes so far.
    steps: u64,
    found: Option<Anomaly>,
}

thread_local!(static SEARCH: RefCell<Search> = const { RefCell::new(Search { guards: 0, steps: 0, found: None }) });

/// Looks at every result on this thread, forward and backward, until the guard is dropped, and keeps the first op
/// that made a NaN, or an infinity out of finite numbers. Infinities that the operands held already (a mask of −∞)
/// are no anomaly; a NaN that came with the data or a parameter is one, and is told as such.
///
/// Costs a pass over every result: for the search, not for every day. The computation goes on, with the same
/// bits; [`check`](AnomalyGuard::check) says what was found, and `Model::fit` ends with it.
///
/// ```
/// use cotangent_core::{Tensor, inspect};
/// let x = Tensor::from([1.0_f32, 0.0]).tracked();
/// let guard = inspect::detect_anomaly();
/// let loss = inspect::scope("norm", || x.sqrt()).sum(..); // fine, but √x has no slope at 0
/// assert!(guard.check().is_ok());
/// loss.backward();
/// let found = guard.take().expect("1 / (2√0)");
/// assert_eq!((found.op, found.phase, found.layer.as_deref()), ("sqrt", inspect::Phase::Backward, Some("norm")));
/// println!("{found}");
/// ```
pub fn detect_anomaly() -> AnomalyGuard {
    SEARCH.with_borrow_mut(|s| {
        if s.guards == 0 {
            (s.steps, s.found) = (0, None);
        }
        s.guards += 1;
    });
    set_watcher(ANOMALY, true);
    AnomalyGuard(PhantomData)
}

/// Looks for anomalies as long as it lives; made by [`detect_anomaly`].
#[must_use = "anomalies are looked for only as long as the guard lives"]
pub struct AnomalyGuard(PhantomData<*const ()>);

impl AnomalyGuard {
    /// The first anomaly since the search began or was last asked.
    pub fn take(&self) -> Option<Anomaly> {
        take_anomaly()
    }

    /// Fails with the first anomaly since the search began or was last asked, for `?` after each step.
    pub fn check(&self) -> Result<()> {
        self.take().map_or(Ok(()), |found| Err(found.into()))
    }
}

impl Drop for AnomalyGuard {
    fn drop(&mut self) {
        let last = SEARCH.with_borrow_mut(|s| {
            s.guards -= 1;
            s.guards == 0
        });
        if last {
            set_watcher(ANOMALY, false);
        }
    }
}

/// As [`AnomalyGuard::take`], for code that does not hold the guard, such as a training loop. `None` if nobody on
/// this thread looks for anomalies.
pub fn take_anomaly() -> Option<Anomaly> {
    match super::watch::watchers() & ANOMALY {
        0 => None,
        _ => SEARCH.with_borrow_mut(|s| s.found.take()),
    }
}

/// A backward pass is over: what comes is of the next training step.
pub(crate) fn backward_done() {
    if super::watch::watchers() & ANOMALY != 0 {
        SEARCH.with_borrow_mut(|s| s.steps += 1);
    }
}

/// Looks at `y`, result or cotangent `index` of an op on `x`.
pub(super) fn examine(op: &Watched, x: &[&Tensor], index: usize, y: &Tensor) {
    let is_view = x.iter().any(|x| Arc::ptr_eq(&x.storage, &y.storage));
    if is_view || !y.dtype().is_float() || SEARCH.with_borrow(|s| s.found.is_some()) || census::is_finite(y) {
        return;
    }
    let result = Numbers::of(y);
    let operands: Vec<Numbers> = x.iter().map(|x| Numbers::of(x)).collect();
    let cause = match operands.iter().position(|x| x.nan > 0) {
        Some(operand) if result.nan > 0 => Cause::Given { operand },
        None if result.nan > 0 || operands.iter().all(Numbers::is_finite) => Cause::Made,
        _ => return, // infinite operands may have infinite results
    };
    SEARCH.with_borrow_mut(|s| {
        s.found = Some(Anomaly {
            op: op.op,
            phase: op.phase,
            layer: op.origin.layer.as_deref().map(str::to_owned),
            step: s.steps + 1,
            cause,
            result,
            // a rule has one operand, dy; a sum of cotangents has two
            cotangent_of: (op.phase == Phase::Backward && x.len() == 1).then_some(index),
            operands,
            location: op.origin.at,
        });
    });
}
