//! How many bytes buffers hold, now and at most. Each thread counts for itself and tells all in pieces, so that
//! counting costs next to nothing and threads do not wait for each other.

use crate::buffer;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

/// A thread tells when this much is untold: what a total can be wrong by, for each other thread.
const PIECE: isize = 64 << 10;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// What a thread has not told yet.
#[derive(Default)]
pub(crate) struct Count {
    untold: isize,
}

impl Count {
    /// So many bytes more, or fewer.
    #[inline]
    pub fn add(&mut self, bytes: isize) {
        self.untold += bytes;
        if self.untold.abs() >= PIECE {
            self.tell();
        }
    }

    pub fn tell(&mut self) {
        let untold = std::mem::take(&mut self.untold);
        let live = LIVE.fetch_add(untold, Relaxed) + untold;
        PEAK.fetch_max(live, Relaxed);
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.tell();
    }
}

/// What buffers hold, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In all buffers of the process, to within 64 KiB for each other thread.
    pub live: usize,
    /// The greatest that `live` has been, to within 64 KiB for each thread.
    pub peak: usize,
    /// Freed memory that this thread keeps for its next buffers.
    pub reusable: usize,
}

/// What buffers hold now.
pub fn usage() -> Usage {
    let reusable = buffer::settle();
    let size = |bytes: &AtomicIsize| bytes.load(Relaxed).max(0) as usize;
    Usage { live: size(&LIVE), peak: size(&PEAK), reusable }
}

/// Sets the peak to what is live now.
pub fn reset_peak() {
    buffer::settle();
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Buffer;
    use cotangent_base::DType;

    /// The other tests of this crate make buffers meanwhile, in other threads: only what is far greater counts.
    #[test]
    fn buffers_are_counted_wherever_they_are_made_and_freed() {
        let huge = 1 << 30; // never touched, so it costs no memory
        let before = usage().live;
        let buffer = Buffer::uninit(DType::U8, huge);
        assert!(usage().live >= before + huge / 2);
        std::thread::spawn(move || drop(buffer)).join().unwrap();
        let after = usage();
        assert!(after.live < before + huge / 2 && after.peak >= huge, "{before} {after:?}");
        reset_peak();
        assert!(usage().peak < before + huge / 2);
    }
}
