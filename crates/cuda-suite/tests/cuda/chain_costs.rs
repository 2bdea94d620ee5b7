//! What chains save: launches, and pieces of memory that are touched, by the simulator's counts.

use crate::training;
use cotangent::Capture;
use cotangent::prelude::*;
use cotangent_cuda_suite::{counts_in, device, simulator, this_program};
use std::env::var;

/// How often a child process does its work.
const TIMES: &str = "COTANGENT_CHAINS_TIMES";
/// Set where it records.
const RECORD: &str = "COTANGENT_CHAINS_RECORD";

/// Launches and pieces of 32 bytes that warps touch.
type Cost = [u64; 2];

/// The cost of doing `work` once more, of what it costs 5 times and 9 times. `None` in the child process.
fn cost(path: &str, record: bool, work: impl Fn(usize)) -> Option<Cost> {
    let count = |times: &str| {
        let command = || {
            let mut command = simulator(this_program());
            command.env(TIMES, times).envs(record.then_some((RECORD, "1")));
            command
        };
        let times = || var(TIMES).ok().and_then(|times| times.parse().ok()).expect("a number");
        let report = counts_in(path, command, || work(times()))?;
        Some(["launches", "sectors"].map(|name| report.values().map(|counts| counts[name]).sum::<u64>()))
    };
    let (few, many) = (count("5")?, count("9")?);
    Some([0, 1].map(|i| (many[i] - few[i]) / 4))
}

/// A batch of `[256, 64]`, and two rows.
type Batch = (Tensor, Tensor, Tensor);

/// What every operand costs a kernel that goes through the batch: warps read a row as often as the batch.
const PASS: u64 = 256 * 64 / 8;

/// The cost of a step op by op, and in a record.
fn costs(path: &str, step: impl Fn(&mut Batch) -> Result<Tensor>) -> Option<[Cost; 2]> {
    let work = |times| {
        let (mut rng, device) = (Rng::new(1), device());
        let mut draw = |shape: &[usize]| {
            Tensor::uniform(shape, -1.0, 1.0, DType::F32, &mut rng).to_device(&device).expect("it fits")
        };
        let mut batch = (draw(&[256, 64]), draw(&[64]), draw(&[64]));
        let (record, mut capture) = (var(RECORD).is_ok(), Capture::new());
        for _ in 0..times {
            let result = if record { capture.run(&mut batch, &step) } else { step(&mut batch) };
            result.expect("no step fails");
        }
        assert_eq!(capture.is_recorded(), record);
    };
    Some([cost(path, false, work)?, cost(path, true, work)?])
}

#[test]
fn a_chain_reads_its_operands_once_and_writes_its_result() {
    let path = concat!(module_path!(), "::a_chain_reads_its_operands_once_and_writes_its_result");
    let Some(costs) = costs(path, |(x, w, b)| Ok((&*x * &*w + &*b).gelu())) else { return };
    assert_eq!(costs, [[3, 8 * PASS], [1, 4 * PASS]]);
}

#[test]
fn a_derivative_by_maps_alone_is_one_chain() {
    let path = concat!(module_path!(), "::a_derivative_by_maps_alone_is_one_chain");
    let step = |(x, w, b): &mut Batch| {
        let x = x.detach().tracked();
        let y = (&x * &*w + &*b).gelu();
        Ok(y.backward_with(&y.ones_like()).get(&x).expect("it is tracked").clone())
    };
    let Some(costs) = costs(path, step) else { return };
    assert_eq!(costs, [[6, 15 * PASS], [1, 4 * PASS]]);
}

#[test]
fn what_the_backward_pass_needs_is_written_by_the_chain() {
    let path = concat!(module_path!(), "::what_the_backward_pass_needs_is_written_by_the_chain");
    // nothing waits for the sum's kernel: y and what gelu saved are in memory then
    let step = |(x, w, b): &mut Batch| {
        let x = x.detach().tracked();
        let y = (&x * &*w + &*b).gelu();
        let _sum = y.sum(..);
        Ok(y.backward_with(&y.ones_like()).get(&x).expect("it is tracked").clone())
    };
    let Some([plain, chained]) = costs(path, step) else { return };
    let sum = [2, PASS + 6];
    assert_eq!([plain, chained], [[6 + sum[0], 15 * PASS + sum[1]], [2 + sum[0], 8 * PASS + sum[1]]]);
}

#[test]
fn a_normalisation_is_two_sums_and_four_chains() {
    let path = concat!(module_path!(), "::a_normalisation_is_two_sums_and_four_chains");
    let step = |(x, gamma, beta): &mut Batch| {
        let centred = &*x - x.mean_keepdim([1]);
        let inv_std = (centred.square().mean_keepdim([1]) + 1e-5).rsqrt();
        Ok(centred * inv_std * &*gamma + &*beta)
    };
    let Some(costs) = costs(path, step) else { return };
    assert_eq!(costs, [[11, 30464], [6, 20096]]);
}

/// Convolution, batch norm, pooling, dropout and two dense layers; gathering the batch, metrics, and Adam. One by one its
/// kernels were 71.
#[test]
fn a_training_step_is_55_launches() {
    let path = concat!(module_path!(), "::a_training_step_is_55_launches");
    let fit = |steps: usize| {
        let (x, y) = training::data(16 * steps);
        let mut model = training::model(&device(), DataFormat::ChannelsLast);
        model.fit(&x, &y).batch_size(16).epochs(1).verbose(0).run().expect("it trains");
    };
    let Some([launches, _]) = cost(path, true, fit) else { return };
    assert_eq!(launches, 55);
}
