//! The programs that measure, each running beside the others and working when it is asked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use super::build::Programs;
use super::group::Program;

/// How long threads that wait for more work may go on spinning before the next program is measured.
const SETTLE: Duration = Duration::from_millis(20);

/// What time is taken as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Elapsed,
    /// What processors spend, on all threads of a program together.
    Processor,
}

impl Clock {
    fn name(self) -> &'static str {
        match self {
            Clock::Elapsed => "elapsed",
            Clock::Processor => "processor",
        }
    }
}

/// A program that has been started.
struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// What the program answers, once asked; nothing if it has ended.
    fn ask(&mut self, request: &str) -> Option<String> {
        self.tell(request)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        answer.ends_with('\n').then(|| answer.trim().to_owned())
    }

    fn tell(&mut self, request: &str) -> Option<()> {
        writeln!(self.requests.as_mut()?, "{request}").ok()
    }
}

/// A program ends when its requests do.
impl Drop for Worker {
    fn drop(&mut self) {
        self.requests = None;
        let _ = self.child.wait();
    }
}

/// All programs, each started when it is first asked.
pub struct Workers {
    programs: Programs,
    threads: usize,
    clock: Clock,
    started: HashMap<Program, Worker>,
}

impl Workers {
    pub fn new(programs: Programs, threads: usize, clock: Clock) -> Self {
        Self { programs, threads, clock, started: HashMap::new() }
    }

    /// The best and the median seconds of one time of the work; nothing if the program is not here or cannot do it.
    pub fn time(&mut self, program: Program, seconds: f64, work: &str) -> Option<[f64; 2]> {
        std::thread::sleep(SETTLE);
        let answer = self.started(program).ask(&format!("{seconds} {work}"))?;
        let (best, median) = answer.split_once(' ')?;
        Some([best.parse().ok()?, median.parse().ok()?])
    }

    /// The most bytes that a program of its own holds while it does the work.
    pub fn peak_memory(&mut self, program: Program, seconds: f64, work: &str) -> Option<f64> {
        let mut worker = self.start(program);
        worker.ask(&format!("{seconds} {work}")).filter(|answer| answer != "none")?;
        worker.ask("memory")?.parse().ok()
    }

    /// Lets go of all prepared works.
    pub fn forget(&mut self) {
        for worker in self.started.values_mut() {
            worker.tell("forget");
        }
    }

    /// What has been measured, in words.
    pub fn versions(&mut self) -> Vec<String> {
        let mut versions: Vec<_> = self.started.values_mut().filter_map(|worker| worker.ask("version")).collect();
        versions.sort();
        versions.dedup();
        versions
    }

    fn started(&mut self, program: Program) -> &mut Worker {
        if !self.started.contains_key(&program) {
            let worker = self.start(program);
            self.started.insert(program, worker);
        }
        self.started.get_mut(&program).expect("just started")
    }

    fn start(&self, program: Program) -> Worker {
        let threads = if program == Program::OursOnOneThread { 1 } else { self.threads }.to_string();
        let words = self.programs.command(program);
        let log = File::create(self.programs.log(program)).expect("a log can be written");
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .args([&threads, self.clock.name()])
            .env("MATMUL_NUM_THREADS", &threads)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = child.unwrap_or_else(|problem| panic!("{} cannot be started: {problem}", words[0].display()));
        let (requests, answers) = (child.stdin.take(), child.stdout.take().expect("piped"));
        Worker { child, requests, answers: BufReader::new(answers) }
    }
}
