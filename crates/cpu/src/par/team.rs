//! Helpers that stay awake between two loops: a model's step is hundreds of loops of some microseconds, and waking a
//! sleeping thread takes longer than most of them.
//!
//! The thread that has a loop to run publishes it, takes pieces of it until none is left, and waits for those that helpers
//! have taken. A helper is a task of rayon's pool: it watches for loops, and goes back to the pool after [`PATIENCE`] without
//! one. Nobody waits for a helper that has not come: a loop may end before it wakes.
//!
//! Each thread has a seat, and begins with that seat's share of the pieces before it takes from the others': what one loop
//! leaves in the caches of a core, the next loop finds there. A line that goes from core to core takes 150 ns, longer than many
//! a piece: so all that a helper must know to begin is in one line, that of its seat, and what the body captures in a few
//! others, side by side.

use super::{ALIGN, Pieces, threads};
use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

/// How long a helper watches for the next loop.
const PATIENCE: Duration = Duration::from_micros(100);
/// Looks between two looks at the clock, or before the processor is offered to others.
const LOOKS: usize = 512;

/// The most threads that run a loop together.
const SEATS: usize = 64;

/// The bits of a share's state below the number of its loop, which comes round after 2⁴⁰ loops.
const STATE_BITS: u32 = 24;
/// The bit that says that shares have several pieces, so that who is done with its own may look at the others'.
const SEVERAL: u64 = 1 << (STATE_BITS - 1);
/// The most pieces in a share: the bits below count those that nobody has taken.
const MOST_LEFT: u64 = SEVERAL - 1;

/// A seat's share of the pieces of the current loop. In cache lines of its own: mostly one thread looks at it.
#[repr(align(128))]
struct Share {
    /// The number of the loop, whether there are [`SEVERAL`] pieces to a share, and how many of this one nobody has taken.
    state: AtomicU64,
    /// The loop, and the piece after the share's last.
    work: UnsafeCell<(Pieces<'static>, usize)>,
}

// SAFETY: `work` is read by who has taken a piece, until it has been run, and the next loop is not published before.
unsafe impl Sync for Share {}

/// The most bytes of captures that are copied.
const CAPTURES: usize = 512;

/// What the body of the current loop captures, in lines of its own: from the caller's stack helpers would gather it line by
/// line, and the caller would wait to have its stack back before the next loop.
#[repr(align(128))]
struct Captures(UnsafeCell<[MaybeUninit<u8>; CAPTURES]>);

const _: () = assert!(align_of::<Captures>() >= ALIGN);

// SAFETY: written by who holds `BUSY`, while no piece is left or runs, and read by who runs a piece.
unsafe impl Sync for Captures {}

/// What is in a line of its own.
#[repr(align(128))]
struct Apart<T>(T);

/// Whether somebody runs a loop at present.
static BUSY: Apart<AtomicBool> = Apart(AtomicBool::new(false));
/// The shares of the current loop. The first is that of whoever runs it.
static SHARES: [Share; SEATS] = [const { Share::new() }; SEATS];
static CAPTURED: Captures = Captures(UnsafeCell::new([MaybeUninit::uninit(); CAPTURES]));
/// The pieces that helpers have run, of all loops.
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

/// Runs the pieces on this thread and the helpers; false if another thread has them, or the pieces are too many, and nothing
/// was done.
pub(super) fn run(pieces: Pieces) -> bool {
    let (count, threads) = (pieces.len(), threads());
    let shares = threads.min(count).min(SEATS);
    if count / shares >= MOST_LEFT as usize || BUSY.0.swap(true, Acquire) {
        return false;
    }
    // SAFETY: this thread holds `BUSY`, and waits for all pieces before it lets go.
    let pieces = unsafe { CAPTURED.hold(pieces) };
    let done = DONE.0.load(Relaxed);
    let several = if count > shares { SEVERAL } else { 0 };
    // the helpers' first: they wait
    for (seat, share) in SHARES[..shares].iter().enumerate().rev() {
        let [start, end] = [seat, seat + 1].map(|seat| seat * count / shares);
        // the first piece is this thread's already: taking it would have to wait until the other shares are written
        let left = (end - start.max(1)) as u64;
        // SAFETY: as above.
        unsafe { share.publish(pieces, end, several | left) };
    }
    call_helpers(shares - 1);
    let outside = IN_PIECE.replace(true);
    run_piece(pieces, 0);
    let mine = 1 + SHARES[..shares].iter().map(Share::run).sum::<usize>();
    IN_PIECE.set(outside);
    let mut looks = 0;
    while DONE.0.load(Acquire).wrapping_sub(done) < count - mine {
        pause(&mut looks);
    }
    let panic = PANIC.lock().expect("no thread panics while it holds this").take();
    BUSY.0.store(false, Release);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    true
}

impl Captures {
    /// The pieces with what they capture copied to here, if there is room.
    ///
    /// # Safety
    /// The caller holds `BUSY`, and no piece is left or runs.
    unsafe fn hold<'a>(&'static self, pieces: Pieces<'a>) -> Pieces<'a> {
        // SAFETY: the caller's promise.
        let here = unsafe { &mut *self.0.get() };
        let Some(captures) = here.get_mut(..pieces.captures.len()) else { return pieces };
        captures.copy_from_slice(pieces.captures);
        Pieces { captures, ..pieces }
    }
}

impl Share {
    const fn new() -> Self {
        unsafe fn nothing(_: *const u8, _: usize, _: usize) {}
        let none = Pieces { captures: &[], body: nothing, count: 0, grain: 1 };
        Self { state: AtomicU64::new(0), work: UnsafeCell::new((none, 0)) }
    }

