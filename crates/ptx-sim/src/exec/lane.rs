//! The 32 values of a register, and operations on all of them.

use super::warp::Warp;
use crate::ins::Ins;

/// A register of 32 bits in each lane.
pub type Words = [u32; 32];
/// A register of 64 bits in each lane.
pub type Wides = [u64; 32];

/// A number as it lies in a register.
pub trait Lane: Copy {
    /// The bits of the register.
    type Raw: Copy + Default;
    fn get(raw: Self::Raw) -> Self;
    fn put(self) -> Self::Raw;
}

macro_rules! lanes {
    ($($ty:ty, $raw:ty, $get:expr, $put:expr;)*) => {$(
        impl Lane for $ty {
            type Raw = $raw;
            #[inline(always)]
            fn get(raw: $raw) -> Self {
                $get(raw)
            }
            #[inline(always)]
            fn put(self) -> $raw {
                $put(self)
            }
        }
    )*};
}

lanes! {
    u16, u32, |raw| raw as u16, |x: u16| x.into();
    i16, u32, |raw| raw as i16, |x: i16| (x as u16).into();
    u32, u32, |raw| raw, |x| x;
    i32, u32, |raw| raw as i32, |x: i32| x as u32;
    f32, u32, f32::from_bits, f32::to_bits;
    u64, u64, |raw| raw, |x| x;
    i64, u64, |raw| raw as i64, |x: i64| x as u64;
    f64, u64, f64::from_bits, f64::to_bits;
}

/// The registers of a width.
pub trait File<R> {
    fn read(&self, register: u16) -> &[R; 32];
    fn slot(&mut self, register: u16) -> &mut [R; 32];

    /// Sets the lanes of `mask`.
    #[inline(always)]
    fn put(&mut self, register: u16, value: [R; 32], mask: u32)
    where
        R: Copy,
    {
        let slot = self.slot(register);
        if mask == u32::MAX {
            *slot = value;
        } else {
            for lane in lanes_of(mask) {
                slot[lane] = value[lane];
            }
        }
    }
}

impl File<u32> for Warp {
    #[inline(always)]
    fn read(&self, register: u16) -> &Words {
        &self.words[usize::from(register)]
    }
    #[inline(always)]
    fn slot(&mut self, register: u16) -> &mut Words {
        &mut self.words[usize::from(register)]
    }
}

impl File<u64> for Warp {
    #[inline(always)]
    fn read(&self, register: u16) -> &Wides {
        &self.wides[usize::from(register)]
    }
    #[inline(always)]
    fn slot(&mut self, register: u16) -> &mut Wides {
        &mut self.wides[usize::from(register)]
    }
}

/// The lanes of a mask, in order.
#[inline(always)]
pub fn lanes_of(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (lane < 32).then_some(lane)
    })
}

impl Warp {
    /// `d = f(a)`
    #[inline(always)]
    pub fn map1<T: Lane, U: Lane>(&mut self, ins: &Ins, mask: u32, f: impl Fn(T) -> U)
    where
        Warp: File<T::Raw> + File<U::Raw>,
    {
        let a: &[T::Raw; 32] = self.read(ins.regs[1]);
        let result: [U::Raw; 32] = std::array::from_fn(|l| f(T::get(a[l])).put());
        self.put(ins.regs[0], result, mask);
    }

    /// `d = f(a, b)`
    #[inline(always)]
    pub fn map2<T: Lane>(&mut self, ins: &Ins, mask: u32, f: impl Fn(T, T) -> T)
    where
        Warp: File<T::Raw>,
    {
        let (a, b) = (self.read(ins.regs[1]), self.read(ins.regs[2]));
        let result: [T::Raw; 32] = std::array::from_fn(|l| f(T::get(a[l]), T::get(b[l])).put());
        self.put(ins.regs[0], result, mask);
    }

    /// `d = f(a, b, c)`
    #[inline(always)]
    pub fn map3<T: Lane>(&mut self, ins: &Ins, mask: u32, f: impl Fn(T, T, T) -> T)
    where
        Warp: File<T::Raw>,
    {
        let (a, b, c) = (self.read(ins.regs[1]), self.read(ins.regs[2]), self.read(ins.regs[3]));
        let result: [T::Raw; 32] = std::array::from_fn(|l| f(T::get(a[l]), T::get(b[l]), T::get(c[l])).put());
        self.put(ins.regs[0], result, mask);
    }

    /// `d = f(a, n)` where `n` is a word, as the distance of a shift is.
    #[inline(always)]
    pub fn shift<T: Lane>(&mut self, ins: &Ins, mask: u32, f: impl Fn(T, u32) -> T)
    where
        Warp: File<T::Raw> + File<u32>,
    {
        let a: &[T::Raw; 32] = self.read(ins.regs[1]);
        let n: &Words = self.read(ins.regs[2]);
        let result: [T::Raw; 32] = std::array::from_fn(|l| f(T::get(a[l]), n[l]).put());
        self.put(ins.regs[0], result, mask);
    }

    /// Sets the lanes of `mask` in a predicate.
    #[inline(always)]
    pub fn put_predicate(&mut self, register: u16, value: u32, mask: u32) {
        let slot = &mut self.predicates[usize::from(register)];
        *slot = *slot & !mask | value & mask;
    }

    /// A predicate, or its opposite.
    #[inline(always)]
    pub fn predicate(&self, register: u16, negate: bool) -> u32 {
        self.predicates[usize::from(register)] ^ if negate { u32::MAX } else { 0 }
    }
}

/// The mask of lanes for which `f` holds.
#[inline(always)]
pub fn mask_of(f: impl Fn(usize) -> bool) -> u32 {
    (0..32).fold(0, |mask, lane| mask | u32::from(f(lane)) << lane)
}
