//! Times products of square matrices in every precision of a GPU: `matmul_time [--size N] [--runs N]`.
//!
//! Prints for each the time of one product, of many that follow each other without a wait, and the multiplications and additions
//! that this makes a second. `COTANGENT_WGMMA=0` and `=1` compare the kernels of compute capability 9.0 with those of every GPU.

use clap::{Arg, Command, value_parser};
use cotangent::MatmulPrecision;
use cotangent::prelude::*;
use std::time::Instant;

fn main() -> cotangent::Result<()> {
    let count = |name, default| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(usize)).default_value(default)
    };
    let found = Command::new("matmul_time")
        .about("Times products of square matrices on a GPU")
        .args([count("size", "4096"), count("runs", "20")])
        .get_matches();
    let [n, runs] = ["size", "runs"].map(|name| *found.get_one::<usize>(name).unwrap());
    let gpu = match Device::cuda(0) {
        Ok(gpu) => gpu,
        Err(error) => {
            println!("gpu: none: {error}");
            return Ok(());
        }
    };
    let [a, b] = [1, 2].map(|seed| Tensor::uniform([n, n], -1.0, 1.0, DType::F32, &mut Rng::new(seed)));
    let here = a.narrow(0, 0, 1).matmul(&b);
    for precision in [MatmulPrecision::Fp32, MatmulPrecision::Tf32, MatmulPrecision::Bf16] {
        let device = gpu.with_precision(precision)?;
        let (a, b) = (a.to_device(&device)?, b.to_device(&device)?);
        let y = a.matmul(&b);
        let error = (y.narrow(0, 0, 1).to_device(&Device::Cpu)? - &here).abs().max(..).to_vec::<f32>()[0];
        device.synchronize()?;
        let begin = Instant::now();
        for _ in 0..runs {
            a.matmul(&b);
        }
        device.synchronize()?;
        let seconds = begin.elapsed().as_secs_f64() / runs as f64;
        let rate = 2.0 * (n as f64).powi(3) / seconds / 1e12;
        println!(
            "{precision}: {:.3} ms for {n}³, {rate:.1} TFLOP/s, within {error:.0e} of the CPU's first row",
            seconds * 1e3
        );
    }
    Ok(())
}
