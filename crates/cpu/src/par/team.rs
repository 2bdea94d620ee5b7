//! Helpers that stay awake between two loops: a model's step is hundreds of loops of some microseconds, and waking a
//! sleeping thread takes longer than most of them.
//!
//! The thread that has a loop to run publishes it, takes pieces of it until none is left, and waits for those that helpers
//! have taken. A helper is a task of rayon's pool: it watches for loops, and goes back to the pool after [`PATIENCE`] without
//! one. Nobody waits for a helper that has not come: a loop may end before it wakes.
//!
//! Each thread has a seat, and begins with that seat's share of the pieces before it takes from the others': what one loop
//! leaves in the caches of a core, the next loop finds there. All that a helper must know to begin is in one cache line,
//! that of its seat, for each line that goes from core to core takes longer than a small piece of work.

use super::threads;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

/// How long a helper watches for the next loop.
const PATIENCE: Duration = Duration::from_micros(100);
/// Looks between two looks at the clock, or before the processor is offered to others.
const LOOKS: usize = 512;

/// The most threads that run a loop together.
const SEATS: usize = 64;

/// The body of a loop.
type Piece<'a> = &'a (dyn Fn(usize) + Sync);

/// A seat's share of the pieces of the current loop. In cache lines of its own: mostly one thread looks at it.
#[repr(align(128))]
struct Share {
    /// The number of the loop, and below it in [`LEFT_BITS`] how many pieces nobody has taken.
    state: AtomicU64,
    /// The piece after the last.
    end: AtomicUsize,
    /// The two words of a [`Piece`]. Whoever has taken a piece may read them, as may `end`, until it has run it: only then
    /// does the loop end, and nothing changes before.
    body: [AtomicPtr<()>; 2],
}

/// What is in a line of its own.
#[repr(align(128))]
struct Apart<T>(T);

/// The bits that count the pieces left; those above count the loops, and come round after 2⁴⁰ of them.
const LEFT_BITS: u32 = 24;
/// The most pieces in a share.
const MOST_LEFT: usize = (1 << LEFT_BITS) - 1;

/// Whether somebody runs a loop at present.
static BUSY: Apart<AtomicBool> = Apart(AtomicBool::new(false));
/// The shares of the current loop. The first is that of whoever runs it.
static SHARES: [Share; SEATS] = [const { Share::new() }; SEATS];
/// The pieces of the current loop that have been run.
static DONE: Apart<AtomicUsize> = Apart(AtomicUsize::new(0));
/// What the first piece of the current loop that panicked said.
static PANIC: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);
/// The helpers that are awake, or have been called.
static AWAKE: Apart<AtomicUsize> = Apart(AtomicUsize::new(0));
/// The seats that helpers have.
static SEATED: [AtomicBool; SEATS] = [const { AtomicBool::new(false) }; SEATS];

thread_local!(static IN_PIECE: Cell<bool> = const { Cell::new(false) });

/// Whether this thread is running a piece: loops inside it have no others to share with.
pub(super) fn in_piece() -> bool {
    IN_PIECE.get()
}

/// Runs `piece(i)` for each `i` in `0..pieces` on this thread and the helpers; false if another thread has them, or the
/// pieces are too many, and nothing was done.
pub(super) fn run(pieces: usize, piece: Piece) -> bool {
    let shares = threads().min(pieces).min(SEATS);
    if pieces / shares >= MOST_LEFT || BUSY.0.swap(true, Acquire) {
        return false;
    }
    DONE.0.store(0, Relaxed);
    for (seat, share) in SHARES[..shares].iter().enumerate() {
        share.publish(piece, [seat, seat + 1].map(|seat| seat * pieces / shares));
    }
    call_helpers(shares - 1);
    take_pieces(0);
    let mut looks = 0;
    while DONE.0.load(Acquire) < pieces {
        pause(&mut looks);
    }
    let panic = PANIC.lock().expect("no thread panics while it holds this").take();
    BUSY.0.store(false, Release);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    true
}

impl Share {
    const fn new() -> Self {
        let body = [const { AtomicPtr::new(null_mut()) }; 2];
        Self { state: AtomicU64::new(0), end: AtomicUsize::new(0), body }
    }

    /// Makes pieces `start..end` of the next loop this seat's share.
    fn publish(&self, piece: Piece, [start, end]: [usize; 2]) {
        // SAFETY: a reference to a trait object is two pointers.
        let words: [*mut (); 2] = unsafe { std::mem::transmute(piece) };
        self.end.store(end, Relaxed);
        self.body.iter().zip(words).for_each(|(to, word)| to.store(word, Relaxed));
        let number = (self.state.load(Relaxed) >> LEFT_BITS) + 1;
        self.state.store(number << LEFT_BITS | (end - start) as u64, Release);
    }

