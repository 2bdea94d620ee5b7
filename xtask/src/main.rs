//! The project's chores, behind one door: `cargo xtask ci`, `cargo xtask tidy`, `cargo xtask mutate`, `cargo xtask ptx`,
//! `cargo xtask bench`.

mod bench;
mod ci;
mod gpu;
mod mutate;
mod ptx;
mod repo;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask <chore>
  ci     every check, in order, with times
  tidy   the rules of the house that the compiler does not know
  mutate [--each N] [OP…]
         does the gradient suite notice deliberate mistakes in the ops' rules?
  mutate --ptx [--count N] [--seed N] [FILE…]
         does the CUDA suite notice on the simulator when an instruction is missing in kernels/*.ptx?
  gpu    makes target/gpu, a folder to carry to a machine with a GPU: programs, MNIST (of MNIST_DIR), and the script run.sh, which
         tests and measures everything there in less than ten minutes
  ptx [--check | --assemble]
         makes kernels/*.ptx from kernels/*.cu with nvcc (of the PATH, or NVCC), or says which are out of date, or runs them
         and emitted PTX through the assemblers of CUDA 11.7, 12.0 and 13.0 (those that PTXAS lists, or pip's)
  bench --peers … | --callgrind
         our times beside those of other libraries, or the instructions of our kernels; `bench` alone tells more";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    let root = repo::root();
    let done = match chore.as_str() {
        "ci" => ci::run(&root),
        "tidy" => tidy::run(&root),
        "mutate" if std::env::args().nth(2).as_deref() == Some("--ptx") => {
            mutate::ptx::run(&root, &std::env::args().skip(3).collect::<Vec<_>>())
        }
        "mutate" => mutate::run(&root, &std::env::args().skip(2).collect::<Vec<_>>()),
        "bench" => bench::run(&root, &std::env::args().skip(2).collect::<Vec<_>>()),
        "gpu" => gpu::run(&root),
        "ptx" => match std::env::args().nth(2).as_deref() {
            None => ptx::make(&root),
            Some("--check") => ptx::check(&root),
            Some("--assemble") => ptx::assemble::run(&root),
            Some(_) => usage(),
        },
        _ => usage(),
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> bool {
    eprintln!("{USAGE}");
    false
}
