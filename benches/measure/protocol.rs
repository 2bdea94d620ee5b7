//! Requests on stdin, answers on stdout, a line each: what `cargo xtask bench` and the programs that measure say to each
//! other, so that ours and the peers take turns on the same work in the same minutes.
//!
//! - `SECONDS WORK…`: do this work over and over for about that long. Answer: the best and the median time of one, in
//!   seconds, or `none`.
//! - `SECONDS WORK… after WORK…`: the same, each time right after the other work, which is not timed: what the processor's
//!   clock is then decides how long this one takes.
//! - `memory`: the most memory that this process has held so far, in bytes.
//! - `version`: what is measured here.
//! - `forget`: let go of the work that was prepared. No answer.

use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::io::BufRead;

/// Something to time.
type Work = Box<dyn FnMut()>;

/// Answers requests until stdin ends; `make` prepares the work that the words name, if it knows it. The clock is
/// `elapsed` or `processor`: the time that has passed, or what processors have spent on all threads.
pub fn serve(version: &str, clock: &str, mut make: impl FnMut(&[&str]) -> Option<Work>) {
    let clock = if clock == "processor" { ClockId::ProcessCPUTime } else { ClockId::Monotonic };
    let mut works = HashMap::new();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            None if line == "forget" => works.clear(),
            None if line == "memory" => println!("{}", peak_memory()),
            None if line == "version" => println!("{version}"),
            None => println!("none"),
            Some((seconds, words)) => {
                let (words, before) = words.split_once(" after ").unwrap_or((words, ""));
                let [mut work, mut other] = [words, before]
                    .map(|words| works.remove(words).unwrap_or_else(|| make(&words.split(' ').collect::<Vec<_>>())));
                match (&mut work, seconds.parse()) {
                    (Some(work), Ok(seconds)) if before.is_empty() || other.is_some() => {
                        let times = samples(work, other.as_mut(), seconds, clock);
                        println!("{} {}", times[0], times[times.len() / 2]);
                    }
                    _ => println!("none"),
                }
                works.extend([(words.to_owned(), work), (before.to_owned(), other)]);
            }
        }
    }
}

/// Times of `work` in ascending order, each right after `before` if there is one, taken for about `seconds` after a fifth of
/// that to warm up.
fn samples(work: &mut Work, mut before: Option<&mut Work>, seconds: f64, clock: ClockId) -> Vec<f64> {
    let mut time = |calls: usize| {
        before.iter_mut().for_each(|before| before());
        let begin = now(clock);
        (0..calls).for_each(|_| work());
        (now(clock) - begin) / calls as f64
    };
    let (begin, mut once) = (now(clock), f64::INFINITY);
    while now(clock) - begin < seconds / 5.0 {
        once = once.min(time(1));
    }
    // Shorter work is done several times, so that the clock does not matter; virtual machines correct that of the
    // processor now and then.
    let shortest = if clock == ClockId::ProcessCPUTime { 2e-3 } else { 50e-6 };
    let (group, begin, mut times) = ((shortest / once).round().max(1.0) as usize, now(clock), Vec::new());
    while now(clock) - begin < seconds {
        times.push(time(group));
    }
    times.sort_by(f64::total_cmp);
    times
}

fn now(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// The most memory that this process has held, in bytes, as Linux tells it; elsewhere 0.
fn peak_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) * 1024
}
