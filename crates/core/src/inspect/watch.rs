//! The question that every op asks, whether anybody looks on, and what happens if so.

use super::{anomaly, memory, profile, scope};
use crate::Tensor;
use crate::autograd::Node;
use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

/// What an op was computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Its result.
    Forward,
    /// The cotangents of its operands.
    Backward,
    /// An optimizer's step on a parameter.
    Update,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Phase::Forward => "forward",
            Phase::Backward => "backward",
            Phase::Update => "update",
        })
    }
}

/// Somebody wants to know of NaN and infinities.
pub(super) const ANOMALY: u8 = 1;
/// Somebody wants to know of times.
pub(super) const PROFILE: u8 = 2;
/// Somebody wants to know which op makes a tensor.
pub(super) const MEMORY: u8 = 4;

thread_local!(static WATCHERS: Cell<u8> = const { Cell::new(0) });

/// Who looks on, on this thread. 0 while an op runs: what an op calls is its own business.
pub(super) fn watchers() -> u8 {
    WATCHERS.get()
}

/// Whether anybody looks on, on this thread: at anomalies, times or memory.
pub fn is_watched() -> bool {
    watchers() != 0
}

/// Adds or removes a watcher.
pub(super) fn set_watcher(watcher: u8, on: bool) {
    let others = WATCHERS.get() & !watcher;
    WATCHERS.set(if on { others | watcher } else { others });
}

/// Where an op ran: in which scope, and which line called it.
#[derive(Clone)]
pub(crate) struct Origin {
    pub layer: Option<Arc<str>>,
    /// `None` if nobody looked on when it ran forward.
    pub at: Option<&'static Location<'static>>,
}

/// An op that is looked on while it runs.
pub(crate) struct Watched {
    pub op: &'static str,
    pub phase: Phase,
    pub origin: Origin,
    pub start: Instant,
    /// Bytes of the operands.
    pub read: usize,
    watchers: u8,
}

/// An op begins, on operands `x`. `None` if nobody looks on.
#[inline]
#[track_caller]
pub(crate) fn watch(op: &'static str, phase: Phase, x: &[&Tensor]) -> Option<Watched> {
    match watchers() {
        0 => None,
        _ => Some(Watched::begin(op, phase, x, here(Some(Location::caller())))),
    }
}

/// Where a node is made that nobody looks on otherwise. `None` if nobody looks on at all.
#[track_caller]
pub(crate) fn origin() -> Option<Box<Origin>> {
    (watchers() != 0).then(|| Box::new(here(Some(Location::caller()))))
}

fn here(at: Option<&'static Location<'static>>) -> Origin {
    Origin { layer: scope::current(), at }
}

/// The rule of a node begins, on the cotangent `dy`. `None` if nobody looks on.
#[inline]
pub(crate) fn watch_vjp(node: &Node, dy: &Tensor) -> Option<Watched> {
    match watchers() {
        0 => None,
        _ => {
            let origin = node.origin().cloned().unwrap_or_else(|| here(None));
            Some(Watched::begin(node.name(), Phase::Backward, &[dy], origin))
        }
    }
}

/// Two cotangents of a node's result are about to be added. `None` if nobody looks on.
#[inline]
pub(crate) fn watch_sum(node: &Node, x: [&Tensor; 2]) -> Option<Watched> {
    match watchers() {
        0 => None,
        _ => {
            let origin = node.origin().cloned().unwrap_or_else(|| here(None));
            Some(Watched::begin("accumulate", Phase::Backward, &x, origin))
        }
    }
}

/// Computes `y` from `x` by `op`, looked on if anybody does.
#[inline]
#[track_caller]
pub(crate) fn observe(op: &'static str, x: &[&Tensor], y: impl FnOnce() -> Tensor) -> Tensor {
    let watched = watch(op, Phase::Forward, x);
    let y = y();
    if let Some(watched) = watched {
        watched.end(x, &[Some(&y)]);
    }
    y
}

impl Watched {
    #[cold]
    fn begin(op: &'static str, phase: Phase, x: &[&Tensor], origin: Origin) -> Self {
        let watchers = WATCHERS.replace(0);
        if watchers & MEMORY != 0 {
            memory::set_maker(Some((op, phase, origin.layer.clone())));
        }
        let read = x.iter().map(|x| x.count() * x.dtype().bytes()).sum();
        Self { op, phase, origin, start: Instant::now(), read, watchers }
    }

    /// Whether the operands are wanted at the end, so that they must be kept.
    pub fn wants_operands(&self) -> bool {
        self.watchers & (ANOMALY | PROFILE) != 0
    }

    /// Whether NaN and infinities are looked for, so that even operands that are overwritten must be kept.
    pub fn wants_values(&self) -> bool {
        self.watchers & ANOMALY != 0
    }

    /// The op has computed `y` from `x`: one result forward, one cotangent for each operand backward.
    #[cold]
    pub fn end(self, x: &[&Tensor], y: &[Option<&Tensor>]) -> Box<Origin> {
        if self.watchers & PROFILE != 0 {
            profile::record(&self, x, y);
        }
        if self.watchers & ANOMALY != 0 {
            y.iter().enumerate().for_each(|(i, y)| y.iter().for_each(|y| anomaly::examine(&self, x, i, y)));
        }
        Box::new(self.origin.clone())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.watchers & MEMORY != 0 {
            memory::set_maker(None);
        }
        WATCHERS.set(self.watchers);
    }
}
