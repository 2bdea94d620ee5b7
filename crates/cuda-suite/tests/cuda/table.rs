//! The case table on the device against the CPU, forward and backward.

use cotangent::cases::{self, Case, Op, Rounding};
use cotangent::{DType, Order, Tensor, grad};
use cotangent_cuda_suite::{device, on_device};

/// The unit roundoff of the dtype.
fn unit(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON / 2.0 } else { f32::EPSILON as f64 / 2.0 }
}

fn host(x: &Tensor) -> Vec<f64> {
    x.detach().cast(DType::F64).to_vec()
}

/// The operands of a case as `dtype`, on the CPU and on the device.
fn operands(case: &Case, dtype: DType) -> [Vec<Tensor>; 2] {
    let drawn = case.sample(21).into_iter();
    let here: Vec<Tensor> = drawn.map(|x| if x.dtype().is_float() { x.cast(dtype) } else { x }).collect();
    let there = here.iter().map(|x| x.to_device(&device()).expect("the operands fit")).collect();
    [here, there]
}

/// The gradients of Σ u·y by the float operands, u being the same small fractions every time.
fn gradients(case: &Case, x: &[Tensor]) -> Vec<Vec<f64>> {
    let tracked: Vec<Tensor> = x.iter().map(|x| if x.dtype().is_float() { x.tracked() } else { x.clone() }).collect();
    let y = (case.f)(&tracked).remove(0);
    let u: Vec<f64> = (0..y.count()).map(|i| ((i * 7 + 3) % 16) as f64 / 16.0 - 0.45).collect();
    let u = Tensor::from_slice(&u, y.shape()).cast(y.dtype()).to_device(&y.device()).expect("it fits");
    let grads = y.backward_with(&u);
    tracked.iter().filter(|x| x.is_tracked()).map(|x| grads.get(x).map(host).unwrap_or_default()).collect()
}

/// The gradients of half the sum of squares of those of Σ u·y.
fn second_gradients(case: &Case, x: &[Tensor]) -> Vec<Vec<f64>> {
    let tracked: Vec<Tensor> = x.iter().map(|x| if x.dtype().is_float() { x.tracked() } else { x.clone() }).collect();
    let floats: Vec<&Tensor> = tracked.iter().filter(|x| x.is_tracked()).collect();
    let y = (case.f)(&tracked).remove(0);
    let Ok(first) = grad(&y.square().sum(..), &floats, Order::Second) else { return Vec::new() };
    let squares = first.iter().map(|g| g.square().sum(..)).reduce(|a, b| a + b).expect("an operand is a float");
    let Ok(second) = grad(&squares, &floats, Order::First) else { return Vec::new() };
    second.iter().map(host).collect()
}

fn near(got: &[f64], want: &[f64], bound: f64) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{} elements, wants {}", got.len(), want.len()));
    }
    let scale = want.iter().filter(|x| x.is_finite()).fold(1.0, |m: f64, x| m.max(x.abs()));
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let same = got == want || (got.is_nan() && want.is_nan());
        if !(same || (got - want).abs() <= bound * scale) {
            return Err(format!("element {i} is {got:e}, wants {want:e}"));
        }
    }
    Ok(())
}

fn check(op: &Op, case: &Case, dtype: DType) -> Result<(), String> {
    let [here, there] = operands(case, dtype);
    let bound = 64.0 * unit(dtype);
    let (want, got) = ((case.f)(&here).remove(0), (case.f)(&there).remove(0));
    if got.device() != device() || got.spec() != want.spec() {
        return Err(format!("{:?} on {}, wants {:?}", got.spec(), got.device(), want.spec()));
    }
    let exact = op.rounding == Rounding::Exact;
    near(&host(&got), &host(&want), if exact { 0.0 } else { bound })?;
    if op.first {
        let (want, got) = (gradients(case, &here), gradients(case, &there));
        for (k, (got, want)) in got.iter().zip(&want).enumerate() {
            near(got, want, bound).map_err(|e| format!("gradient {k}: {e}"))?;
        }
    }
    if op.second {
        let (want, got) = (second_gradients(case, &here), second_gradients(case, &there));
        for (k, (got, want)) in got.iter().zip(&want).enumerate() {
            near(got, want, 16.0 * bound).map_err(|e| format!("second gradient {k}: {e}"))?;
        }
    }
    Ok(())
}

/// Runs the whole table, and shows all failures at once.
fn every(dtype: DType) {
    let mut failed = Vec::new();
    for op in cases::all() {
        for case in &op.cases {
            let run = || check(&op, case, dtype);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            let problem = match result {
                Ok(Ok(())) => continue,
                Ok(Err(problem)) => problem,
                Err(panic) => panic.downcast::<String>().map_or("panic".into(), |text| *text),
            };
            failed.push(format!("{}, {}: {problem}", op.name, case.name));
        }
    }
    assert!(failed.is_empty(), "{} cases:\n{}", failed.len(), failed.join("\n"));
}

on_device! {
    fn every_op_agrees_in_f32() {
        every(DType::F32);
    }

    fn every_op_agrees_in_f64() {
        every(DType::F64);
    }
}
