//! Emitted functions against the CPU's: f32 to the last bit where the CPU fuses multiply and add, f64 within a few units.

use cotangent::{DType, Tensor};
use cotangent_cuda_suite::{device, on_device};

type Function = (&'static str, fn(&Tensor) -> Tensor);

const FUNCTIONS: [Function; 9] = [
    ("exp", Tensor::exp),
    ("exp_m1", Tensor::exp_m1),
    ("ln", Tensor::ln),
    ("ln_1p", Tensor::ln_1p),
    ("sin", Tensor::sin),
    ("cos", Tensor::cos),
    ("tanh", Tensor::tanh),
    ("sigmoid", Tensor::sigmoid),
    ("erf", Tensor::erf),
];

/// Numbers of every size and class.
fn numbers(dtype: DType) -> Tensor {
    let powers = (-48..48).map(|k| 10f64.powf(k as f64 * 0.8));
    let mut values: Vec<f64> = powers.flat_map(|x| [x, -x]).collect();
    values.extend((-800..800).map(|i| i as f64 * 0.013));
    values.extend([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 88.7, -103.9, 709.5, -745.0, 1e6, 1.5e6]);
    Tensor::from(values).cast(dtype)
}

/// How many numbers of the dtype lie between.
fn apart(got: f64, want: f64, dtype: DType) -> f64 {
    if got == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    let (epsilon, least) = match dtype {
        DType::F32 => (f32::EPSILON as f64, f32::MIN_POSITIVE as f64),
        _ => (f64::EPSILON, f64::MIN_POSITIVE),
    };
    ((got - want) / (want.abs().max(least) * epsilon)).abs()
}

fn check(dtype: DType, most: f64) {
    let x = numbers(dtype);
    let there = x.to_device(&device()).unwrap();
    let host = |x: &Tensor| x.cast(DType::F64).to_vec::<f64>();
    for (name, f) in FUNCTIONS {
        for ((got, want), x) in host(&f(&there)).into_iter().zip(host(&f(&x))).zip(host(&x)) {
            // beyond 2⁵⁰ the device gives up the sine of an f64
            if dtype == DType::F64 && (name == "sin" || name == "cos") && x.abs() > 1e15 {
                continue;
            }
            let apart = apart(got, want, dtype);
            assert!(apart <= most, "{name}({x:e}) is {got:e} in {dtype}, on the CPU {want:e}: {apart} units");
        }
    }
}

on_device! {
    fn functions_in_f32_agree() {
        check(DType::F32, 2.0);
    }

    fn functions_in_f64_agree() {
        check(DType::F64, 6.0);
    }

    fn powers_agree() {
        let values = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 2.5, 1e-30, 1e30, f64::INFINITY, f64::NAN];
        for dtype in [DType::F32, DType::F64] {
            let (a, b) = (Tensor::from(values).cast(dtype).reshape([15, 1]), Tensor::from(values).cast(dtype));
            let want = a.pow(&b).cast(DType::F64).to_vec::<f64>();
            let [a, b] = [a, b].map(|x| x.to_device(&device()).unwrap());
            for (i, (got, want)) in a.pow(&b).cast(DType::F64).to_vec::<f64>().into_iter().zip(want).enumerate() {
                assert!(apart(got, want, dtype) <= 4.0, "{} ^ {} = {got}, wants {want}", values[i / 15], values[i % 15]);
            }
        }
    }

    fn long_sums_stay_accurate() {
        let x = (Tensor::arange(0.0, 300_001.0, 1.0, DType::F64) * 0.618).sin().cast(DType::F32) + 0.5;
        let want = x.cast(DType::F64).sum(..).item();
        let got = x.to_device(&device()).unwrap().sum(..).item();
        assert!((got - want).abs() <= 1e-6 * want.abs(), "{got}, wants {want}");
        let rows = x.narrow(0, 0, 300_000).reshape([3, 1000, 100]);
        let sums = rows.to_device(&device()).unwrap().sum(1).to_vec::<f32>();
        let want = rows.cast(DType::F64).sum(1).to_vec::<f64>();
        assert!(sums.iter().zip(want).all(|(&got, want)| (got as f64 - want).abs() <= 1e-5 * want.abs().max(1.0)));
    }
}
