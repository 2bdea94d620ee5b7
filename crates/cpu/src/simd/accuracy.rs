//! The error bounds of the f32 functions, at every level.

use super::*;

/// A function of a lane, by name; its value in f64; its bound in units in the last place, of its value or of the terms
/// that cancel in it.
struct Function {
    name: &'static str,
    exact: fn(f64) -> f64,
    size: fn(f64) -> f64,
    bound: f64,
}

const fn function(name: &'static str, exact: fn(f64) -> f64, bound: f64) -> Function {
    Function { name, exact, size: exact, bound }
}

/// The terms of gelu's slope: Φ(x) and |x|·φ(x).
fn slope_terms(x: f64) -> f64 {
    let a = x.abs();
    if x > 0.0 { 1.0 } else { (a.normal_tail() + 0.398_942_280_401_432_7 * a).times_gaussian(a) }
}

const FUNCTIONS: [Function; 13] = [
    function("exp", f64::exp, 1.0),
    function("ln", f64::ln, 1.0),
    function("exp_m1", f64::exp_m1, 2.0),
    function("ln_1p", f64::ln_1p, 2.0),
    function("sin", f64::sin, 2.0),
    function("cos", f64::cos, 2.0),
    function("tanh", f64::tanh, 3.0),
    function("sigmoid", Lane::sigmoid, 3.0),
    function("erf", Lane::erf, 4.0),
    function("normal_tail", |x| Lane::normal_tail(x.abs()), 3.0),
    function("gaussian", |x| 1f64.times_gaussian(x), 2.0),
    function("gelu", Lane::gelu, 4.0),
    Function { size: slope_terms, ..function("gelu_slope", Lane::gelu_slope, 4.0) },
];

/// The values of one function at all inputs.
struct Evaluate<'a> {
    name: &'static str,
    inputs: &'a [f32],
}

impl Kernel<f32> for Evaluate<'_> {
    type Output = Vec<f32>;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> Vec<f32> {
        let mut out = vec![0.0; self.inputs.len()];
        macro_rules! each {
            ($f:expr) => {
                for (x, y) in self.inputs.chunks(16).zip(out.chunks_mut(16)) {
                    for at in (0..16).step_by(V::WIDTH) {
                        // SAFETY: both chunks hold 16 numbers.
                        unsafe { $f(V::load(x.as_ptr().add(at))).store(y.as_mut_ptr().add(at)) };
                    }
                }
            };
        }
        macro_rules! by_name {
            ($($name:ident)*) => { match self.name {
                $(stringify!($name) => each!(|x: V| x.$name()),)*
                "normal_tail" => each!(|x: V| x.abs().normal_tail()),
                "gaussian" => each!(|x: V| V::one().times_gaussian(x)),
                other => panic!("no function {other}"),
            }};
        }
        by_name!(exp exp_m1 ln ln_1p sin cos tanh sigmoid erf gelu gelu_slope);
        out
    }
}

/// The distance between neighbours of f32 at `x`.
fn ulp(x: f64) -> f64 {
    let exponent = (x.abs().max(f32::MIN_POSITIVE as f64).to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent - 23)
}

/// 2¹⁸ inputs: every exponent and sign evenly, and the range where functions bend twice as densely again. And the ends of
/// gelu's pieces, with their neighbours.
fn inputs(salt: u32) -> Vec<f32> {
    let scramble = |i: u32| i.wrapping_mul(2_654_435_761).rotate_left(15) ^ salt.wrapping_mul(40_503);
    let strata = (0..1u32 << 17).map(|i| f32::from_bits((i << 15) | (scramble(i) & 0x7fff)));
    let dense = (0..1u32 << 17).map(|i| ((i as f32 + (scramble(i) & 0xff) as f32 / 256.0) / 65536.0 - 1.0) * 110.0);
    let ends = (1..=64).flat_map(|i| {
        [-1, 0, 1].map(|by| f32::from_bits((i as f32 * (11.0 / 128.0)).to_bits().wrapping_add_signed(by)))
    });
    let ends = ends.flat_map(|end| [end, -end]);
    strata.chain(dense).chain(ends).collect()
}

fn check(function: &Function, level: &str, inputs: &[f32], got: &[f32]) {
    let mut worst = (0.0, 0.0);
    for (&x, &got) in inputs.iter().zip(got) {
        let want = (function.exact)(x as f64);
        // what is no number, or rounds to ∞ or 0, is of that class exactly
        if !(want as f32).is_finite() || x.is_nan() {
            let same = (want as f32).to_bits() == got.to_bits() || (want.is_nan() && got.is_nan());
            let edge = got == f32::MAX.copysign(want as f32) && want.is_finite();
            assert!(same || edge, "{} of {x:e} at {level}: {got:e} wants {want:e}", function.name);
            continue;
        }
        let error = (got as f64 - want).abs() / ulp((function.size)(x as f64));
        if !(error <= worst.1) {
            worst = (x, error);
        }
    }
    println!("{} at {level}: {:.3} ulp, at {:e}", function.name, worst.1, worst.0);
    if !(worst.1 <= function.bound) {
        panic!("{} of {:e} at {level} errs by {} ulp", function.name, worst.0, worst.1);
    }
}

/// With `COTANGENT_SWEEP=all`, or a function's name, every number that matters, in minutes:
/// `COTANGENT_SWEEP=gelu cargo test --release -p cotangent-cpu error_bounds -- --nocapture`.
#[test]
fn functions_keep_their_error_bounds_at_every_level() {
    if let Ok(wanted) = std::env::var("COTANGENT_SWEEP") {
        check_every_number(&wanted);
    }
    for (salt, function) in FUNCTIONS.iter().enumerate() {
        let inputs = inputs(salt as u32);
        let name = function.name;
        for level in Level::available() {
            check(function, level.name(), &inputs, &run_widest_at(level, Evaluate { name, inputs: &inputs }));
        }
        check(function, "one", &inputs, &Evaluate { name, inputs: &inputs }.run::<f32>());
    }
}

#[test]
fn a_value_does_not_depend_on_its_place_in_the_register() {
    let inputs: Vec<f32> = (0..256).map(|i| i as f32 * 0.37 - 40.0).collect();
    for level in Level::available() {
        for Function { name, .. } in FUNCTIONS {
            let all = run_widest_at(level, Evaluate { name, inputs: &inputs });
            for (&x, y) in inputs.iter().zip(all).step_by(7) {
                for z in run_widest_at(level, Evaluate { name, inputs: &[x; 16] }) {
                    assert!(z.to_bits() == y.to_bits() || (z.is_nan() && y.is_nan()), "{name} of {x}: {y} or {z}");
                }
            }
        }
    }
}

/// Every number with a magnitude from 2⁻¹⁷ to 2⁸, without and with fused multiply-add.
fn check_every_number(wanted: &str) {
    let best = *Level::available().last().expect("the portable level is always there");
    for function in FUNCTIONS.iter().filter(|function| wanted == "all" || wanted == function.name) {
        for level in [Level::Portable, best] {
            crate::par::for_each(50, usize::MAX, |part| {
                let high = (part as u32 % 2) << 31 | (110 + part as u32 / 2) << 23;
                let inputs: Vec<f32> = (0..1u32 << 23).map(|low| f32::from_bits(high | low)).collect();
                let outputs = run_widest_at(level, Evaluate { name: function.name, inputs: &inputs });
                check(function, level.name(), &inputs, &outputs);
            });
        }
    }
}
