//! `cargo xtask bench --callgrind`: what the inner kernels execute, on one thread, and which part of the FMA peak they reach.
//! Valgrind counts instructions with AVX2, which is the widest that it knows; times are taken with the widest registers
//! that the processor has. Which multiply-adds are made does not depend on how wide they are, but for the edges of tiles.

mod counts;

use std::path::Path;

use self::counts::{Counter, Counts};
use super::group::Program;
use super::record::{self, Record};
use super::workers::{Clock, Workers};
use super::{build, table};

/// What a work is, done once.
#[derive(Clone, Copy)]
enum Amount {
    /// So many floating-point operations, if all of the dense sums were made.
    Operations(f64),
    /// A pass over so many numbers.
    Numbers(f64),
}

use Amount::{Numbers, Operations};

const CUBE: f64 = 512.0 * 512.0 * 512.0;
/// The first and the second convolution of the MNIST convnet on eight images.
const CONV1: f64 = 2.0 * 8.0 * 26.0 * 26.0 * 32.0 * 9.0;
const CONV2: f64 = 2.0 * 8.0 * 24.0 * 24.0 * 64.0 * 32.0 * 9.0;
/// Its first dense layer on 128 images.
const DENSE: f64 = 2.0 * 128.0 * 9216.0 * 128.0;
const PASS: Amount = Numbers(65536.0);

/// Kernels by themselves, then those that a step of the MNIST convnet spends its time in.
const WORKS: [(&str, Amount); 22] = [
    ("gemm 64 64 64", Operations(CUBE / 256.0)),
    ("gemm 512 512 512", Operations(2.0 * CUBE)),
    ("gemm 32 128 784", Operations(2.0 * 32.0 * 128.0 * 784.0)),
    ("conv forward last 8 26 32 64 3 1 0", Operations(CONV2)),
    ("conv dx last 8 26 32 64 3 1 0", Operations(CONV2)),
    ("conv dw last 8 26 32 64 3 1 0", Operations(CONV2)),
    ("conv forward last 8 26 32 64 3 2 0", Operations(CONV2 / 4.0)),
    ("conv forward last 8 28 32 64 5 1 0", Operations(CONV2 / 9.0 * 25.0)),
    ("over relu 65536", PASS),
    ("over exp 65536", PASS),
    ("over gelu 65536", PASS),
    ("over softmax 65536", PASS),
    ("over max_pool 65536", PASS),
    ("conv forward last 8 28 1 32 3 1 0", Operations(CONV1)),
    ("conv dw last 8 28 1 32 3 1 0", Operations(CONV1)),
    ("pooled forward 8 26 32 64", Operations(CONV2)),
    ("pooled backward 8 26 32 64", Operations(2.0 * CONV2)),
    ("over dropout 65536", PASS),
    ("gemm 128 128 9216", Operations(DENSE)),
    ("sparse 128 128 9216 75", Operations(DENSE)),
    ("sparse 9216 128 128 75", Operations(DENSE)),
    ("update 65536", PASS),
];

/// Prints the table, and writes it into `BENCHMARKS.md` if `recorded`; true if all could be counted.
pub fn run(root: &Path, words: &[String], recorded: bool) -> bool {
    let (table, versions) = match count(root) {
        Ok(counted) => counted,
        Err(problem) => {
            eprintln!("{problem}");
            return false;
        }
    };
    println!("{table}");
    let title = "what the inner kernels execute";
    let cells = "Times are processor time; valgrind counts instructions and multiply-adds with AVX2.";
    let tables = format!("\n{table}");
    !recorded || record::write(root, &Record { title, words, threads: 1, cells, versions, tables })
}

/// The table, and what it is about.
fn count(root: &Path) -> Result<(String, Vec<String>), String> {
    let ours = build::ours(root)?;
    let counter = Counter::new(&ours.command(Program::Ours)[0], ours.folder())?;
    let mut workers = Workers::new(ours, 1, Clock::Processor);
    let mut time = |work: &str| match workers.time(Program::Ours, 0.3, work) {
        Some([best, _]) => Ok(best),
        None => Err(format!("{work}: cannot be timed")),
    };
    let peak = 1e9 / time("peak 1000000000")?;
    let mut lines = vec![head()];
    for (work, amount) in WORKS {
        lines.push(line(work, counter.count(work)?, amount, time(work)?, peak));
    }
    Ok((lines.join("\n") + "\n", workers.versions()))
}

fn head() -> String {
    let columns = [
        "one thread",
        "instructions",
        "multiply-adds",
        "of the dense ones",
        "µs",
        "of the FMA peak",
        "counted densely",
    ];
    [columns, ["---"; 7]].map(|cells| table::line(&cells.map(str::to_owned))).join("\n")
}

fn line(work: &str, counts: Counts, amount: Amount, seconds: f64, peak: f64) -> String {
    let (instructions, percent) = (counts.instructions as f64, |part: f64| format!("{:.0} %", 100.0 * part));
    let [executed, multiply_adds, of_dense, of_peak, densely] = match amount {
        Numbers(numbers) => {
            let each = format!("{:.2} for each number", instructions / numbers);
            [each, String::new(), String::new(), String::new(), String::new()]
        }
        Operations(dense) => [
            counts.instructions.to_string(),
            percent(counts.multiply_adds as f64 / instructions),
            format!("{:.2}", counts.operations as f64 / dense),
            percent(counts.operations as f64 / seconds / peak),
            percent(dense / seconds / peak),
        ],
    };
    let time = format!("{:.1}", seconds * 1e6);
    table::line(&[format!("`{work}`"), executed, multiply_adds, of_dense, time, of_peak, densely])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_parts_of_the_peak() {
        let counts = Counts { instructions: 1000, multiply_adds: 250, operations: 4000 };
        let text = line("gemm", counts, Operations(8000.0), 1e-6, 16e9);
        assert_eq!(text, "| `gemm` | 1000 | 25 % | 0.50 | 1.0 | 25 % | 50 % |");
        let text = line("over", counts, Numbers(500.0), 1e-6, 16e9);
        assert_eq!(text, "| `over` | 2.00 for each number |  |  | 1.0 |  |  |");
    }
}
