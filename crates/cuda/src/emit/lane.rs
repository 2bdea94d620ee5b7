//! [`Sym`]: a lane that records what is computed on it.

use super::graph::{Arg, Class, Id, constant, fixed, value};
use super::{bits, double};
use cotangent_base::{Lane, math};
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A register with a number of type `T` in every thread.
pub struct Sym<T>(pub Id, PhantomData<T>);

impl<T> Clone for Sym<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Sym<T> {}

/// A predicate register.
#[derive(Clone, Copy)]
pub struct Mask(pub Id);

impl From<Mask> for Arg {
    fn from(mask: Mask) -> Arg {
        Arg::Value(mask.0)
    }
}

/// `f32` and `f64`, as PTX names them.
pub trait Real: Sized + 'static {
    /// The end of an opcode.
    const TYPE: &'static str;
    /// The registers.
    const CLASS: Class;
    /// A constant in the text, rounded to this type.
    fn literal(x: f64) -> Arg;
    /// Its bits.
    fn bits(x: f64) -> u64;
    /// The functions that are not instructions, by the names of [`Lane`]'s methods.
    fn function(name: Function, x: Sym<Self>) -> Sym<Self>;
    /// `f · e^(−x²/2)`.
    fn times_gaussian(f: Sym<Self>, x: Sym<Self>) -> Sym<Self>;
    /// `x` to the power `y`.
    fn power(x: Sym<Self>, y: Sym<Self>) -> Sym<Self>;
}

/// The functions of one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as Lane's methods are")]
pub enum Function {
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Sin,
    Cos,
    Tanh,
    Sigmoid,
    Erf,
    NormalTail,
}

impl Real for f32 {
    const TYPE: &'static str = "f32";
    const CLASS: Class = Class::F32;
    fn literal(x: f64) -> Arg {
        Arg::F32((x as f32).to_bits())
    }
    fn bits(x: f64) -> u64 {
        (x as f32).to_bits() as u64
    }
    fn function(name: Function, x: Sym<f32>) -> Sym<f32> {
        match name {
            Function::Exp => math::exp(x),
            Function::ExpM1 => math::exp_m1(x),
            Function::Ln => math::ln(x),
            Function::Ln1p => math::ln_1p(x),
            Function::Sin => bits::sin(x),
            Function::Cos => bits::cos(x),
            Function::Tanh => math::tanh(x),
            Function::Sigmoid => math::sigmoid(x),
            Function::Erf => math::erf(x),
            Function::NormalTail => math::normal_tail(x),
        }
    }
    fn times_gaussian(f: Sym<f32>, x: Sym<f32>) -> Sym<f32> {
        math::times_gaussian(f, x)
    }
    /// In f64, so that only the last step rounds.
    fn power(x: Sym<f32>, y: Sym<f32>) -> Sym<f32> {
        double::pow(x.widen(), y.widen()).narrow()
    }
}

impl Real for f64 {
    const TYPE: &'static str = "f64";
    const CLASS: Class = Class::F64;
    fn literal(x: f64) -> Arg {
        Arg::F64(x.to_bits())
    }
    fn bits(x: f64) -> u64 {
        x.to_bits()
    }
    fn function(name: Function, x: Sym<f64>) -> Sym<f64> {
        match name {
            Function::Exp => double::exp(x),
            Function::ExpM1 => double::exp_m1(x),
            Function::Ln => double::ln(x),
            Function::Ln1p => double::ln_1p(x),
            Function::Sin => double::sin(x),
            Function::Cos => double::cos(x),
            Function::Tanh => double::tanh(x),
            Function::Sigmoid => math::sigmoid_by(x, double::exp),
            Function::Erf => double::erf(x),
            Function::NormalTail => double::normal_tail(x),
        }
    }
    fn times_gaussian(f: Sym<f64>, x: Sym<f64>) -> Sym<f64> {
        double::times_gaussian(f, x)
    }
    fn power(x: Sym<f64>, y: Sym<f64>) -> Sym<f64> {
        double::pow(x, y)
    }
}

impl<T: Real> Sym<T> {
    /// The number in register `id`.
    pub fn new(id: Id) -> Self {
        Sym(id, PhantomData)
    }

    fn literal(x: f64) -> Self {
        Self::of("mov", &[T::literal(x)])
    }

    fn of(op: &'static str, args: &[Arg]) -> Self {
        Self::new(value(op, T::TYPE, T::CLASS, args))
    }

