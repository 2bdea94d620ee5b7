//! Requests on stdin, answers on stdout, a line each: what `cargo xtask bench --peers` and the programs that measure
//! say to each other, so that ours and the peers take turns on the same work in the same minutes.
//!
//! - `SECONDS WORK…`: do this work over and over for about that long. Answer: the best and the median time of one, in
//!   seconds, or `none`.
//! - `memory`: the most memory that this process has held so far, in bytes.
//! - `version`: what is measured here.
//! - `forget`: let go of the work that was prepared. No answer.

use std::collections::HashMap;
use std::io::BufRead;
use std::time::Instant;

/// Something to time.
pub type Work = Box<dyn FnMut()>;

/// The fewest seconds that a sample lasts: shorter work is done several times, so that the clock does not matter.
const SAMPLE: f64 = 50e-6;

/// Answers requests until stdin ends; `make` prepares the work that the words name, if it knows it.
pub fn serve(version: &str, mut make: impl FnMut(&[&str]) -> Option<Work>) {
    let mut works = HashMap::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            None if line == "forget" => works.clear(),
            None if line == "memory" => println!("{}", peak_memory()),
            None if line == "version" => println!("{version}"),
            None => println!("none"),
            Some((seconds, words)) => {
                let words: Vec<&str> = words.split(' ').collect();
                let work = works.entry(words.join(" ")).or_insert_with(|| make(&words));
                match (work, seconds.parse()) {
                    (Some(work), Ok(seconds)) => {
                        let times = samples(work, seconds);
                        println!("{} {}", times[0], times[times.len() / 2]);
                    }
                    _ => println!("none"),
                }
            }
        }
    }
}

/// Times of `work` in ascending order, taken for about `seconds` after a fifth of that to warm up.
fn samples(work: &mut Work, seconds: f64) -> Vec<f64> {
    let (mut once, mut calls, begin) = (time(work, 1), 1, Instant::now());
    while calls < 2 || begin.elapsed().as_secs_f64() < seconds / 5.0 {
        once = once.min(time(work, 1));
        calls += 1;
    }
    let (group, begin, mut times) = ((SAMPLE / once).round().max(1.0) as usize, Instant::now(), Vec::new());
    while times.len() < 2 || begin.elapsed().as_secs_f64() < seconds {
        times.push(time(work, group));
    }
    times.sort_by(f64::total_cmp);
    times
}

/// The seconds of one call, of `calls`.
fn time(work: &mut Work, calls: usize) -> f64 {
    let begin = Instant::now();
    (0..calls).for_each(|_| work());
    begin.elapsed().as_secs_f64() / calls as f64
}

/// The most memory that this process has held, in bytes, as Linux tells it; elsewhere 0.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) * 1024
}
