//! Asking for memory before it is needed. A hint: any address will do, and nothing is read.

/// Asks for the cache line at `at`, to read it.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch faults at no address, and every x86-64 has it.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for the cache line at `at`, to write it.
#[inline(always)]
pub(crate) fn prefetch_to_write<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above; where the CPU does not know this hint, it does nothing.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_ET0 }>(at.cast())
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Asks for the cache line at `at`, to read it later: it comes as far as the second-level cache.
#[inline(always)]
pub(crate) fn prefetch_far<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as above.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(at.cast())
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// The bytes of a cache line.
const LINE: usize = 64;

/// Numbers that will be needed: asked for while there is other work. Any address will do.
#[derive(Clone, Copy)]
pub(crate) struct Ahead {
    at: *const u8,
    lines: usize,
}

impl Ahead {
    /// `count` numbers.
    #[inline(always)]
    pub fn of<T>(at: *const T, count: usize) -> Self {
        Self { at: at.cast(), lines: (count * size_of::<T>()).div_ceil(LINE) }
    }

    /// Part `i` of `parts`.
    #[inline(always)]
    pub fn part(self, i: usize, parts: usize) -> Self {
        let (first, end) = (self.lines * i / parts, self.lines * (i + 1) / parts);
        Self { at: self.at.wrapping_add(first * LINE), lines: end - first }
    }

    /// Asks for them, to read them.
    #[inline(always)]
    pub fn to_read(self) {
        for line in 0..self.lines {
            prefetch(self.at.wrapping_add(line * LINE));
        }
    }

    /// Asks for them, to write them.
    #[inline(always)]
    pub fn to_write(self) {
        for line in 0..self.lines {
            prefetch_to_write(self.at.wrapping_add(line * LINE));
        }
    }
}
