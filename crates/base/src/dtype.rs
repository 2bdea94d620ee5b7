//! [`DType`], the run-time name of an element type, and the traits [`Element`] and [`Float`].

use std::fmt;

/// What a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit float: the type to train in.
    F32,
    /// 64-bit float: the type to check gradients in.
    F64,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 64-bit integer: labels and indices.
    I64,
    /// Byte: pixels.
    U8,
    /// Truth value, one byte.
    Bool,
}

impl DType {
    /// All of them.
    pub const ALL: [DType; 6] = [DType::F32, DType::F64, DType::U32, DType::I64, DType::U8, DType::Bool];

    /// The size of one element in bytes.
    pub fn bytes(self) -> usize {
        match self {
            DType::F32 | DType::U32 => 4,
            DType::F64 | DType::I64 => 8,
            DType::U8 | DType::Bool => 1,
        }
    }

    /// Whether it is `F32` or `F64`, the types that have gradients.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            DType::F32 => "f32",
            DType::F64 => "f64",
            DType::U32 => "u32",
            DType::I64 => "i64",
            DType::U8 => "u8",
            DType::Bool => "bool",
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be a tensor's element. Sealed: one for each [`DType`].
///
/// Casts go as Rust's `as`: float to integer truncates and saturates, NaN becomes 0; to `bool` is `x != 0`.
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + Send + Sync + fmt::Debug + 'static
{
    /// Its run-time name.
    const DTYPE: DType;
    /// From a float, as `as` does.
    fn from_f64(x: f64) -> Self;
    /// To a float, exactly but for `i64` beyond 2⁵³.
    fn to_f64(self) -> f64;
    /// From an integer, wrapping or rounding as `as` does.
    fn from_i64(x: i64) -> Self;
    /// To an integer, as `as` does.
    fn to_i64(self) -> i64;
}

macro_rules! element {
    ($($t:ty: $d:ident),*) => {$(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$d;
            #[inline(always)]
            fn from_f64(x: f64) -> Self { x as $t }
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn from_i64(x: i64) -> Self { x as $t }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
        }
    )*};
}
element!(f32: F32, f64: F64, u32: U32, i64: I64, u8: U8);

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: DType = DType::Bool;
    fn from_f64(x: f64) -> Self {
        x != 0.0
    }
    fn to_f64(self) -> f64 {
        self as u8 as f64
    }
    fn from_i64(x: i64) -> Self {
        x != 0
    }
    fn to_i64(self) -> i64 {
        self as i64
    }
}

/// `f32` and `f64`: the elements that kernels compute with and that have gradients.
pub trait Float: Element + crate::Lane {
    /// The unit roundoff u: half the distance from 1 to the next number.
    const UNIT_ROUNDOFF: f64;
}

impl Float for f32 {
    const UNIT_ROUNDOFF: f64 = 5.960464477539063e-8;
}
impl Float for f64 {
    const UNIT_ROUNDOFF: f64 = 1.1102230246251565e-16;
}
