//! Threads: those of rayon's pool, with a grain. Even sharing with threads that are awake costs more than a small loop, so
//! small work stays inline.
//!
//! The pieces never depend on the number of threads, so results are the same bits for any number of them.

#[cfg(not(target_family = "wasm"))]
mod team;

use std::mem::MaybeUninit;
#[cfg(not(target_family = "wasm"))]
use std::ops::Range;

/// About this many simple operations (a few per element) are worth a piece of their own.
pub const GRAIN: usize = 32 * 1024;

/// Runs `body(start, end)` over `0..count` in pieces of `grain`, on all threads if there is more than one piece.
///
/// Pieces may run in any order and at the same time; they must write to separate places.
pub fn for_ranges(count: usize, grain: usize, body: impl Fn(usize, usize) + Sync) {
    spread(count, grain.max(1), &body);
}

/// Not generic, so that rayon's machinery is compiled once and not for each kernel.
#[inline(never)]
fn spread(count: usize, grain: usize, body: &(dyn Fn(usize, usize) + Sync)) {
    let pieces = count.div_ceil(grain);
    let piece = |i: usize| body(i * grain, ((i + 1) * grain).min(count));
    if pieces <= 1 || threads() == 1 || is_shared() {
        return (0..pieces).for_each(piece);
    }
    #[cfg(not(target_family = "wasm"))]
    if rayon_core::current_thread_index().is_some() || !team::run(pieces, &piece) {
        share(0..pieces, &piece);
    }
}

/// Runs `piece(i)` for each `i`, halves of them on whichever threads of the pool are free.
#[cfg(not(target_family = "wasm"))]
fn share(pieces: Range<usize>, piece: &(dyn Fn(usize) + Sync)) {
    let Range { start, end } = pieces;
    if end - start <= 1 {
        return pieces.for_each(piece);
    }
    let middle = start.midpoint(end);
    rayon_core::join(|| share(start..middle, piece), || share(middle..end, piece));
}

/// Whether this thread runs a piece of a loop that all threads share.
fn is_shared() -> bool {
    #[cfg(not(target_family = "wasm"))]
    return team::in_piece();
    #[cfg(target_family = "wasm")]
    return false;
}

/// Runs `body(i)` for each `i` in `0..count`, in parallel if `cost` (operations for each i) makes it worth it.
pub fn for_each(count: usize, cost: usize, body: impl Fn(usize) + Sync) {
    let grain = (GRAIN / cost.max(1)).max(1);
    for_ranges(count, grain, |start, end| (start..end).for_each(&body));
}

/// The number of threads that work is spread over.
pub fn threads() -> usize {
    #[cfg(not(target_family = "wasm"))]
    return rayon_core::current_num_threads();
    #[cfg(target_family = "wasm")]
    return 1;
}

/// A pointer that several threads may write through, each to places of its own.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T);

// SAFETY: a `Shared` is only dereferenced through the unsafe methods below, whose contract forbids overlap.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Shares `slice` between threads for as long as the caller keeps it borrowed.
    pub fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr())
    }

    /// The pointer itself.
    #[inline(always)]
    pub fn ptr(self) -> *mut T {
        self.0
    }

    /// The same memory, to be written before it is read.
    pub fn uninit(self) -> Shared<MaybeUninit<T>> {
        Shared(self.0.cast())
    }

    /// The part `start..end`.
    ///
    /// # Safety
    /// It lies within the slice, which is still borrowed, and no other thread touches it meanwhile.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part<'a>(self, start: usize, end: usize) -> &'a mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), end - start) }
    }
}
