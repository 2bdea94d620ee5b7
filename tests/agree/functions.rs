//! Pointwise functions in f32: their error in units in the last place, over inputs from every binade.
//!
//! `COTANGENT_EXHAUSTIVE=1 cargo test --release --test agree functions` takes all 2³² inputs.

use cotangent::Lane;
use cotangent::Tensor;
use cotangent::gradcheck::compare::ulps_f32;
use rayon::prelude::*;

/// A function, its value in f64, and the greatest error in ulp.
struct Function {
    name: &'static str,
    f: fn(&Tensor) -> Tensor,
    exact: fn(f64) -> f64,
    bound: f64,
}

const fn function(name: &'static str, f: fn(&Tensor) -> Tensor, exact: fn(f64) -> f64, bound: f64) -> Function {
    Function { name, f, exact, bound }
}

const FUNCTIONS: [Function; 12] = [
    function("exp", Tensor::exp, f64::exp, 1.0),
    function("ln", Tensor::ln, f64::ln, 1.0),
    function("sqrt", Tensor::sqrt, f64::sqrt, 0.5),
    function("recip", Tensor::recip, f64::recip, 0.5),
    function("sigmoid", Tensor::sigmoid, Lane::sigmoid, 3.0),
    function("tanh", Tensor::tanh, f64::tanh, 3.0),
    function("erf", Tensor::erf, Lane::erf, 4.0),
    function("exp_m1", Tensor::exp_m1, f64::exp_m1, 2.0),
    function("ln_1p", Tensor::ln_1p, f64::ln_1p, 2.0),
    function("sin", Tensor::sin, f64::sin, 2.0),
    function("cos", Tensor::cos, f64::cos, 2.0),
    function("softplus", Tensor::softplus, |x| if x > 40.0 { x } else { x.exp().ln_1p() }, 4.0),
];

/// Inputs are taken in chunks of 2¹⁶: those that share their upper 16 bits.
fn worst(function: &Function, upper: u32, step: usize) -> (f64, f32) {
    let salt = (upper.wrapping_mul(2_654_435_761) >> 16) as usize % step;
    let inputs: Vec<f32> = (salt..1 << 16).step_by(step).map(|low| f32::from_bits(upper << 16 | low as u32)).collect();
    let y = (function.f)(&Tensor::from_slice(&inputs, [inputs.len()])).to_vec::<f32>();
    let errors = inputs.iter().zip(y).map(|(&x, y)| (ulps_f32(y, (function.exact)(x as f64)), x));
    errors.fold((0.0, 0.0), |worst, (error, x)| if error <= worst.0 { worst } else { (error, x) })
}

#[test]
fn functions_are_within_their_bounds() {
    // 2¹⁶ chunks of 2⁶ inputs, or of all 2¹⁶
    let step = if std::env::var_os("COTANGENT_EXHAUSTIVE").is_some() { 1 } else { 1 << 10 };
    for function in &FUNCTIONS {
        let chunks = (0..1u32 << 16).into_par_iter().map(|upper| worst(function, upper, step));
        let (error, at) = chunks.reduce(|| (0.0, 0.0), |a, b| if b.0 <= a.0 { a } else { b });
        assert!(error <= function.bound, "{} is {error:.2} ulp off at {at:e}", function.name);
    }
}

#[test]
fn gelu_is_near_its_definition() {
    // left of 0 the definition itself cancels, so the bound is in units of the greater of |y| and 2⁻⁴·|x|
    for i in 0..200_000 {
        let x = (i as f64 / 100_000.0 - 1.0) * 12.0;
        let x = x as f32;
        let y = Tensor::from([x]).gelu().to_vec::<f32>()[0] as f64;
        let want = 0.5 * x as f64 * (1.0 + Lane::erf(x as f64 / std::f64::consts::SQRT_2));
        let unit = f32::EPSILON as f64 * want.abs().max(x.abs() as f64 / 2.0);
        assert!((y - want).abs() <= 4.0 * unit, "gelu of {x:e} is {y:e}, wants {want:e}");
    }
}
