//! Keras 3's training bar: a live line on a terminal, plain lines anywhere else.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;
#[cfg(not(target_family = "wasm"))]
use std::time::Instant;
#[cfg(target_family = "wasm")]
use web_time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Keras's width of the bar, in characters.
const WIDTH: usize = 20;

/// The live line is drawn anew at most this often, as in Keras.
const REFRESH: Duration = Duration::from_millis(50);

/// How much training tells of itself: Keras's `verbose`, as `0`, `1` or `2` too.
///
/// ```
/// use cotangent_train::Verbosity;
/// assert_eq!(Verbosity::from(1), Verbosity::Bar);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing (0).
    Silent,
    /// A live bar for each epoch (1); off a terminal, the same as [`Lines`](Self::Lines).
    #[default]
    Bar,
    /// A line for each epoch (2).
    Lines,
}

impl From<u8> for Verbosity {
    fn from(verbose: u8) -> Self {
        match verbose {
            0 => Self::Silent,
            1 => Self::Bar,
            _ => Self::Lines,
        }
    }
}

/// Tells how an epoch goes, in Keras 3's words:
///
/// ```text
/// Epoch 1/12
/// 117/469 ━━━━━╸────────────── 24s 71ms/step - accuracy: 0.7012 - loss: 0.9163
/// ```
///
/// The time is what is left while the epoch runs, and what it took at the end. Metrics stand in alphabetical order,
/// then those that begin with `val_`, then the learning rate, if a callback reports it. Off a terminal there is one line when the epoch ends, without escape codes.
/// Output that cannot be written is dropped: training does not die because nobody reads along.
///
/// ```
/// use cotangent_train::{Progress, Verbosity};
/// let mut text = Vec::new();
/// let mut progress = Progress::new(Verbosity::Lines, &mut text);
/// progress.epoch(1, 12);
/// progress.step(1, 2, &[("loss", 0.9163), ("accuracy", 0.7012)]);
/// progress.step(2, 2, &[("loss", 0.8), ("accuracy", 0.75)]);
/// progress.finish(&[("val_loss", 0.00005)]);
/// let text = String::from_utf8(text).unwrap();
/// assert!(text.starts_with("Epoch 1/12\n2/2 - 0s - "));
/// assert!(text.ends_with("/step - accuracy: 0.7500 - loss: 0.8000 - val_loss: 5.0000e-05\n"));
/// ```
pub struct Progress<W> {
    verbosity: Verbosity,
    out: W,
    /// Where the live line is drawn, if it is; else `None`.
    bar: Option<ProgressBar>,
    timer: Timer,
    drawn: Option<Instant>,
    done: usize,
    steps: usize,
    metrics: Vec<(String, f64)>,
}

impl Progress<io::Stdout> {
    /// Progress on the standard output: live if that is a terminal and `verbosity` asks for it.
    pub fn stdout(verbosity: Verbosity) -> Self {
        // Each update draws twice, for the count and for the text; `REFRESH` is what limits it.
        Self::drawn_on(ProgressDrawTarget::stdout_with_hz(u8::MAX), verbosity, io::stdout())
    }
}

impl<W: Write> Progress<W> {
    /// Progress as plain lines in `out`.
    pub fn new(verbosity: Verbosity, out: W) -> Self {
        Self::drawn_on(ProgressDrawTarget::hidden(), verbosity, out)
    }

    fn drawn_on(target: ProgressDrawTarget, verbosity: Verbosity, out: W) -> Self {
        let live = verbosity == Verbosity::Bar && !target.is_hidden();
        let bar = live.then(|| ProgressBar::with_draw_target(None, target).with_style(style(0)));
        let (timer, drawn, metrics) = (Timer::start(Instant::now()), None, Vec::new());
        Self { verbosity, out, bar, timer, drawn, done: 0, steps: 0, metrics }
    }

    /// Begins epoch `epoch` of `epochs`, counted from 1, with a line that says so.
    pub fn epoch(&mut self, epoch: usize, epochs: usize) {
        self.start();
        self.print(&format!("Epoch {epoch}/{epochs}"));
    }

    /// Begins a pass that is no epoch, such as an evaluation: no headline.
    pub fn start(&mut self) {
        self.timer = Timer::start(Instant::now());
        self.drawn = None;
        (self.done, self.steps) = (0, 0);
        self.metrics.clear();
    }