    /// The register as an operand.
    pub fn arg(self) -> Arg {
        Arg::Value(self.0)
    }

    fn compare(op: &'static str, a: Self, b: Self) -> Mask {
        Mask(value(op, T::TYPE, Class::Pred, &[a.arg(), b.arg()]))
    }

    fn function(self, name: Function) -> Self {
        fixed(|| T::function(name, self))
    }
}

impl Sym<f32> {
    /// The same number as f64.
    pub fn widen(self) -> Sym<f64> {
        Sym::new(value("cvt.f64", "f32", Class::F64, &[self.arg()]))
    }
}

impl Sym<f64> {
    /// Rounded to f32.
    pub fn narrow(self) -> Sym<f32> {
        Sym::new(value("cvt.rn.f32", "f64", Class::F32, &[self.arg()]))
    }
}

macro_rules! operator {
    ($($Trait:ident $method:ident $op:literal)*) => {$(
        impl<T: Real> $Trait for Sym<T> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self::of($op, &[self.arg(), other.arg()])
            }
        }
    )*};
}
operator!(Add add "add.rn" Sub sub "sub.rn" Mul mul "mul.rn" Div div "div.rn");

impl<T: Real> Neg for Sym<T> {
    type Output = Self;
    fn neg(self) -> Self {
        Self::of("neg", &[self.arg()])
    }
}

macro_rules! functions {
    ($($method:ident $name:ident)*) => {$(
        fn $method(self) -> Self {
            self.function(Function::$name)
        }
    )*};
}

impl<T: Real> Lane for Sym<T> {
    type Mask = Mask;

    fn splat(x: f64) -> Self {
        match constant(T::bits(x)) {
            Some(slot) => Self::of("ld.param", &[Arg::Slot(slot)]),
            None => Self::literal(x),
        }
    }
    fn zero() -> Self {
        Self::literal(0.0)
    }
    fn one() -> Self {
        Self::literal(1.0)
    }
    fn mul_add(self, b: Self, c: Self) -> Self {
        Self::of("fma.rn", &[self.arg(), b.arg(), c.arg()])
    }
    fn sqrt(self) -> Self {
        Self::of("sqrt.rn", &[self.arg()])
    }
    fn abs(self) -> Self {
        Self::of("abs", &[self.arg()])
    }
    fn floor(self) -> Self {
        let op = if T::CLASS == Class::F32 { "cvt.rmi.f32" } else { "cvt.rmi.f64" };
        Self::of(op, &[self.arg()])
    }
    fn round(self) -> Self {
        let op = if T::CLASS == Class::F32 { "cvt.rni.f32" } else { "cvt.rni.f64" };
        Self::of(op, &[self.arg()])
    }
    fn max(self, other: Self) -> Self {
        // not `max.NaN`, which orders the zeros
        Self::select(Self::or(self.gt(other), self.is_nan()), self, other)
    }
    fn min(self, other: Self) -> Self {
        Self::select(Self::or(self.lt(other), self.is_nan()), self, other)
    }
    fn lt(self, other: Self) -> Mask {
        Self::compare("setp.lt", self, other)
    }
    fn le(self, other: Self) -> Mask {
        Self::compare("setp.le", self, other)
    }
    fn eq(self, other: Self) -> Mask {
        Self::compare("setp.eq", self, other)
    }
    fn is_nan(self) -> Mask {
        Self::compare("setp.neu", self, self)
    }
    fn and(a: Mask, b: Mask) -> Mask {
        Mask(value("and", "pred", Class::Pred, &[a.into(), b.into()]))
    }
    fn or(a: Mask, b: Mask) -> Mask {
        Mask(value("or", "pred", Class::Pred, &[a.into(), b.into()]))
    }
    fn not(a: Mask) -> Mask {
        Mask(value("not", "pred", Class::Pred, &[a.into()]))
    }
    fn select(mask: Mask, a: Self, b: Self) -> Self {
        Self::of("selp", &[a.arg(), b.arg(), mask.into()])
    }
    functions!(exp Exp exp_m1 ExpM1 ln Ln ln_1p Ln1p sin Sin cos Cos tanh Tanh sigmoid Sigmoid erf Erf
        normal_tail NormalTail);
    fn times_gaussian(self, x: Self) -> Self {
        fixed(|| T::times_gaussian(self, x))
    }
    fn powf(self, y: Self) -> Self {
        fixed(|| T::power(self, y))
    }
}
