//! Pointwise ops.

use super::{Case, case};
use crate::support::sample;
use cotangent_core::Tensor;

/// Both signs, never nearer to 0 than 0.2.
fn signed() -> Tensor {
    let x = sample([3, 5], -2.4, 2.4);
    let far = x.abs().ge(0.2);
    far.where_(&x, &x.zeros_like().add_scalar(0.7))
}

fn positive() -> Tensor {
    sample([3, 5], 0.3, 3.0)
}

pub fn cases() -> Vec<Case> {
    let mut all = unary();
    all.extend(binary());
    all
}

fn unary() -> Vec<Case> {
    vec![
        case("abs", [signed()], |x| x[0].abs()),
        case("add_scalar", [signed()], |x| &x[0] + 2.5),
        case("clamp", [signed()], |x| x[0].clamp(-1.01, 1.23)),
        case("cos", [signed()], |x| x[0].cos()),
        case("div_scalar", [signed()], |x| &x[0] / 3.0),
        case("elu", [signed()], |x| x[0].elu(0.8)),
        case("erf", [signed()], |x| x[0].erf()),
        case("exp", [signed()], |x| x[0].exp()),
        case("exp_m1", [signed()], |x| x[0].exp_m1()),
        case("gelu", [signed()], |x| x[0].gelu()),
        case("gelu_tanh", [signed()], |x| x[0].gelu_tanh()),
        case("hard_sigmoid", [&signed() * 2.03], |x| x[0].hard_sigmoid()),
        case("leaky_relu", [signed()], |x| x[0].leaky_relu(0.2)),
        case("ln", [positive()], |x| x[0].ln()),
        case("ln_1p", [positive()], |x| x[0].ln_1p()),
        case("mish", [signed()], |x| x[0].mish()),
        case("neg", [signed()], |x| -&x[0]),
        case("powf with a fraction", [positive()], |x| x[0].powf(1.7)),
        case("powf with a whole number", [signed()], |x| x[0].powf(3.0)),
        case("powf with 0", [signed()], |x| x[0].powf(0.0)),
        case("recip", [signed()], |x| x[0].recip()),
        case("relu", [signed()], |x| x[0].relu()),
        case("rsqrt", [positive()], |x| x[0].rsqrt()),
        case("scale", [signed()], |x| &x[0] * -1.5),
        case("selu", [signed()], |x| x[0].selu()),
        case("sigmoid", [signed()], |x| x[0].sigmoid()),
        case("silu", [signed()], |x| x[0].silu()),
        case("sin", [signed()], |x| x[0].sin()),
        case("softplus", [signed()], |x| x[0].softplus()),
        case("softsign", [signed()], |x| x[0].softsign()),
        case("sqrt", [positive()], |x| x[0].sqrt()),
        case("square", [signed()], |x| x[0].square()),
        case("tanh", [signed()], |x| x[0].tanh()),
    ]
}

fn binary() -> Vec<Case> {
    // the second operand broadcasts, and is never within 0.01 of the first
    let b = || sample([5], 0.4, 2.0);
    vec![
        case("add", [signed(), b()], |x| &x[0] + &x[1]),
        case("sub", [signed(), b()], |x| &x[0] - &x[1]),
        case("mul", [signed(), b()], |x| &x[0] * &x[1]),
        case("mul by itself", [signed()], |x| &x[0] * &x[0]),
        case("div", [signed(), b()], |x| &x[0] / &x[1]),
        case("number minus tensor", [signed()], |x| 1.5 - &x[0]),
        case("number by tensor", [signed()], |x| 1.5 / &x[0]),
        case("maximum", [signed(), b()], |x| x[0].maximum(&x[1])),
        case("minimum", [signed(), b()], |x| x[0].minimum(&x[1])),
        case("pow", [positive(), signed().slice(0, 0..1)], |x| x[0].pow(&x[1])),
        case("where", [signed(), b()], |x| x[0].detach().gt(0.3).where_(&x[0], &x[1])),
    ]
}