    /// Whether the live line will be drawn anew when step `done` of `steps` is told: only then does it need the metrics.
    pub fn is_due(&self, done: usize, steps: usize) -> bool {
        let waited = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REFRESH);
        self.verbosity != Verbosity::Silent && self.bar.is_some() && (waited || done == steps)
    }

    /// Step `done` of `steps` (from 1) is done, and the running metrics are these.
    pub fn step(&mut self, done: usize, steps: usize, metrics: &[(&str, f64)]) {
        if self.verbosity == Verbosity::Silent {
            return;
        }
        let now = Instant::now();
        (self.done, self.steps) = (done, steps);
        self.timer.step(done, now);
        self.set(metrics);
        let due = self.drawn.is_none_or(|drawn| now - drawn >= REFRESH) || done == steps;
        if let (true, Some(bar)) = (due, &self.bar) {
            if self.drawn.is_none() {
                bar.set_style(style(steps));
                bar.set_length(steps as u64);
                bar.reset();
            }
            let per_step = self.timer.per_step(done);
            let left = per_step.mul_f64(steps.saturating_sub(done) as f64);
            bar.set_position(done as u64);
            bar.set_message(format!("{} {}{}", time_left(left), time_per_step(per_step), listed(&self.metrics)));
            self.drawn = Some(now);
        }
    }

    /// Ends the epoch with its last line. `metrics` are added to the running ones, or replace those of their name.
    pub fn finish(&mut self, metrics: &[(&str, f64)]) {
        if self.verbosity == Verbosity::Silent {
            return;
        }
        self.set(metrics);
        let total = self.timer.start.elapsed().as_secs_f64();
        let (steps, metrics) = (self.steps, listed(&self.metrics));
        let per_step = time_per_step(self.timer.per_step(self.done));
        let line = match &self.bar {
            Some(bar) => {
                bar.finish_and_clear();
                let done = WIDTH * self.done / steps.max(1);
                let (done, left) = ("━".repeat(done), "─".repeat(WIDTH - done));
                let (done, left) = (console::style(done).green(), console::style(left).dim());
                format!("{}/{steps} {done}{left} {total:.0}s {per_step}{metrics}", self.done)
            }
            None => format!("{}/{steps} - {total:.0}s - {per_step}{metrics}", self.done),
        };
        self.print(&line);
    }

    /// Keeps the latest value of each metric, in the order in which they are printed.
    fn set(&mut self, metrics: &[(&str, f64)]) {
        for &(name, value) in metrics {
            match self.metrics.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value,
                None => self.metrics.push((name.to_owned(), value)),
            }
        }
        let place = |name: &str| (name == "learning_rate", name.starts_with("val_"));
        self.metrics.sort_by(|(a, _), (b, _)| (place(a), a).cmp(&(place(b), b)));
    }

    fn print(&mut self, line: &str) {
        if self.verbosity != Verbosity::Silent {
            let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
        }
    }
}

/// `117/469 ━━━━━╸──────────────` and the message, for a count up to `steps`.
fn style(steps: usize) -> ProgressStyle {
    let digits = steps.to_string().len();
    let template = format!("{{pos:>{digits}}}/{{len}} {{bar:{WIDTH}.green/dim}} {{msg}}");
    ProgressStyle::with_template(&template).expect("the template is well formed").progress_chars("━╸─")
}

/// When a pass began, and when its first and its latest step were done.
struct Timer {
    start: Instant,
    first: Instant,
    latest: Instant,
}

impl Timer {
    fn start(start: Instant) -> Self {
        Self { start, first: start, latest: start }
    }

    fn step(&mut self, done: usize, now: Instant) {
        if done <= 1 {
            self.first = now;
        }
        self.latest = now;
    }

    /// The mean time of a step. As in Keras the first does not count once there are more: it fills caches and pools.
    /// Unlike there, the validation after the last step does not count either.
    fn per_step(&self, done: usize) -> Duration {
        match done {
            0 | 1 => self.latest - self.start,
            _ => (self.latest - self.first).div_f64((done - 1) as f64),
        }
    }
}

/// Keras's time to go: `42s`, `1:07` above a minute, `1:02:07` above an hour.
fn time_left(left: Duration) -> String {
    let s = left.as_secs();
    match s {
        3601.. => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
        61.. => format!("{}:{:02}", s / 60, s % 60),
        _ => format!("{s}s"),
    }
}

/// Keras's time per step, in the largest of s, ms and us of which it is at least 1.
fn time_per_step(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 || seconds == 0.0 {
        format!("{seconds:.0}s/step")
    } else if seconds >= 1e-3 {
        format!("{:.0}ms/step", seconds * 1e3)
    } else {
        format!("{:.0}us/step", seconds * 1e6)
    }
}

/// ` - name: value` for each.
fn listed(metrics: &[(String, f64)]) -> String {
    metrics.iter().fold(String::new(), |mut text, (name, value)| {
        let _ = write!(text, " - {name}: {}", number(*value));
        text
    })
}

/// Keras's number: `%.4f` above 1e-3, else `%.4e`; `nan` and `inf` as Python has them.
fn number(x: f64) -> String {
    if !x.is_finite() {
        return format!("{x}").to_lowercase();
    }
    if x.abs() > 1e-3 {
        return format!("{x:.4}");
    }
    let text = format!("{x:.4e}");
    let (mantissa, exponent) = text.split_once('e').expect("this format has an exponent");
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests;
