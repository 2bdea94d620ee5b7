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
///
/// The captures of `body` are copied to where other threads find them at once; what it captures by reference takes them another
/// trip to this thread's core. So a body of some microseconds should `move` what it needs.
pub fn for_ranges<F: Fn(usize, usize) + Sync + Copy>(count: usize, grain: usize, body: F) {
    spread(Pieces::new(count, grain.max(1), &body));
}

/// Not generic, so that rayon's machinery is compiled once and not for each kernel.
#[inline(never)]
fn spread(pieces: Pieces) {
    let count = pieces.len();
    if count <= 1 || threads() == 1 || is_shared() {
        return (0..count).for_each(|i| pieces.run(i));
    }
    #[cfg(not(target_family = "wasm"))]
    if rayon_core::current_thread_index().is_some() || !team::run(pieces) {
        share(0..count, pieces);
    }
}

/// A loop cut into pieces, of whatever type its body is.
#[derive(Clone, Copy)]
struct Pieces<'a> {
    /// What the body captures,
    captures: &'a [MaybeUninit<u8>],
    /// and the body, which is told where that is.
    body: unsafe fn(*const u8, usize, usize),
    count: usize,
    grain: usize,
}

/// Captures are aligned to so many bytes at most.
const ALIGN: usize = 128;

impl<'a> Pieces<'a> {
    fn new<F: Fn(usize, usize) + Sync + Copy>(count: usize, grain: usize, body: &'a F) -> Self {
        const { assert!(align_of::<F>() <= ALIGN) };
        /// # Safety
        /// The captures are those of an `F`.
        unsafe fn call<F: Fn(usize, usize)>(captures: *const u8, start: usize, end: usize) {
            // SAFETY: the caller's promise.
            unsafe { (*captures.cast::<F>())(start, end) }
        }
        // SAFETY: these are the bytes of `body`; no `Copy` type can be changed through a shared reference.
        let captures = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(body).cast(), size_of::<F>()) };
        Self { captures, body: call::<F>, count, grain }
    }

    fn len(&self) -> usize {
        self.count.div_ceil(self.grain)
    }

    /// Runs piece `i`.
    fn run(&self, i: usize) {
        let (start, end) = (i * self.grain, ((i + 1) * self.grain).min(self.count));
        // SAFETY: the captures are those that `body` was made for.
        unsafe { (self.body)(self.captures.as_ptr().cast(), start, end) }
    }
}

/// Runs some pieces, halves of them on whichever threads of the pool are free.
#[cfg(not(target_family = "wasm"))]
fn share(some: Range<usize>, pieces: Pieces) {
    let Range { start, end } = some;
    if end - start <= 1 {
        return some.for_each(|i| pieces.run(i));
    }
    let middle = start.midpoint(end);
    rayon_core::join(|| share(start..middle, pieces), || share(middle..end, pieces));
}

/// Whether this thread runs a piece of a loop that all threads share.
fn is_shared() -> bool {
    #[cfg(not(target_family = "wasm"))]
    return team::in_piece();
    #[cfg(target_family = "wasm")]
    return false;
}

/// Runs `body(i)` for each `i` in `0..count`, in parallel if `cost` (operations for each i) makes it worth it.
pub fn for_each(count: usize, cost: usize, body: impl Fn(usize) + Sync + Copy) {
    let grain = (GRAIN / cost.max(1)).max(1);
    for_ranges(count, grain, move |start, end| (start..end).for_each(&body));
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

    /// Shares what lies at `at`, for as long as it is there.
    pub fn at(at: *mut T) -> Self {
        Self(at)
    }

    /// What is only read, so that closures may carry it to threads.
    pub fn reading(slice: &[T]) -> Self {
        Self(slice.as_ptr().cast_mut())
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
