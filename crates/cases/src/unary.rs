//! Pointwise ops of one operand.

use crate::{NONZERO, Op, POLE, POSITIVE, UNIT, unary};
use cotangent_core::Tensor;
use cotangent_core::ops::*;
use cotangent_gradcheck::sample::Domain;

/// [-3, 3), away from 0.
const BENT_AT_ZERO: Domain = Domain::Away(-3.0, 3.0, &[0.0]);
/// [-4, 4): both tails of a sigmoid.
const WIDE: Domain = Domain::Range(-4.0, 4.0);

pub fn ops() -> Vec<Op> {
    vec![
        unary(Abs, Tensor::abs, BENT_AT_ZERO),
        unary(AddScalar(1.5), |x| x.add_scalar(1.5), UNIT),
        unary(Clamp { low: -0.5, high: 0.75 }, |x| x.clamp(-0.5, 0.75), Domain::Away(-1.0, 1.0, &[-0.5, 0.75])),
        unary(Cos, Tensor::cos, WIDE),
        unary(DivScalar(-3.0), |x| x.div_scalar(-3.0), UNIT),
        unary(Elu(1.5), |x| x.elu(1.5), BENT_AT_ZERO),
        unary(Erf, Tensor::erf, Domain::Range(-2.0, 2.0)),
        unary(Exp, Tensor::exp, UNIT),
        unary(ExpM1, Tensor::exp_m1, UNIT),
        unary(Gelu, Tensor::gelu, WIDE),
        unary(GeluTanh, Tensor::gelu_tanh, WIDE),
        unary(HardSigmoid, Tensor::hard_sigmoid, Domain::Away(-4.0, 4.0, &[-3.0, 3.0])),
        unary(LeakyRelu(0.2), |x| x.leaky_relu(0.2), BENT_AT_ZERO),
        unary(Ln, Tensor::ln, POSITIVE),
        unary(Ln1p, Tensor::ln_1p, Domain::Range(-0.6, 2.0)),
        unary(Mish, Tensor::mish, WIDE),
        unary(Powf(2.5), |x| x.powf(2.5), POSITIVE),
        unary(Powf(3.0), |x| x.powf(3.0), NONZERO),
        unary(Powf(-1.5), |x| x.powf(-1.5), POSITIVE),
        unary(Recip, Tensor::recip, POLE),
        unary(Relu, Tensor::relu, BENT_AT_ZERO),
        unary(Rsqrt, Tensor::rsqrt, POSITIVE),
        unary(Scale(-2.5), |x| x.scale(-2.5), UNIT),
        unary(Selu, Tensor::selu, BENT_AT_ZERO),
        unary(Sigmoid, Tensor::sigmoid, WIDE),
        unary(Silu, Tensor::silu, WIDE),
        unary(Sin, Tensor::sin, WIDE),
        unary(Softplus, Tensor::softplus, WIDE),
        unary(Softsign, Tensor::softsign, BENT_AT_ZERO),
        unary(Sqrt, Tensor::sqrt, POSITIVE),
        unary(Square, Tensor::square, UNIT),
        unary(Tanh, Tensor::tanh, Domain::Range(-2.0, 2.0)),
    ]
}
