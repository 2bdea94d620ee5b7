//! Values of pointwise ops: against the standard library, at the edges, on integers, and where there is none.

use crate::support::{close, numbers, sample};
use cotangent_core::{DType, Tensor};

const INF: f64 = f64::INFINITY;

type Unary = (&'static str, fn(&Tensor) -> Tensor, fn(f64) -> f64);

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    0.5 * (1.0 + (0.5 * x).tanh())
}

fn unary() -> Vec<Unary> {
    vec![
        ("abs", |x| x.abs(), f64::abs),
        ("ceil", |x| x.ceil(), f64::ceil),
        ("clamp", |x| x.clamp(-0.5, 1.0), |x| x.clamp(-0.5, 1.0)),
        ("cos", |x| x.cos(), f64::cos),
        ("elu", |x| x.elu(2.0), |x| if x > 0.0 { x } else { 2.0 * x.exp_m1() }),
        ("exp", |x| x.exp(), f64::exp),
        ("exp_m1", |x| x.exp_m1(), f64::exp_m1),
        ("floor", |x| x.floor(), f64::floor),
        (
            "gelu_tanh",
            |x| x.gelu_tanh(),
            |x| 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044715 * x.powi(3))).tanh()),
        ),
        ("hard_sigmoid", |x| x.hard_sigmoid(), |x| ((x + 3.0) / 6.0).clamp(0.0, 1.0)),
        ("leaky_relu", |x| x.leaky_relu(0.1), |x| if x > 0.0 { x } else { 0.1 * x }),
        ("ln", |x| x.abs().ln(), |x| x.abs().ln()),
        ("ln_1p", |x| x.abs().ln_1p(), |x| x.abs().ln_1p()),
        ("mish", |x| x.mish(), |x| x * softplus(x).tanh()),
        ("neg", |x| x.neg(), |x| -x),
        ("powf", |x| x.powf(3.0), |x| x.powi(3)),
        ("recip", |x| x.recip(), f64::recip),
        ("relu", |x| x.relu(), |x| x.max(0.0)),
        ("round", |x| x.round(), f64::round_ties_even),
        ("rsqrt", |x| x.abs().rsqrt(), |x| 1.0 / x.abs().sqrt()),
        ("selu", |x| x.selu(), |x| 1.0507009873554805 * if x > 0.0 { x } else { 1.6732632423543772 * x.exp_m1() }),
        ("sigmoid", |x| x.sigmoid(), sigmoid),
        ("sign", |x| x.sign(), f64::signum),
        ("silu", |x| x.silu(), |x| x * sigmoid(x)),
        ("sin", |x| x.sin(), f64::sin),
        ("softplus", |x| x.softplus(), softplus),
        ("softsign", |x| x.softsign(), |x| x / (1.0 + x.abs())),
        ("sqrt", |x| x.abs().sqrt(), |x| x.abs().sqrt()),
        ("square", |x| x.square(), |x| x * x),
        ("tanh", |x| x.tanh(), f64::tanh),
    ]
}

#[test]
fn values_are_the_formulas() {
    let x = sample([67], -4.0, 4.0);
    for (name, f, formula) in unary() {
        let want: Vec<f64> = numbers(&x).into_iter().map(formula).collect();
        close(&numbers(&f(&x)), &want, 1e-13, name);
        close(&numbers(&f(&x.cast(DType::F32))), &want, 3e-5, name);
    }
}

#[test]
fn erf_and_gelu_have_their_known_values() {
    let x = Tensor::from([0.5_f64, 1.0, -2.5]);
    close(&numbers(&x.erf()), &[0.5204998778130465, 0.8427007929497149, -0.999593047982555], 1e-14, "erf");
    // x·Φ(x), Φ from a table of the normal distribution
    let x = Tensor::from([1.0_f64, -1.0, 2.0]);
    close(&numbers(&x.gelu()), &[0.8413447460685429, -0.15865525393145707, 1.9544997361036416], 1e-14, "gelu");
}

#[test]
fn nan_is_not_lost() {
    for (name, f, _) in unary() {
        let y = f(&Tensor::from([f64::NAN, 1.0]));
        assert_eq!(y.is_nan().to_vec::<bool>(), [true, false], "{name}");
    }
    let (nan, one) = (Tensor::from([f64::NAN]), Tensor::from([1.0]));
    for y in [nan.maximum(&one), one.maximum(&nan), nan.minimum(&one), one.minimum(&nan)] {
        assert!(y.item().is_nan());
    }
}

