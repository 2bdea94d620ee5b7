//! What becomes of an op that the device cannot carry out.
//!
//! An op on tensors has no `Result` to give back, as `a + b` has none in Rust: it panics, as an op on the CPU does that
//! finds no memory. Inside [`attempt`] it does not: the error comes out there, and the device works on.

use cotangent_base::{Error, Result};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local!(static ATTEMPTS: Cell<u32> = const { Cell::new(0) });

/// Runs `f`. What the device cannot do in it (too little memory, a launch that fails) is its error.
pub fn attempt<R>(f: impl FnOnce() -> R) -> Result<R> {
    ATTEMPTS.set(ATTEMPTS.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(f));
    ATTEMPTS.set(ATTEMPTS.get() - 1);
    done.or_else(|panic| match panic.downcast::<Error>() {
        Ok(error) => Err(*error),
        Err(other) => resume_unwind(other),
    })
}

/// The value, or the end of the op.
pub(crate) fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fail(error),
    }
}

#[cold]
fn fail(error: Error) -> ! {
    match ATTEMPTS.get() {
        0 => panic!("{error}"),
        // past the hook that would print it: the caller has asked for it
        _ => resume_unwind(Box::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_gives_the_error_and_passes_other_panics_on() {
        let error = attempt(|| expect::<()>(Err(Error::new("cuda:0", "no memory")))).unwrap_err();
        assert_eq!(error.to_string(), "[cuda:0] no memory");
        assert_eq!(attempt(|| expect(Ok(3))).unwrap(), 3);
        assert!(catch_unwind(|| attempt(|| resume_unwind(Box::new("other")))).is_err());
        assert_eq!(ATTEMPTS.get(), 0);
    }
}
