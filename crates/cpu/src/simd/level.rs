//! [`Level`]: which instructions the CPU has, and the one place where a kernel is compiled for each.

use super::{SimdFloat, Vector};
use std::sync::OnceLock;

/// A loop written once over the lanes of `T`.
///
/// `run` must be `#[inline(always)]`, and so must all that it calls with vectors, down to the lanes: only then
/// does the whole loop take on the instructions of the level.
pub trait Kernel<T: SimdFloat> {
    /// What the loop gives back.
    type Output;
    /// The loop.
    fn run<V: Vector<Scalar = T>>(self) -> Self::Output;
}

/// A set of SIMD instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The portable lanes (of the crate `wide`): what the program was compiled for.
    Portable,
    /// AVX2 and FMA: 8 f32 at a time.
    Avx2,
    /// AVX-512 (F, DQ, BW, VL): 16 f32 at a time.
    Avx512,
}

impl Level {
    /// All of them, lowest first.
    pub const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// The name that `COTANGENT_SIMD` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Level::Portable => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }

    /// The level in use: the best that the CPU has, or what `COTANGENT_SIMD=scalar|avx2|avx512` asks for.
    ///
    /// # Panics
    /// If `COTANGENT_SIMD` names no level, or one that the CPU does not have.
    pub fn current() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            let wish = std::env::var("COTANGENT_SIMD").ok();
            choose(wish.as_deref()).unwrap_or_else(|problem| panic!("{problem}"))
        })
    }

    /// The levels that this CPU has, lowest first.
    pub fn available() -> Vec<Level> {
        Level::ALL.into_iter().filter(|level| level.is_available()).collect()
    }

    /// Whether this CPU has the level.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        macro_rules! has {
            ($($feature:tt),*) => { $(is_x86_feature_detected!($feature))&&* };
        }
        match self {
            Level::Portable => true,
            Level::Avx2 => has!("avx2", "fma"),
            Level::Avx512 => has!("avx512f", "avx512dq", "avx512bw", "avx512vl", "avx2", "fma"),
        }
    }

    /// Whether this CPU has the level.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn is_available(self) -> bool {
        self == Level::Portable
    }
}

/// The level that `wish` (the value of `COTANGENT_SIMD`) asks for, or the best; or why it cannot be had.
fn choose(wish: Option<&str>) -> Result<Level, String> {
    let available = Level::available();
    let Some(wish) = wish.filter(|w| !w.is_empty()) else {
        return Ok(*available.last().expect("the portable level is always there"));
    };
    let known = || Level::ALL.map(Level::name).join("|");
    let level = Level::ALL.into_iter().find(|level| level.name() == wish);
    let level = level.ok_or_else(|| format!("COTANGENT_SIMD={wish} is no SIMD level: use {}", known()))?;
    match available.contains(&level) {
        true => Ok(level),
        false => Err(format!("COTANGENT_SIMD={wish}: this CPU does not have these instructions")),
    }
}

/// Runs the kernel at the current level; see [`run_at`].
#[inline]
pub fn run<T: SimdFloat, K: Kernel<T>>(kernel: K) -> K::Output {
    if const { is_lean::<T>() } {
        return kernel.run::<T::Portable>();
    }
    // SAFETY: `current` is one of the levels that the CPU has.
    unsafe { dispatch(Level::current(), kernel) }
}

/// Runs the kernel at the level if it is of f32, the type to train in. Every version costs compile time, so f64 has the
/// portable one alone.
///
/// # Panics
/// If the CPU does not have the level.
pub fn run_at<T: SimdFloat, K: Kernel<T>>(level: Level, kernel: K) -> K::Output {
    if const { is_lean::<T>() } { kernel.run::<T::Portable>() } else { run_widest_at(level, kernel) }
}

/// Runs the kernel at the level, whatever it is of: for matrix products.
///
/// # Panics
/// If the CPU does not have the level.
pub fn run_widest_at<T: SimdFloat, K: Kernel<T>>(level: Level, kernel: K) -> K::Output {
    assert!(level.is_available(), "this CPU does not have the SIMD level {}", level.name());
    // SAFETY: just checked.
    unsafe { dispatch(level, kernel) }
}

/// Whether kernels of T are compiled once and not for every level.
const fn is_lean<T>() -> bool {
    size_of::<T>() != 4
}

/// # Safety
/// The CPU has the level.
#[cfg(target_arch = "x86_64")]
#[inline]
unsafe fn dispatch<T: SimdFloat, K: Kernel<T>>(level: Level, kernel: K) -> K::Output {
    #[target_feature(enable = "avx2,fma")]
    fn avx2<T: SimdFloat, K: Kernel<T>>(kernel: K) -> K::Output {
        kernel.run::<T::Avx2>()
    }
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    fn avx512<T: SimdFloat, K: Kernel<T>>(kernel: K) -> K::Output {
        kernel.run::<T::Avx512>()
    }
    match level {
        Level::Portable => kernel.run::<T::Portable>(),
        // SAFETY: the caller's promise.
        Level::Avx2 => unsafe { avx2(kernel) },
        // SAFETY: the caller's promise.
        Level::Avx512 => unsafe { avx512(kernel) },
    }
}

/// # Safety
/// None: the portable lanes run everywhere.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
unsafe fn dispatch<T: SimdFloat, K: Kernel<T>>(_level: Level, kernel: K) -> K::Output {
    kernel.run::<T::Portable>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wished_level_is_taken_or_refused_by_name() {
        assert_eq!(choose(None).ok(), Level::available().last().copied());
        assert_eq!(choose(Some("scalar")), Ok(Level::Portable));
        assert!(choose(Some("mmx")).unwrap_err().contains("scalar|avx2|avx512"));
        for level in Level::ALL {
            assert_eq!(choose(Some(level.name())).is_ok(), level.is_available());
        }
    }
}
