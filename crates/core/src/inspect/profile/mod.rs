//! Where the time goes.

mod table;
mod trace;

pub use table::Row;

use super::watch::{PROFILE, Phase, Watched, set_watcher, watchers};
use crate::{Spec, Tensor};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One op that ran.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// The op.
    pub op: &'static str,
    /// Whether it computed its result, its operands' cotangents, or an optimizer's step.
    pub phase: Phase,
    /// The [`scope`](crate::inspect::scope) that it ran in, backward the one that it ran in forward.
    pub layer: Option<Arc<str>>,
    /// The result; backward, the first cotangent.
    pub spec: Spec,
    /// When it began, counted from the beginning of the profile.
    pub start: Duration,
    /// How long it took.
    pub time: Duration,
    /// The bytes it read and wrote; 0 for a view.
    pub moved: u64,
}

/// A scope that was entered and left.
#[derive(Clone, Debug)]
struct Span {
    path: Arc<str>,
    start: Duration,
    time: Duration,
}

/// The ops that a piece of a program ran, with their times; made by [`profile`](profile()).
///
/// Its `Display` is a table by op, the slowest first, and a second one by layer if there are any.
#[derive(Clone, Debug)]
pub struct Profile {
    events: Vec<Event>,
    spans: Vec<Span>,
    wall: Duration,
}

/// What a profile that runs has seen.
struct Recording {
    start: Instant,
    events: Vec<Event>,
    spans: Vec<Span>,
}

thread_local!(static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) });

/// Runs `f` and tells what each op took on this thread, forward, backward and in the optimizer. A profile within a
/// profile takes its ops out of the outer one.
///
/// ```
/// use cotangent_core::{Tensor, inspect};
/// let w = Tensor::ones([64, 64]).tracked();
/// let (grads, profile) = inspect::profile(|| Tensor::ones([8, 64]).matmul(&w).sum(..).backward());
/// assert_eq!(grads.len(), 1);
/// assert!(profile.rows().iter().any(|row| row.op == "matmul" && row.phase == inspect::Phase::Backward));
/// println!("{profile}");
/// ```
pub fn profile<R>(f: impl FnOnce() -> R) -> (R, Profile) {
    let running = Running::begin();
    let result = f();
    (result, running.end())
}

/// Puts the outer profile, if there is one, back in place, even if `f` panics.
struct Running {
    outer: Option<Recording>,
    was_on: bool,
}

impl Running {
    fn begin() -> Self {
        let recording = Recording { start: Instant::now(), events: Vec::new(), spans: Vec::new() };
        let outer = RECORDING.replace(Some(recording));
        let was_on = watchers() & PROFILE != 0;
        set_watcher(PROFILE, true);
        Self { outer, was_on }
    }

    fn end(self) -> Profile {
        let recording = RECORDING.take().expect("set when the profile began");
        let Recording { start, events, spans } = recording;
        Profile { events, spans, wall: start.elapsed() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RECORDING.set(self.outer.take());
        set_watcher(PROFILE, self.was_on);
    }
}

/// The op has just ended.
pub(super) fn record(op: &Watched, x: &[&Tensor], y: &[Option<&Tensor>]) {
    let end = Instant::now();
    let results = || y.iter().copied().flatten();
    let is_view = |y: &Tensor| x.iter().any(|x| Arc::ptr_eq(&x.storage, &y.storage));
    let wrote = |y: &Tensor| if is_view(y) { 0 } else { y.count() * y.dtype().bytes() };
    let written: usize = results().map(wrote).sum();
    let Some(spec) = results().next().map(|y| y.spec()) else { return };
    RECORDING.with_borrow_mut(|recording| {
        let Some(recording) = recording else { return };
        recording.events.push(Event {
            op: op.op,
            phase: op.phase,
            layer: op.origin.layer.clone(),
            spec,
            start: op.start.saturating_duration_since(recording.start),
            time: end - op.start,
            moved: if written == 0 { 0 } else { (op.read + written) as u64 },
        });
    });
}

/// The scope `path`, which began at `start`, has just ended.
pub(super) fn record_scope(path: Arc<str>, start: Instant) {
    let time = start.elapsed();
    RECORDING.with_borrow_mut(|recording| {
        let Some(recording) = recording else { return };
        recording.spans.push(Span { path, start: start.saturating_duration_since(recording.start), time });
    });
}

impl Profile {
    /// Every op, in the order in which they ended.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How long it all took, the time between ops included.
    pub fn wall(&self) -> Duration {
        self.wall
    }

    /// How long the ops took.
    pub fn time(&self) -> Duration {
        self.events.iter().map(|e| e.time).sum()
    }
}
