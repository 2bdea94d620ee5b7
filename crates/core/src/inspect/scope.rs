//! Names for parts of a computation, such as a model's layers.

use super::watch;
use super::{profile, watch::PROFILE};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

thread_local!(static PATHS: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) });

/// Runs `f` under a name: what is found while it runs, an anomaly, a tensor, an op's time, is told with that name,
/// also in the backward pass through the ops that ran in it. Scopes nest, as `encoder/dense_1`; a model gives each
/// of its layers one.
///
/// ```
/// use cotangent_core::{Tensor, inspect};
/// let (_, profile) = inspect::profile(|| inspect::scope("head", || Tensor::ones([4]).exp()));
/// assert_eq!(profile.events()[0].layer.as_deref(), Some("head"));
/// ```
pub fn scope<R>(name: &str, f: impl FnOnce() -> R) -> R {
    if watch::watchers() == 0 {
        return f();
    }
    let _leave = Leave { start: Instant::now() };
    PATHS.with_borrow_mut(|paths| {
        let path = match paths.last() {
            Some(outer) => format!("{outer}/{name}").into(),
            None => name.into(),
        };
        paths.push(path);
    });
    f()
}

/// The path of the scope that runs, if there is one.
pub(super) fn current() -> Option<Arc<str>> {
    PATHS.with_borrow(|paths| paths.last().cloned())
}

struct Leave {
    start: Instant,
}

impl Drop for Leave {
    fn drop(&mut self) {
        let path = PATHS.with_borrow_mut(Vec::pop);
        if let (Some(path), true) = (path, watch::watchers() & PROFILE != 0) {
            profile::record_scope(path, self.start);
        }
    }
}
