//! Whether ops on this thread are recorded.

use std::cell::Cell;

thread_local!(static TRACKING: Cell<bool> = const { Cell::new(true) });

/// Whether ops on tracked tensors are recorded at present, on this thread.
pub fn is_tracking() -> bool {
    TRACKING.get()
}

/// Runs `f` without recording: its results are outside any graph, and nothing is kept for a backward pass.
///
/// ```
/// # use cotangent_core::{Tensor, no_grad};
/// let w = Tensor::ones([2]).tracked();
/// assert!(!no_grad(|| &w * 2.0).is_tracked());
/// assert!((&w * 2.0).is_tracked());
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    with_tracking(false, f)
}

/// Runs `f` with recording on or off, and sets it back afterwards, even if `f` panics.
pub(crate) fn with_tracking<R>(on: bool, f: impl FnOnce() -> R) -> R {
    let _restored = Tracking::set(on);
    f()
}

/// Recording is on or off while this lives; then it is as it was before.
pub(super) struct Tracking {
    before: bool,
}

impl Tracking {
    pub(super) fn set(on: bool) -> Self {
        Self { before: TRACKING.replace(on) }
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        TRACKING.set(self.before);
    }
}
