//! Asking for memory before it is needed. A hint: any address will do, and nothing is read.

macro_rules! prefetches {
    ($($(#[$doc:meta])* $name:ident = $hint:ident;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<T>(at: *const T) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a prefetch faults at no address, and every x86-64 has it; a hint that the CPU does not know does nothing.
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::$hint }>(at.cast())
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = at;
        }
    )*};
}

prefetches! {
    /// Asks for the cache line at `at`, to read it.
    prefetch = _MM_HINT_T0;
    /// Asks for the cache line at `at`, to write it.
    prefetch_to_write = _MM_HINT_ET0;
    /// Asks for the cache line at `at`, to read it later: it comes as far as the second-level cache.
    prefetch_far = _MM_HINT_T1;
}

/// The bytes of a cache line.
const LINE: usize = 64;

/// Numbers that will be needed: asked for while there is other work. Any address will do.
#[derive(Clone, Copy)]
pub(crate) struct Upcoming {
    at: *const u8,
    lines: usize,
}

impl Upcoming {
    /// `count` numbers.
    #[inline(always)]
    pub fn of<T>(at: *const T, count: usize) -> Self {
        Self { at: at.cast(), lines: (count * size_of::<T>()).div_ceil(LINE) }
    }

    /// No numbers.
    pub fn nothing() -> Self {
        Self::of::<u8>(std::ptr::null(), 0)
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

    /// Asks for them, to read them later.
    #[inline(always)]
    pub fn to_read_later(self) {
        for line in 0..self.lines {
            prefetch_far(self.at.wrapping_add(line * LINE));
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
