//! An n-dimensional array as it comes out of a file: a shape and the numbers in C order.

use byteorder::ByteOrder;
use cotangent_base::{Element, Error, MAX_RANK, Result};
use cotangent_core::Tensor;

/// The numbers of an [`Array`], of the type that the file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrayData {
    /// NumPy `|b1`.
    Bool(Vec<bool>),
    /// NumPy `|u1`, IDX 0x08.
    U8(Vec<u8>),
    /// NumPy `|i1`, IDX 0x09.
    I8(Vec<i8>),
    /// NumPy `i2`, IDX 0x0B.
    I16(Vec<i16>),
    /// NumPy `i4`, IDX 0x0C.
    I32(Vec<i32>),
    /// NumPy `i8`.
    I64(Vec<i64>),
    /// NumPy `u4`; `u2` is widened to it.
    U32(Vec<u32>),
    /// NumPy `f4`, IDX 0x0D; half precision (NumPy `f2`) and bfloat16 are widened to it.
    F32(Vec<f32>),
    /// NumPy `f8`, IDX 0x0E.
    F64(Vec<f64>),
}

/// A shape and as many numbers as it asks for, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Vec<usize>,
    data: ArrayData,
}

impl Array {
    /// `data` must hold as many numbers as `shape` asks for.
    pub(crate) fn new(shape: Vec<usize>, data: ArrayData) -> Self {
        Self { shape, data }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers in C order.
    pub fn data(&self) -> &ArrayData {
        &self.data
    }

    /// The shape and the numbers, without a copy.
    pub fn into_parts(self) -> (Vec<usize>, ArrayData) {
        (self.shape, self.data)
    }

    /// The array as a tensor; i8, i16 and i32 become i64, the other types stay.
    ///
    /// # Errors
    /// If it has more axes than a tensor can have.
    pub fn to_tensor(&self) -> Result<Tensor> {
        if self.shape.len() > MAX_RANK {
            let message = format!("an array of shape {:?} has more than {MAX_RANK} axes", self.shape);
            return Err(Error::new("to_tensor", message));
        }
        Ok(match &self.data {
            ArrayData::Bool(x) => self.tensor(x),
            ArrayData::U8(x) => self.tensor(x),
            ArrayData::I8(x) => self.tensor(&widened(x)),
            ArrayData::I16(x) => self.tensor(&widened(x)),
            ArrayData::I32(x) => self.tensor(&widened(x)),
            ArrayData::I64(x) => self.tensor(x),
            ArrayData::U32(x) => self.tensor(x),
            ArrayData::F32(x) => self.tensor(x),
            ArrayData::F64(x) => self.tensor(x),
        })
    }

    fn tensor<T: Element>(&self, values: &[T]) -> Tensor {
        Tensor::from_slice(values, self.shape.as_slice())
    }
}

fn widened<T: Copy + Into<i64>>(values: &[T]) -> Vec<i64> {
    values.iter().map(|&value| value.into()).collect()
}

/// The type of one number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    U8,
    I8,
    I16,
    I32,
    I64,
    U16,
    U32,
    F16,
    Bf16,
    F32,
    F64,
}

impl Kind {
    /// The size of one number in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Kind::Bool | Kind::U8 | Kind::I8 => 1,
            Kind::I16 | Kind::U16 | Kind::F16 | Kind::Bf16 => 2,
            Kind::I32 | Kind::U32 | Kind::F32 => 4,
            Kind::I64 | Kind::F64 => 8,
        }
    }

    /// The numbers in `bytes`, whose length is a multiple of [`Kind::bytes`].
    pub fn decode<B: ByteOrder>(self, bytes: Vec<u8>) -> ArrayData {
        let n = bytes.len() / self.bytes();
        match self {
            Kind::Bool => ArrayData::Bool(bytes.into_iter().map(|b| b != 0).collect()),
            Kind::U8 => ArrayData::U8(bytes),
            Kind::I8 => ArrayData::I8(bytes.into_iter().map(|b| b as i8).collect()),
            Kind::I16 => ArrayData::I16(filled(n, |to| B::read_i16_into(&bytes, to))),
            Kind::I32 => ArrayData::I32(filled(n, |to| B::read_i32_into(&bytes, to))),
            Kind::I64 => ArrayData::I64(filled(n, |to| B::read_i64_into(&bytes, to))),
            Kind::U16 => ArrayData::U32(halves::<B>(&bytes).map(u32::from).collect()),
            Kind::U32 => ArrayData::U32(filled(n, |to| B::read_u32_into(&bytes, to))),
            Kind::F16 => ArrayData::F32(halves::<B>(&bytes).map(f16_to_f32).collect()),
            Kind::Bf16 => ArrayData::F32(halves::<B>(&bytes).map(bf16_to_f32).collect()),
            Kind::F32 => ArrayData::F32(filled(n, |to| B::read_f32_into(&bytes, to))),
            Kind::F64 => ArrayData::F64(filled(n, |to| B::read_f64_into(&bytes, to))),
        }
    }
}

fn filled<T: Copy + Default>(n: usize, fill: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut values = vec![T::default(); n];
    fill(&mut values);
    values
}

fn halves<B: ByteOrder>(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(B::read_u16)
}

/// The number that an IEEE 754 binary16 stands for: 1 sign bit, 5 of the exponent, 10 of the fraction.
fn f16_to_f32(bits: u16) -> f32 {
    let (exponent, fraction) = ((bits >> 10) & 31, (bits & 1023) as f32);
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1024.0 + fraction) * 2f32.powi(e as i32 - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The number that a bfloat16 stands for: the upper half of an f32.
fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}
