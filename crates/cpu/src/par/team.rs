//! Helpers that stay awake between two loops: a model's step is hundreds of loops of some microseconds, and waking a
//! sleeping thread takes longer than most of them.
//!
//! The thread that has a loop to run publishes it, takes pieces of it until none is left, and waits for the helpers that
//! still have one. A helper is a task of rayon's pool: it watches for loops, and goes back to the pool after
//! [`PATIENCE`] without one. Nobody waits for a helper that has not come: a loop may end before it wakes.
//!
//! Each thread has a seat, and begins with that seat's share of the pieces before it takes from the others': what one loop
//! leaves in the caches of a core, the next loop finds there.

use super::threads;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// How long a helper watches for the next loop.
const PATIENCE: Duration = Duration::from_micros(100);
/// Looks between two looks at the clock, or before the processor is offered to others.
const LOOKS: usize = 128;

/// The most threads that have a share of their own.
const SEATS: usize = 32;

/// A loop that is being run.
struct Loop<'a> {
    piece: &'a (dyn Fn(usize) + Sync),
    pieces: usize,
    /// The shares that the pieces are divided into, at most [`SEATS`].
    shares: usize,
    taken: [Taken; SEATS],
    /// What the first piece that panicked said.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// How many pieces of a share somebody has. In a cache line of its own: mostly one thread asks for it.
#[repr(align(64))]
struct Taken(AtomicUsize);

/// Whether somebody runs a loop at present.
static BUSY: AtomicBool = AtomicBool::new(false);
/// The loop that helpers may join.
static CURRENT: AtomicPtr<Loop<'static>> = AtomicPtr::new(null_mut());
/// Counts the loops.
static ROUND: AtomicUsize = AtomicUsize::new(0);
/// The helpers that may be looking at the current loop.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// The helpers that are awake, or have been called.
static AWAKE: AtomicUsize = AtomicUsize::new(0);
/// The seats that helpers have; the first is that of whoever runs the loop.
static SEATED: [AtomicBool; SEATS] = [const { AtomicBool::new(false) }; SEATS];

thread_local!(static IN_PIECE: Cell<bool> = const { Cell::new(false) });

/// Whether this thread is running a piece: loops inside it have no others to share with.
pub(super) fn in_piece() -> bool {
    IN_PIECE.get()
}

/// Runs `piece(i)` for each `i` in `0..pieces` on this thread and the helpers; false if another thread has them, and
/// nothing was done.
pub(super) fn run(pieces: usize, piece: &(dyn Fn(usize) + Sync)) -> bool {
    if BUSY.compare_exchange(false, true, SeqCst, SeqCst).is_err() {
        return false;
    }
    let shares = threads().min(pieces).min(SEATS);
    let taken = [const { Taken(AtomicUsize::new(0)) }; SEATS];
    let work = Loop { piece, pieces, shares, taken, panic: Mutex::new(None) };
    ROUND.fetch_add(1, SeqCst);
    CURRENT.store((&raw const work).cast_mut().cast(), SeqCst);
    call_helpers((threads() - 1).min(pieces - 1));
    work.join_in(0);
    // A helper says that it looks before it looks, and this thread takes the loop away before it asks who looks: so
    // either the helper is seen here, or it does not see the loop.
    CURRENT.store(null_mut(), SeqCst);
    let mut looks = 0;
    while INSIDE.load(SeqCst) > 0 {
        pause(&mut looks);
    }
    BUSY.store(false, SeqCst);
    if let Some(panic) = work.panic.into_inner().expect("no thread panics while it holds this") {
        resume_unwind(panic);
    }
    true
}

impl Loop<'_> {
    /// Runs pieces until none is left, those of the seat's share first.
    fn join_in(&self, seat: usize) {
        let outside = IN_PIECE.replace(true);
        for share in (0..self.shares).map(|i| (seat + i) % self.shares) {
            let [start, end] = [share, share + 1].map(|share| share * self.pieces / self.shares);
            while let Some(i) = Some(start + self.taken[share].0.fetch_add(1, SeqCst)).filter(|&i| i < end) {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.piece)(i))) {
                    self.panic.lock().expect("no thread panics while it holds this").get_or_insert(panic);
                }
            }
        }
        IN_PIECE.set(outside);
    }
}

fn call_helpers(wanted: usize) {
    while AWAKE.load(SeqCst) < wanted {
        AWAKE.fetch_add(1, SeqCst);
        rayon_core::spawn(help);
    }
}

/// Joins each loop that comes, until none has come for a while.
fn help() {
    let seat = (1..SEATS).find(|&seat| !SEATED[seat].swap(true, SeqCst));
    let (mut seen, mut looks, mut idle) = (0, 0_usize, Instant::now());
    while !looks.is_multiple_of(LOOKS) || idle.elapsed() < PATIENCE {
        let round = ROUND.load(SeqCst);
        if round == seen || CURRENT.load(SeqCst).is_null() {
            pause(&mut looks);
            continue;
        }
        INSIDE.fetch_add(1, SeqCst);
        // SAFETY: the loop stays where it is while CURRENT names it and this thread is counted as inside, see `run`.
        if let Some(work) = unsafe { CURRENT.load(SeqCst).as_ref() } {
            work.join_in(seat.unwrap_or(0));
        }
        INSIDE.fetch_sub(1, SeqCst);
        (seen, looks, idle) = (round, 1, Instant::now());
    }
    if let Some(seat) = seat {
        SEATED[seat].store(false, SeqCst);
    }
    AWAKE.fetch_sub(1, SeqCst);
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
        assert_eq!(ended.into_inner(), 20);
        assert_eq!(sum_of_squares(4), 14);
    }
}
