//! What is known of a buffer's numbers since they were last written. To find it out takes about as long as to use them once,
//! so that is done when it is asked for a second time: for weights that are only used, and not for those that are trained.

use crate::Buffer;
use crate::par::{self, GRAIN};
use crate::simd::{self, Finite};
use cotangent_base::DType;
use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// Nothing, for numbers that have just been written.
#[derive(Default)]
pub(crate) struct Known {
    /// One of the four below.
    finite: AtomicU8,
    /// Whether somebody has asked for numbers made of these.
    asked: AtomicBool,
    made: OnceLock<Box<Made>>,
}

/// Nobody has asked.
const UNASKED: u8 = 0;
/// Somebody has asked once.
const ASKED: u8 = 1;
/// All numbers are finite.
const FINITE: u8 = 2;
/// Some number is not.
const INFINITE: u8 = 3;

/// Numbers in the order that a kernel wants.
struct Made {
    /// What was made.
    what: [usize; 4],
    numbers: Buffer,
}

/// Numbers made of a buffer's, kept with it or new.
pub(crate) enum Derived<'a> {
    Kept(&'a Buffer),
    New(Buffer),
}

impl Deref for Derived<'_> {
    type Target = Buffer;
    fn deref(&self) -> &Buffer {
        match self {
            Derived::Kept(buffer) => buffer,
            Derived::New(buffer) => buffer,
        }
    }
}

impl Buffer {
    /// Whether the numbers are f32 and known to be finite: not before this is asked for the second time.
    pub(crate) fn is_finite(&self) -> bool {
        let before = self.known.finite.load(Relaxed);
        let now = match before {
            UNASKED => ASKED,
            ASKED if self.dtype() == DType::F32 && all_finite(self.as_slice()) => FINITE,
            ASKED => INFINITE,
            known => known,
        };
        if now != before {
            self.known.finite.store(now, Relaxed);
        }
        now == FINITE
    }

    /// What `make` makes of these numbers and nothing else, and `what` names: from the second time on it is kept with them
    /// until they are written or go. Of one buffer one such thing is kept.
    pub(crate) fn derive(&self, what: [usize; 4], make: impl FnOnce() -> Buffer) -> Derived<'_> {
        let Known { asked, made, .. } = &self.known;
        if made.get().is_none() && asked.swap(true, Relaxed) {
            // outside of the lock, for it may run loops on all threads; if another thread is faster, its numbers stay
            let numbers = make();
            if let Err(made) = made.set(Box::new(Made { what, numbers })) {
                return Derived::New(made.numbers);
            }
        } else if made.get().is_none_or(|made| made.what != what) {
            return Derived::New(make());
        }
        Derived::Kept(&made.get().expect("it is kept").numbers)
    }
}

fn all_finite(numbers: &[f32]) -> bool {
    let finite = AtomicBool::new(true);
    par::for_ranges(numbers.len(), GRAIN, |start, end| {
        if !simd::run(Finite(&numbers[start..end])) {
            finite.store(false, Relaxed);
        }
    });
    finite.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use cotangent_base::{Layout, View};

    #[test]
    fn numbers_are_known_to_be_finite_until_they_are_written() {
        let mut x = Buffer::from_slice(&[1.0_f32; 100_000]);
        assert_eq!([(); 3].map(|()| x.is_finite()), [false, true, true]);
        x.as_mut::<f32>()[99_999] = f32::INFINITY;
        assert_eq!([(); 3].map(|()| x.is_finite()), [false; 3]);
        x.as_mut::<f32>()[99_999] = 0.0;
        assert_eq!([(); 3].map(|()| x.is_finite()), [false, true, true]);
        let nan = Buffer::from_slice(&[f32::NAN]);
        let layout = Layout::contiguous([1].into());
        memory::assign(&mut x, layout, View { buffer: &nan, layout });
        assert_eq!([(); 3].map(|()| x.is_finite()), [false; 3]);
        let wide = Buffer::from_slice(&[1.0_f64]);
        assert_eq!([(); 3].map(|()| wide.is_finite()), [false; 3]);
    }

    #[test]
    fn what_is_made_of_numbers_is_kept_until_they_are_written() {
        let mut x = Buffer::from_slice(&[1.0_f32, 2.0]);
        let doubled = |x: &Buffer| Buffer::from_slice(&x.as_slice::<f32>().iter().map(|x| 2.0 * x).collect::<Vec<_>>());
        let is_kept = |derived: &Derived| matches!(derived, Derived::Kept(_));
        for _ in 0..2 {
            let one = x.as_slice::<f32>()[0];
            let [first, second, third] = [(); 3].map(|()| x.derive([2, 0, 0, 0], || doubled(&x)));
            assert_eq!([&first, &second, &third].map(is_kept), [false, true, true]);
            let other = x.derive([1, 0, 0, 0], || Buffer::from_slice(x.as_slice::<f32>()));
            assert!(!is_kept(&other) && other.as_slice::<f32>()[0] == one);
            assert!([first, second, third].iter().all(|derived| derived.as_slice::<f32>() == [2.0 * one, 4.0]));
            x.as_mut::<f32>()[0] += 1.0;
        }
    }
}
