//! `cargo xtask bench --callgrind`: how many instructions the inner kernels take, as valgrind counts them (on one thread,
//! with AVX2, which is what it knows), and which part of the FMA peak they reach with the widest registers.

use std::path::Path;
use std::process::{Command, Stdio};

use super::build;
use super::group::Program;
use super::workers::{Clock, Workers};

/// Works, the floating-point operations or numbers that each is, and whether these are operations.
const WORKS: [(&str, f64, bool); 13] = [
    ("peak 1000000000", 1e9, true),
    ("gemm 64 64 64", 2.0 * 64.0 * 64.0 * 64.0, true),
    ("gemm 512 512 512", 2.0 * 512.0 * 512.0 * 512.0, true),
    ("gemm 32 128 784", 2.0 * 32.0 * 128.0 * 784.0, true),
    ("conv forward last 8 26 32 64 3 1 0", CONV, true),
    ("conv dx last 8 26 32 64 3 1 0", CONV, true),
    ("conv dw last 8 26 32 64 3 1 0", CONV, true),
    ("conv forward last 8 26 32 64 3 2 0", CONV / 4.0, true),
    ("over relu 65536", 65536.0, false),
    ("over exp 65536", 65536.0, false),
    ("over gelu 65536", 65536.0, false),
    ("over softmax 65536", 65536.0, false),
    ("over max_pool 65536", 65536.0, false),
];

/// The second convolution of the MNIST convnet on eight images.
const CONV: f64 = 2.0 * 8.0 * 24.0 * 24.0 * 64.0 * 32.0 * 9.0;

/// Floating-point operations of one AVX2 multiply-add.
const WIDEST: f64 = 16.0;

/// Prints the table; true if all could be counted.
pub fn run(root: &Path) -> bool {
    let ours = match build::ours(root) {
        Ok(ours) => ours,
        Err(problem) => {
            eprintln!("{problem}");
            return false;
        }
    };
    let folder = ours.folder().to_path_buf();
    let program = ours.command(Program::Ours).remove(0);
    let mut workers = Workers::new(ours, 1, Clock::Processor);
    println!(
        "| one thread | instructions | operations, or instructions for each number | processor time | of the FMA peak |"
    );
    println!("| --- | --- | --- | --- | --- |");
    let mut peak = None;
    for (work, amount, operations) in WORKS {
        let Some(instructions) = counted(&program, &folder, work) else {
            eprintln!("{work}: valgrind has counted nothing");
            return false;
        };
        let seconds = workers.time(Program::Ours, 0.3, work).map_or(f64::NAN, |[best, _]| best);
        let peak = *peak.get_or_insert(amount / seconds);
        println!("{}", line(work, instructions, amount, operations, seconds, peak));
    }
    true
}

fn line(work: &str, instructions: u64, amount: f64, operations: bool, seconds: f64, peak: f64) -> String {
    let (count, time) = (instructions as f64, format!("{:.1} µs", seconds * 1e6));
    if operations {
        let (each, part) = (amount / count, 100.0 * amount / seconds / peak);
        format!("| {work} | {instructions} | {each:.1} of {WIDEST} | {time} | {part:.0} % |")
    } else {
        format!("| {work} | {instructions} | {:.2} | {time} | |", count / amount)
    }
}

/// The instructions of the work itself, once it has been done for a first time.
fn counted(program: &Path, folder: &Path, work: &str) -> Option<u64> {
    let [once, thrice] = [1, 3].map(|times| total(program, folder, times, work));
    Some(thrice?.saturating_sub(once?) / 2)
}

fn total(program: &Path, folder: &Path, times: usize, work: &str) -> Option<u64> {
    let counts = folder.join("callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", counts.display())).arg(program);
    valgrind.args(["--times", &times.to_string()]).args(work.split(' ')).env("COTANGENT_SIMD", "avx2");
    let done = valgrind.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let text = std::fs::read_to_string(counts).ok()?;
    done.success().then(|| totals(&text))?
}

/// The instructions of the whole run, as callgrind's file ends with them.
fn totals(text: &str) -> Option<u64> {
    let totals = text.lines().filter_map(|line| line.strip_prefix("totals: ")).next_back()?;
    totals.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_are_read() {
        assert_eq!(totals("events: Ir\nsummary: 1\nfn=(1)\ntotals: 123\n"), Some(123));
        assert_eq!(totals("events: Ir\n"), None);
    }

    #[test]
    fn a_line_tells_the_part_of_the_peak() {
        let text = line("gemm", 1000, 8000.0, true, 1e-6, 16e9);
        assert_eq!(text, "| gemm | 1000 | 8.0 of 16 | 1.0 µs | 50 % |");
    }
}