/// Name, op, and value and derivative at −10⁴ and 10⁴.
type Limits = (&'static str, fn(&Tensor) -> Tensor, [f64; 2], [f64; 2]);

/// Far out, where eˣ overflows, values and derivatives are the limits.
#[test]
fn large_numbers_reach_the_limits() {
    let far: [Limits; 11] = [
        ("elu", |x| x.elu(1.0), [-1.0, 1e4], [0.0, 1.0]),
        ("gelu", |x| x.gelu(), [0.0, 1e4], [0.0, 1.0]),
        ("gelu_tanh", |x| x.gelu_tanh(), [0.0, 1e4], [0.0, 1.0]),
        ("hard_sigmoid", |x| x.hard_sigmoid(), [0.0, 1.0], [0.0, 0.0]),
        ("mish", |x| x.mish(), [0.0, 1e4], [0.0, 1.0]),
        ("selu", |x| x.selu() / 1.0507009873554805, [-1.6732632423543772, 1e4], [0.0, 1.0]),
        ("sigmoid", |x| x.sigmoid(), [0.0, 1.0], [0.0, 0.0]),
        ("silu", |x| x.silu(), [0.0, 1e4], [0.0, 1.0]),
        ("softplus", |x| x.softplus(), [0.0, 1e4], [0.0, 1.0]),
        ("tanh", |x| x.tanh(), [-1.0, 1.0], [0.0, 0.0]),
        ("erf", |x| x.erf(), [-1.0, 1.0], [0.0, 0.0]),
    ];
    for dtype in [DType::F32, DType::F64] {
        for (name, f, value, derivative) in far {
            let x = Tensor::from([-1e4, 1e4]).cast(dtype).tracked();
            let y = f(&x);
            close(&numbers(&y), &value, 1e-6, name);
            close(&numbers(y.sum(..).backward().wrt(&x)), &derivative, 1e-6, name);
        }
        let x = Tensor::from([-1e30, 1e30]).cast(dtype).tracked();
        close(&numbers(x.gelu_tanh().sum(..).backward().wrt(&x)), &[0.0, 1.0], 0.0, "gelu_tanh");
    }
}

#[test]
fn derivatives_at_kinks_are_the_documented_ones() {
    let at = |x: f64, f: fn(&Tensor) -> Tensor| {
        let x = Tensor::from([x]).tracked();
        f(&x).sum(..).backward().wrt(&x).item()
    };
    assert_eq!(at(0.0, |x| x.relu()), 0.0);
    assert_eq!(at(0.0, |x| x.abs()), 0.0);
    assert_eq!(at(0.0, |x| x.leaky_relu(0.25)), 0.25);
    assert_eq!(at(0.0, |x| x.elu(0.5)), 0.5);
    assert_eq!((at(-3.0, |x| x.hard_sigmoid()), at(3.0, |x| x.hard_sigmoid())), (0.0, 0.0));
    assert_eq!((at(2.0, |x| x.clamp(2.0, 5.0)), at(5.0, |x| x.clamp(2.0, 5.0))), (1.0, 1.0));
    assert_eq!(at(0.0, |x| x.powf(0.0)), 0.0);
    assert_eq!(at(0.0, |x| x.powf(1.0)), 1.0);
    assert_eq!(at(0.0, |x| x.sqrt()), INF);
    assert_eq!(at(3.0, |x| x.maximum(3.0)), 0.5);
    assert_eq!(at(3.0, |x| x.minimum(3.0)), 0.5);
    assert_eq!(at(2.0, |x| x.pow(&Tensor::from([0.0]))), 0.0);
}

#[test]
fn pow_at_zero_has_finite_derivatives() {
    let (a, b) = (Tensor::from([0.0, 0.0, 2.0]).tracked(), Tensor::from([0.0, 2.0, 3.0]).tracked());
    let y = a.pow(&b);
    assert_eq!(numbers(&y), [1.0, 0.0, 8.0]);
    let grads = y.sum(..).backward();
    assert_eq!(numbers(grads.wrt(&a)), [0.0, 0.0, 12.0]);
    close(&numbers(grads.wrt(&b)), &[0.0, 0.0, 8.0 * 2.0_f64.ln()], 1e-14, "db");
}

#[test]
fn rounding_goes_as_its_names_say() {
    let x = Tensor::from([-1.5_f32, -0.5, 0.5, 1.5, 2.5, 2.4]);
    assert_eq!(numbers(&x.round()), [-2.0, 0.0, 0.0, 2.0, 2.0, 2.0]);
    assert_eq!(numbers(&x.floor()), [-2.0, -1.0, 0.0, 1.0, 2.0, 2.0]);
    assert_eq!(numbers(&x.ceil()), [-1.0, 0.0, 1.0, 2.0, 3.0, 3.0]);
    assert_eq!(numbers(&Tensor::from([-3.0_f32, 0.0, 5.0]).sign()), [-1.0, 0.0, 1.0]);
}

#[test]
fn questions_about_elements() {
    let x = Tensor::from([1.0_f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
    assert_eq!(x.is_nan().to_vec::<bool>(), [false, true, false, false]);
    assert_eq!(x.is_finite().to_vec::<bool>(), [true, false, false, false]);
    assert_eq!(Tensor::from([3_i64]).is_finite().to_vec::<bool>(), [true]);
}

#[test]
fn integers_compute_as_integers() {
    let (a, b) = (Tensor::from([7_i64, -7, 5]), Tensor::from([2_i64, 2, 0]));
    assert_eq!((&a + &b).to_vec::<i64>(), [9, -5, 5]);
    assert_eq!((&a / &b).to_vec::<i64>(), [3, -3, 0]);
    assert_eq!(a.maximum(&b).to_vec::<i64>(), [7, 2, 5]);
    assert_eq!((-&a).to_vec::<i64>(), [-7, 7, -5]);
    assert_eq!((10.0 - &a).to_vec::<i64>(), [3, 17, 5]);
    assert_eq!((Tensor::from([200_u8]) + Tensor::from([100_u8])).to_vec::<u8>(), [44]);
    assert_eq!((Tensor::from([3_u32]) - 1.0).to_vec::<u32>(), [2]);
}

#[test]
fn comparisons_take_tensors_and_numbers() {
    let x = Tensor::from([1.0_f32, 2.0, f32::NAN]);
    assert_eq!(x.gt(1.0).to_vec::<bool>(), [false, true, false]);
    assert_eq!(x.ge(1.0).to_vec::<bool>(), [true, true, false]);
    assert_eq!(x.lt(2.0).to_vec::<bool>(), [true, false, false]);
    assert_eq!(x.le(&Tensor::from([[1.0_f32], [2.0]])).to_vec::<bool>(), [true, false, false, true, true, false]);
    assert_eq!(x.eq(&x).to_vec::<bool>(), [true, true, false]);
    assert_eq!(x.ne(2.0).to_vec::<bool>(), [true, false, true]);
    assert_eq!(Tensor::from([1_i64, 2]).eq(2.0).to_vec::<bool>(), [false, true]);
}

#[test]
fn bools_combine() {
    let (a, b) = (Tensor::from([true, true, false, false]), Tensor::from([true, false, true, false]));
    assert_eq!((&a & &b).to_vec::<bool>(), [true, false, false, false]);
    assert_eq!((&a | &b).to_vec::<bool>(), [true, true, true, false]);
    assert_eq!((!&a).to_vec::<bool>(), [false, false, true, true]);
    assert_eq!(a.and(&Tensor::from([[true], [false]])).shape().to_vec(), [2, 4]);
    let grid = Tensor::from([[true, false], [true, true]]);
    assert_eq!(grid.all(0).to_vec::<bool>(), [true, false]);
    assert_eq!(grid.any(0).to_vec::<bool>(), [true, true]);
    let nothing = Tensor::zeros([0, 2]).gt(0.0);
    assert_eq!(nothing.all(0).to_vec::<bool>(), [true, true]);
    assert_eq!(nothing.any(0).to_vec::<bool>(), [false, false]);
}

#[test]
fn where_broadcasts_all_three() {
    let mask = Tensor::from([[true], [false]]);
    let y = mask.where_(&Tensor::from([1_i64, 2]), &Tensor::from([9_i64]));
    assert_eq!(y.to_vec::<i64>(), [1, 2, 9, 9]);
}

#[test]
fn a_cotangent_passes_a_cast_between_floats() {
    let x = Tensor::from([1.5_f64, 2.5]).tracked();
    let grads = x.cast(DType::F32).square().sum(..).backward();
    assert_eq!(grads.wrt(&x).to_vec::<f64>(), [3.0, 5.0]);
}
