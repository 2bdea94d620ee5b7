//! SIMD chosen at run time: a kernel is written once over [`Vector`] and [`run`] gives it the widest lanes
//! that this CPU has, whatever flags the program was built with.

#[macro_use]
mod functions;
#[cfg(test)]
mod accuracy;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod columns;
mod exchange;
mod finite;
mod level;
mod nonzeros;
mod portable;
mod prefetch;
mod scalar;
#[cfg(test)]
mod tests;

pub(crate) use columns::{Lists, Matrix, NOWHERE, SPARE, list_columns};
pub(crate) use exchange::{Words, transpose};
pub(crate) use finite::Finite;
pub use level::{Kernel, Level, run, run_at, run_widest_at};
pub(crate) use nonzeros::nonzeros;
pub(crate) use prefetch::{Upcoming, prefetch, prefetch_far, prefetch_to_write};

use cotangent_base::{Float, Lane};

/// No vector has more places.
pub(crate) const WIDEST: usize = 16;

/// A register of [`WIDTH`](Vector::WIDTH) numbers.
///
/// Every method is `#[inline(always)]` and uses instructions of its level: call them only below [`run`].
pub trait Vector: Lane + 'static {
    /// The type of one number.
    type Scalar: SimdFloat;
    /// How many numbers; a power of two, at most 16.
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
    /// Reads the first `count.min(WIDTH)` numbers; the other places hold 0.
    ///
    /// # Safety
    /// `from` is valid for reading that many numbers; any alignment.
    #[inline(always)]
    unsafe fn load_part(from: *const Self::Scalar, count: usize) -> Self {
        let mut all = [Self::Scalar::default(); 16];
        // SAFETY: the caller's promise; `all` holds WIDTH numbers at every level.
        unsafe {
            std::ptr::copy_nonoverlapping(from, all.as_mut_ptr(), count.min(Self::WIDTH));
            Self::load(all.as_ptr())
        }
    }
    /// Writes the first `count.min(WIDTH)` numbers.
    ///
    /// # Safety
    /// `to` is valid for writing that many numbers; any alignment.
    #[inline(always)]
    unsafe fn store_part(self, to: *mut Self::Scalar, count: usize) {
        let all = self.to_array();
        // SAFETY: the caller's promise; `all` holds WIDTH numbers at every level.
        unsafe { std::ptr::copy_nonoverlapping(all.as_ptr(), to, count.min(Self::WIDTH)) }
    }
    /// Reads the next `WIDTH` of `count` numbers, or all if there are fewer; the other places hold 0.
    ///
    /// # Safety
    /// `from` is valid for reading that many numbers; any alignment.
    #[inline(always)]
    unsafe fn load_next(from: *const Self::Scalar, count: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { if count >= Self::WIDTH { Self::load(from) } else { Self::load_part(from, count) } }
    }
    /// Writes the first `WIDTH` of `count` numbers, or as many as there are.
    ///
    /// # Safety
    /// `to` is valid for writing that many numbers; any alignment.
    #[inline(always)]
    unsafe fn store_next(self, to: *mut Self::Scalar, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { if count >= Self::WIDTH { self.store(to) } else { self.store_part(to, count) } }
    }
    /// The same number in every place.
    fn broadcast(x: Self::Scalar) -> Self;
    /// `acc + a·b`, fused where the level has it: the step of a dot product.
    #[inline(always)]
    fn fma(a: Self, b: Self, acc: Self) -> Self {
        a.mul_add(b, acc)
    }
    /// The numbers one by one, in order, then zeros.
    #[inline(always)]
    fn to_array(self) -> [Self::Scalar; 16] {
        let mut out = [Self::Scalar::default(); 16];
        // SAFETY: WIDTH is at most 16 at every level.
        unsafe { self.store(out.as_mut_ptr()) };
        out
    }
    /// `f` of each number.
    #[inline(always)]
    fn each(self, f: impl Fn(Self::Scalar) -> Self::Scalar) -> Self {
        let mut all = self.to_array();
        for x in &mut all[..Self::WIDTH] {
            *x = f(*x);
        }
        // SAFETY: `all` holds WIDTH numbers at every level.
        unsafe { Self::load(all.as_ptr()) }
    }
    /// `f` of each number and its counterpart.
    #[inline(always)]
    fn each_with(self, other: Self, f: impl Fn(Self::Scalar, Self::Scalar) -> Self::Scalar) -> Self {
        let (mut all, others) = (self.to_array(), other.to_array());
        for (x, y) in all[..Self::WIDTH].iter_mut().zip(others) {
            *x = f(*x, y);
        }
        // SAFETY: `all` holds WIDTH numbers at every level.
        unsafe { Self::load(all.as_ptr()) }
    }
    /// The numbers combined into one: the upper half with the lower half, until one is left.
    #[inline(always)]
    fn fold(self, f: impl Fn(Self::Scalar, Self::Scalar) -> Self::Scalar) -> Self::Scalar {
        let mut all = self.to_array();
        let mut half = Self::WIDTH / 2;
        while half > 0 {
            for i in 0..half {
                all[i] = f(all[i], all[i + half]);
            }
            half /= 2;
        }
        all[0]
    }
    /// The sum of all places, in the order of [`fold`](Vector::fold).
    #[inline(always)]
    fn sum(self) -> Self::Scalar {
        self.fold(|a, b| a + b)
    }
    /// The greatest of all places; NaN if any is NaN.
    #[inline(always)]
    fn greatest(self) -> Self::Scalar {
        self.fold(Lane::max)
    }
}

/// A float that has lanes at every level.
pub trait SimdFloat: Float {
    /// Its lanes at [`Level::Portable`].
    type Portable: Vector<Scalar = Self>;
    /// Its lanes at [`Level::Avx2`]. Only for code below [`run`]: the CPU may not have the instructions.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx2: Vector<Scalar = Self>;
    /// Its lanes at [`Level::Avx512`]. Only for code below [`run`]: the CPU may not have the instructions.
    #[cfg(target_arch = "x86_64")]
    #[doc(hidden)]
    type Avx512: Vector<Scalar = Self>;

    /// The numbers as what they are if that is f32, for kernels of the type to train in alone.
    fn as_f32s(numbers: &[Self]) -> Option<&[f32]>;
    /// As [`as_f32s`](SimdFloat::as_f32s), to write.
    fn as_f32s_mut(numbers: &mut [Self]) -> Option<&mut [f32]>;
}
impl SimdFloat for f32 {
    type Portable = portable::F32s;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::F32s;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::F32s;

    fn as_f32s(numbers: &[f32]) -> Option<&[f32]> {
        Some(numbers)
    }
    fn as_f32s_mut(numbers: &mut [f32]) -> Option<&mut [f32]> {
        Some(numbers)
    }
}
impl SimdFloat for f64 {
    type Portable = portable::F64s;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::F64s;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::F64s;

    fn as_f32s(_: &[f64]) -> Option<&[f32]> {
        None
    }
    fn as_f32s_mut(_: &mut [f64]) -> Option<&mut [f32]> {
        None
    }
}
