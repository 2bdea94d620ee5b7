//! `cargo xtask bench --peers`: our times beside those of other libraries, taken in turns on the same work, so that
//! what else the machine does falls on all alike. A ratio counts; a single time does not. `cargo xtask bench --callgrind`
//! counts what our kernels execute.

mod build;
mod callgrind;
mod group;
mod groups;
mod layers;
mod measured;
mod record;
mod table;
mod workers;

use std::path::Path;

use group::Group;
use record::Record;
use workers::{Clock, Workers};

const USAGE: &str =
    "usage: cargo xtask bench --peers [--only NAME]… [--rounds N] [--threads N] [--python PATH] [--record]
       cargo xtask bench --callgrind [--record]
  --only    the rows whose name, or whose group's name, contains this; the groups are
            step, crates, inference, product, convolution, pass, overhead, memory, growth
  --rounds  how often all take their turn (3)
  --threads how many threads each may use (as many as there are processors)
  --processor-time
            counts what processors spend instead of what passes: with --threads 1, what else runs hardly matters
  --python  an interpreter with torch, keras and tensorflow, jax, onnx and onnxruntime, or some of them (python3)
  --record  write the tables into BENCHMARKS.md";

/// What the command line asks for.
struct Options {
    only: Vec<String>,
    rounds: usize,
    threads: usize,
    clock: Clock,
    python: String,
    record: bool,
}

impl Options {
    fn parse(words: &[String]) -> Option<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (clock, python) = (Clock::Elapsed, "python3".into());
        let mut options = Self { only: Vec::new(), rounds: 3, threads, clock, python, record: false };
        let count = |word: &String| word.parse().ok().filter(|&count| count > 0);
        let mut peers = false;
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--peers" => peers = true,
                "--processor-time" => options.clock = Clock::Processor,
                "--record" => options.record = true,
                "--only" => options.only.push(words.next()?.clone()),
                "--rounds" => options.rounds = count(words.next()?)?,
                "--threads" => options.threads = count(words.next()?)?,
                "--python" => options.python = words.next()?.clone(),
                _ => return None,
            }
        }
        peers.then_some(options)
    }

    /// The groups, each with the rows that are asked for.
    fn chosen(&self) -> Vec<Group> {
        let wanted = |name: &str| self.only.is_empty() || self.only.iter().any(|part| name.contains(part.as_str()));
        let mut groups = groups::all();
        for group in &mut groups {
            let whole = wanted(group.name);
            group.rows.retain(|row| whole || wanted(&row.name));
        }
        groups.retain(|group| !group.rows.is_empty());
        groups
    }
}

/// Runs the chore; true if it could be done.
pub fn run(root: &Path, words: &[String]) -> bool {
    if words.first().is_some_and(|word| word == "--callgrind") {
        let recorded = words[1..] == ["--record"];
        return match recorded || words.len() == 1 {
            true => callgrind::run(root, words, recorded),
            false => usage(),
        };
    }
    let Some(options) = Options::parse(words) else { return usage() };
    let chosen = options.chosen();
    let wanted = |program| chosen.iter().any(|group| group.columns.iter().any(|column| column.program == program));
    let mut workers = match build::programs(root, &options.python, wanted) {
        Ok(programs) => Workers::new(programs, options.threads, options.clock),
        Err(problem) => {
            eprintln!("{problem}");
            return false;
        }
    };
    let mut tables = String::new();
    let mut all = Vec::new();
    for group in chosen {
        let measured = measured::measure(&group, &mut workers, options.rounds);
        let table = table::render(&group, &measured);
        println!("\n{table}");
        tables += &format!("\n{table}");
        all.extend(measured);
    }
    println!("\n{}", table::worst(&all));
    let cells = "Cells are best (median); the ratio is our time to the fastest peer's.";
    let (title, threads, versions) = ("beside the peers", options.threads, workers.versions());
    !options.record || record::write(root, &Record { title, words, threads, cells, versions, tables })
}

fn usage() -> bool {
    eprintln!("{USAGE}");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Options> {
        Options::parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn rows_are_chosen_by_their_own_or_their_groups_name() {
        let chosen = parse("--peers --only step --only 512³").unwrap().chosen();
        assert_eq!(chosen.iter().map(|group| group.name).collect::<Vec<_>>(), ["step", "product"]);
        assert_eq!((chosen[0].rows.len(), chosen[1].rows.len()), (3, 1));
        assert_eq!(parse("--peers").unwrap().chosen().len(), groups::all().len());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["", "--only step", "--peers --rounds 0", "--peers --rounds", "--peers --often"] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
