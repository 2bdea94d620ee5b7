//! The project's chores, behind one door: `cargo xtask ci`, `cargo xtask tidy`, `cargo xtask mutate`, `cargo xtask ptx`.

mod ci;
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
  ptx [--check]
         makes kernels/*.ptx from kernels/*.cu with nvcc (of the PATH, or NVCC), or says which are out of date";

fn main() -> ExitCode {
    let chore = std::env::args().nth(1).unwrap_or_default();
    let root = repo::root();
    let done = match chore.as_str() {
        "ci" => ci::run(&root),
        "tidy" => tidy::run(&root),
        "mutate" => mutate::run(&root, &std::env::args().skip(2).collect::<Vec<_>>()),
        "ptx" if std::env::args().nth(2).as_deref() == Some("--check") => ptx::check(&root),
        "ptx" => ptx::make(&root),
        _ => {
            eprintln!("{USAGE}");
            false
        }
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
