//! [`MatmulPrecision`]: how exactly products are computed.

use std::fmt;

/// How exactly a device multiplies f32 matrices and convolves f32 images. Tensors stay f32 in any of these, weights and the
/// state of optimizers included, and so do sums and everything that is no product; f64 is not touched.
///
/// | | operands | relative error of a product of two numbers |
/// | --- | --- | --- |
/// | `Fp32` | 24 bits | 2⁻²⁴; on tensor cores, by three products of TF32, 2⁻²¹ |
/// | `Tf32` | rounded to 11 bits | 2⁻¹⁰ |
/// | `Bf16` | rounded to 8 bits | 2⁻⁷ |
///
/// All have the range of f32: a gradient of 10⁻³⁰ is no zero in any of them. So no loss has to be scaled, as it has for
/// fp16, whose least number is 6·10⁻⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatmulPrecision {
    /// As IEEE 754's single precision, or near it.
    #[default]
    Fp32,
    /// Operands rounded to TF32: 8 bits of exponent, 10 behind the point.
    Tf32,
    /// Operands rounded to bf16: 8 bits of exponent, 7 behind the point.
    Bf16,
}

impl fmt::Display for MatmulPrecision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            MatmulPrecision::Fp32 => "fp32",
            MatmulPrecision::Tf32 => "tf32",
            MatmulPrecision::Bf16 => "bf16",
        })
    }
}
