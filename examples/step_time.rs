//! Times one training step: `step_time {cnn|mlp|dropout} --steps N [--threads T] [--device D] [--data DIR] [--hash] [--profile]`.
//!
//! A step gathers a batch, runs forward and backward, and updates every parameter. After ten steps to warm up, each
//! is timed alone; the line tells their median and minimum. With `--hash`, the SHA-256 of all weights after the last
//! step: the same for any number of threads. With `--profile`, where the time of one more step goes, by op.

#[path = "../benches/measure/works/models.rs"]
mod models;

use clap::{Arg, ArgAction, Command, value_parser};
use cotangent::inspect;
use cotangent::prelude::*;
use models::{mnist_digits, mnist_model};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::time::Instant;

const WARM_UP: usize = 10;

fn main() -> cotangent::Result<()> {
    let found = Command::new("step_time")
        .about("Times one training step on MNIST")
        .args([
            Arg::new("model").required(true).value_parser(["cnn", "mlp", "dropout"]).help("Which model"),
            Arg::new("steps").long("steps").value_name("N").value_parser(value_parser!(usize)).default_value("50"),
            Arg::new("threads").long("threads").value_name("T").value_parser(value_parser!(usize)).default_value("0"),
            Arg::new("device").long("device").value_name("D").value_parser(["auto", "cpu"]).default_value("auto"),
            Arg::new("data").long("data").value_name("DIR|synthetic").value_parser(value_parser!(PathBuf)),
            Arg::new("hash").long("hash").action(ArgAction::SetTrue).help("Print the SHA-256 of the weights"),
            Arg::new("profile").long("profile").action(ArgAction::SetTrue).help("Show where the time goes"),
        ])
        .get_matches();
    let (name, steps) = (&found.get_one::<String>("model").unwrap()[..], *found.get_one::<usize>("steps").unwrap());
    let threads = *found.get_one::<usize>("threads").unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no thread works yet");
    let mnist = match found.get_one::<PathBuf>("data") {
        None => Mnist::load()?,
        Some(dir) if dir.as_os_str() == "synthetic" => Mnist::synthetic(60_000, 10_000, 0),
        Some(dir) => Mnist::from_dir(dir)?,
    };

    let (mut model, batch) = (mnist_model(name)?, if name == "mlp" { 32 } else { 128 });
    let (x, y) = mnist_digits(name, &mnist);
    let order = Tensor::permutation(x.shape()[0], &mut Rng::new(1));
    let mut times: Vec<f64> =
        (0..WARM_UP + steps).map(|s| time_step(&mut model, &x, &y, &order, s, batch)).collect::<Result<_>>()?;
    let times = &mut times[WARM_UP..];
    times.sort_by(f64::total_cmp);

    let (median, min) = (times[times.len() / 2], times[0]);
    let epoch = median * x.shape()[0].div_ceil(batch) as f64;
    println!(
        "cotangent {} {name} batch {batch} threads {} median {:.3} ms/step min {:.3} -> {epoch:.2} s/epoch, {:.0} images/s",
        env!("CARGO_PKG_VERSION"),
        rayon::current_num_threads(),
        median * 1e3,
        min * 1e3,
        batch as f64 / median,
    );
    if found.get_flag("hash") {
        println!("weights {}", hash(&model));
    }
    if found.get_flag("profile") {
        let (step, profile) = inspect::profile(|| time_step(&mut model, &x, &y, &order, 0, batch));
        step?;
        println!("{profile}");
    }
    Ok(())
}

/// One step on the `s`-th batch of `order`, in seconds.
fn time_step(model: &mut Model, x: &Tensor, y: &Tensor, order: &Tensor, s: usize, batch: usize) -> Result<f64> {
    let start = s * batch % (x.shape()[0] - batch);
    let index = order.narrow(0, start, batch);
    let begin = Instant::now();
    model.train_step(&x.index_select(0, &index), &y.index_select(0, &index))?;
    Ok(begin.elapsed().as_secs_f64())
}

fn hash(model: &Model) -> String {
    let mut sha = Sha256::new();
    for (_, param) in model.params() {
        param.value.to_vec::<f32>().iter().for_each(|w| sha.update(w.to_le_bytes()));
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
