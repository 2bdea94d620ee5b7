//! Looks at the devices that Cotangent can compute on, and holds every op on the GPU against the CPU.
//!
//! `cargo run --release --example doctor --features cuda`

use std::panic::{AssertUnwindSafe, catch_unwind};

use cotangent::cases::{self, Case};
use cotangent::prelude::*;

fn main() -> cotangent::Result<()> {
    println!("cpu:    {}", Device::Cpu.describe());
    let gpu = match Device::cuda(0) {
        Ok(gpu) => gpu,
        Err(error) => {
            println!("gpu:    none: {error}");
            return Ok(());
        }
    };
    println!("gpu:    {}", gpu.describe());
    for (what, value) in gpu.facts()? {
        println!("        {what}: {value}");
    }

    let (mut passed, mut failed) = (0, 0);
    for op in cases::all() {
        for case in &op.cases {
            match compare(case, &gpu) {
                Ok(()) => passed += 1,
                Err(problem) => {
                    failed += 1;
                    println!("        {}, {}: {problem}", op.name, case.name);
                }
            }
        }
    }
    println!("checks: {passed} calls of {} ops as on the CPU, {failed} not", cases::all().len());
    match failed {
        0 => Ok(()),
        _ => Err(cotangent::Error::new("doctor", format!("{failed} calls are wrong on {gpu}"))),
    }
}

/// Whether a call gives on the GPU what it gives on the CPU, in f32, but for rounding.
fn compare(case: &Case, gpu: &Device) -> Result<(), String> {
    let here: Vec<Tensor> =
        case.sample(1).iter().map(|x| if x.dtype() == DType::F64 { x.cast(DType::F32) } else { x.clone() }).collect();
    let there: Result<Vec<Tensor>> = here.iter().map(|x| x.to_device(gpu)).collect();
    let there = there.map_err(|error| error.to_string())?;
    let call = |x: &[Tensor]| {
        let y = catch_unwind(AssertUnwindSafe(|| (case.f)(x).remove(0).detach().cast(DType::F64).to_vec::<f64>()));
        y.map_err(|panic| panic.downcast::<String>().map_or("it panics".to_owned(), |text| *text))
    };
    let (want, got) = (call(&here)?, call(&there)?);
    let scale = want.iter().filter(|x| x.is_finite()).fold(1.0, |most: f64, x| most.max(x.abs()));
    let near = |(got, want): (&f64, &f64)| {
        got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= 1e-5 * scale
    };
    match got.len() == want.len() && got.iter().zip(&want).all(near) {
        true => Ok(()),
        false => Err("other numbers than on the CPU".to_owned()),
    }
}