    /// Makes the pieces of the next loop up to `end` this seat's share, as many as `left` says.
    ///
    /// # Safety
    /// The caller holds `BUSY`, no piece is left or runs, and the pieces stay until these have been run.
    unsafe fn publish(&self, pieces: Pieces, end: usize, left: u64) {
        // SAFETY: the caller's promise, by which nobody reads them longer than they live.
        unsafe { *self.work.get() = (std::mem::transmute::<Pieces, Pieces<'static>>(pieces), end) };
        let number = (self.state.load(Relaxed) >> STATE_BITS) + 1;
        self.state.store(number << STATE_BITS | left, Release);
    }

    /// Runs pieces until nobody has to take any; how many.
    fn run(&self) -> usize {
        let mut count = 0;
        while let Some((pieces, i)) = self.take() {
            run_piece(pieces, i);
            count += 1;
        }
        count
    }

    /// A piece for this thread to run, if there is one left.
    fn take(&self) -> Option<(Pieces<'static>, usize)> {
        let take = |state| (state & MOST_LEFT > 0).then(|| state - 1);
        let state = self.state.fetch_update(Acquire, Relaxed, take).ok()?;
        // SAFETY: `publish` had written it before it stored what `fetch_update` found, and does so again only when the piece
        // taken here has been run.
        let (pieces, end) = unsafe { *self.work.get() };
        Some((pieces, end - (state & MOST_LEFT) as usize))
    }
}

/// Runs piece `i`; a panic is kept for who called.
fn run_piece(pieces: Pieces, i: usize) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| pieces.run(i))) {
        PANIC.lock().expect("no thread panics while it holds this").get_or_insert(panic);
    }
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
    let seats = threads().min(SEATS);
    IN_PIECE.set(true);
    let (mut seen, mut looks, mut idle) = (u64::MAX, 0_usize, Instant::now());
    while !looks.is_multiple_of(LOOKS) || idle.elapsed() < PATIENCE {
        let state = SHARES[seat].state.load(Relaxed);
        if state >> STATE_BITS == seen {
            pause(&mut looks);
            continue;
        }
        let shares = if state & SEVERAL > 0 { seats } else { 1 };
        for i in 0..shares {
            let count = SHARES[(seat + i) % seats].run();
            if count > 0 {
                DONE.0.fetch_add(count, AcqRel);
            }
        }
        (seen, looks, idle) = (state >> STATE_BITS, 1, Instant::now());
    }
    IN_PIECE.set(false);
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
    fn bodies_capture_much_or_nothing() {
        fn check<const N: usize>() {
            let (words, sum) = (std::array::from_fn::<_, N, _>(|i| i), AtomicUsize::new(0));
            let to = &sum;
            for_ranges(2 * N, 1, move |i, _| _ = to.fetch_add(words.get(i).map_or(1, |word| word + 1), SeqCst));
            assert_eq!(sum.into_inner(), N * (N + 1) / 2 + N);
        }
        check::<0>();
        check::<1>();
        check::<{ CAPTURES / 8 - 1 }>();
        check::<{ CAPTURES / 8 }>();
        check::<1000>();
        for_ranges(9, 1, |_, _| ());
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
