//! Times the MLP's training step in other Rust crates: `cotangent-peer-steps DIGITS THREADS CLOCK` answers requests (see
//! `protocol`). DIGITS holds MNIST's training images, each 784 bytes with its label behind.

#[path = "../../../measure/protocol.rs"]
mod protocol;

mod by_burn;
mod by_candle;
mod by_dfdx;
mod digits;

use digits::Digits;

const VERSION: &str = "burn 0.23.0-pre.1 (flex, x86-v4), candle 0.11, dfdx 0.13";

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let [_, digits, threads, clock] = &words[..] else {
        panic!("usage: cotangent-peer-steps DIGITS THREADS elapsed|processor")
    };
    let threads = threads.parse().expect("a number of threads");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no thread works yet");
    protocol::serve(VERSION, clock, |words| {
        let ["step", "mlp", batch, library] = *words else { return None };
        let batches = Digits::read(digits).batches(batch.parse().expect("a size"));
        match library {
            "burn" => Some(by_burn::step(batches)),
            "candle" => Some(by_candle::step(batches)),
            "dfdx" => Some(by_dfdx::step(batches)),
            _ => None,
        }
    });
}