    /// Runs pieces until nobody has to take any.
    fn run(&self) {
        let mut count = 0;
        while let Some((piece, i)) = self.take() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| piece(i))) {
                PANIC.lock().expect("no thread panics while it holds this").get_or_insert(panic);
            }
            count += 1;
        }
        if count > 0 {
            DONE.0.fetch_add(count, AcqRel);
        }
    }

    /// A piece for this thread to run, if there is one left.
    fn take<'a>(&self) -> Option<(Piece<'a>, usize)> {
        let take = |state| (state as usize & MOST_LEFT > 0).then(|| state - 1);
        let state = self.state.fetch_update(Acquire, Relaxed, take).ok()?;
        let words = [0, 1].map(|i| self.body[i].load(Relaxed));
        // SAFETY: `publish` had stored the words of a reference before it stored what `fetch_update` found, and the thread
        // that lent it waits until the piece taken here has been run.
        let piece = unsafe { std::mem::transmute::<[*mut (); 2], Piece<'a>>(words) };
        Some((piece, self.end.load(Relaxed) - (state as usize & MOST_LEFT)))
    }
}

/// Runs pieces until none is left, those of the seat's share first.
fn take_pieces(seat: usize) {
    let (outside, seats) = (IN_PIECE.replace(true), threads().min(SEATS));
    (0..seats).for_each(|i| SHARES[(seat + i) % seats].run());
    IN_PIECE.set(outside);
}

fn call_helpers(wanted: usize) {
    while AWAKE.0.load(Relaxed) < wanted {
        AWAKE.0.fetch_add(1, SeqCst);
        rayon_core::spawn(help);
    }
}

/// Joins each loop that comes, until none has come for a while.
fn help() {
    if let Some(seat) = (1..SEATS).find(|&seat| !SEATED[seat].swap(true, SeqCst)) {
        watch(seat);
        SEATED[seat].store(false, SeqCst);
    }
    AWAKE.0.fetch_sub(1, SeqCst);
}

fn watch(seat: usize) {
    let (mut seen, mut looks, mut idle) = (u64::MAX, 0_usize, Instant::now());
    while !looks.is_multiple_of(LOOKS) || idle.elapsed() < PATIENCE {
        let number = SHARES[seat].state.load(Relaxed) >> LEFT_BITS;
        if number == seen {
            pause(&mut looks);
            continue;
        }
        take_pieces(seat);
        (seen, looks, idle) = (number, 1, Instant::now());
    }
}

/// Waits for a moment; now and then so long that another thread may have the processor.
fn pause(looks: &mut usize) {
    *looks += 1;
    if looks.is_multiple_of(LOOKS) { std::thread::yield_now() } else { std::hint::spin_loop() }
}

#[cfg(test)]
mod tests {
    use super::super::for_ranges;
    use super::*;

    fn sum_of_squares(count: usize) -> usize {
        let sum = AtomicUsize::new(0);
        for_ranges(count, 1, |start, end| {
            (start..end).for_each(|i| _ = sum.fetch_add(i * i, SeqCst));
        });
        sum.into_inner()
    }

    #[test]
    fn every_piece_is_run_once_whoever_else_runs_loops() {
        let count = |n: usize| (0..n).map(|i| i * i).sum::<usize>();
        std::thread::scope(|scope| {
            for n in 2..6 {
                scope.spawn(move || (0..3000).for_each(|i| assert_eq!(sum_of_squares(n + i % 7), count(n + i % 7))));
            }
        });
    }

    #[test]
    fn loops_may_lie_within_loops() {
        let sum = AtomicUsize::new(0);
        for_ranges(10, 1, |_, _| _ = sum.fetch_add(sum_of_squares(5), SeqCst));
        assert_eq!(sum.into_inner(), 300);
    }

    #[test]
    fn a_panic_comes_out_after_all_pieces_have_ended() {
        let ended = AtomicUsize::new(0);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            for_ranges(20, 1, |i, _| {
                ended.fetch_add(1, SeqCst);
                assert!(i != 7, "the seventh");
            })
        }));
        assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "the seventh");
        // one thread ends with the piece that panicked
        assert_eq!(ended.into_inner(), if threads() == 1 { 8 } else { 20 });
        assert_eq!(sum_of_squares(4), 14);
    }
}
