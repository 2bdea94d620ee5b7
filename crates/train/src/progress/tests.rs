use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

mod picture;

#[test]
fn numbers_read_as_pythons_do() {
    // Python: f"{x:.4f}" if abs(x) > 1e-3 else f"{x:.4e}"
    let cases = [
        (0.91634, "0.9163"),
        (-2.5, "-2.5000"),
        (16.11809, "16.1181"),
        (0.001, "1.0000e-03"),
        (0.00012345, "1.2345e-04"),
        (-3.2e-12, "-3.2000e-12"),
        (1e-120, "1.0000e-120"),
        (0.0, "0.0000e+00"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ];
    for (x, text) in cases {
        assert_eq!(number(x), text);
    }
}

#[test]
fn times_per_step_choose_their_unit() {
    let cases = [(0, "0s"), (2_000_000, "2s"), (999_000, "999ms"), (1_000, "1ms"), (71_400, "71ms"), (42, "42us")];
    for (us, text) in cases {
        assert_eq!(time_per_step(Duration::from_micros(us)), format!("{text}/step"));
    }
}

#[test]
fn time_left_grows_a_colon_above_a_minute_and_an_hour() {
    for (s, text) in [(0, "0s"), (60, "60s"), (61, "1:01"), (3600, "60:00"), (3661, "1:01:01"), (36000, "10:00:00")] {
        assert_eq!(time_left(Duration::from_secs(s)), text);
    }
}

#[test]
fn the_first_step_does_not_count_once_there_are_more() {
    let start = Instant::now();
    let after = |s| start + Duration::from_secs(s);
    let mut timer = Timer::start(start);
    assert_eq!(timer.per_step(0), Duration::ZERO);
    timer.step(1, after(10));
    assert_eq!(timer.per_step(1), Duration::from_secs(10));
    timer.step(5, after(18));
    assert_eq!(timer.per_step(5), Duration::from_secs(2));
}

/// What two epochs of two steps write with this verbosity, off a terminal.
fn plain(verbosity: Verbosity) -> String {
    let mut text = Vec::new();
    let mut progress = Progress::new(verbosity, &mut text);
    for epoch in 1..=2 {
        progress.epoch(epoch, 2);
        progress.step(1, 2, &[("loss", 2.0), ("accuracy", 0.25)]);
        progress.step(2, 2, &[("loss", 1.0), ("accuracy", 0.5)]);
        progress.finish(&[("val_loss", 0.75), ("zeal", 3.0), ("val_accuracy", 0.875)]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn off_a_terminal_an_epoch_is_two_plain_lines() {
    for verbosity in [Verbosity::Bar, Verbosity::Lines] {
        let text = plain(verbosity);
        assert!(!text.contains(['\x1b', '\r', '\x08']), "{text:?}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[0], "Epoch 1/2");
        assert!(lines[1].starts_with("2/2 - 0s - "), "{text}");
        let metrics = "accuracy: 0.5000 - loss: 1.0000 - zeal: 3.0000 - val_accuracy: 0.8750 - val_loss: 0.7500";
        assert!(lines[1].ends_with(&format!("/step - {metrics}")), "{text}");
        assert_eq!(lines[2], "Epoch 2/2");
    }
}

#[test]
fn silence_is_silent() {
    assert_eq!(plain(Verbosity::Silent), "");
}

#[test]
fn metrics_of_one_pass_do_not_reach_the_next() {
    let mut text = Vec::new();
    let mut progress = Progress::new(Verbosity::Lines, &mut text);
    progress.epoch(1, 1);
    progress.step(1, 1, &[("loss", 1.0)]);
    progress.finish(&[]);
    progress.start();
    progress.step(1, 1, &[("accuracy", 1.0)]);
    progress.finish(&[]);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches("loss").count(), 1, "{text}");
}

/// A terminal of 80 columns that keeps what is written to it, cursor movements aside.
#[derive(Clone, Debug, Default)]
struct Terminal(Arc<Mutex<String>>);

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        80
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        self.write_str("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.write_str("\r")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn on_a_terminal_a_live_line_goes_before_the_last() {
    let terminal = Terminal::default();
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut text = Vec::new();
    let mut progress = Progress::drawn_on(target, Verbosity::Bar, &mut text);
    progress.epoch(1, 1);
    for done in 1..=100 {
        progress.step(done, 100, &[("loss", 1.0 / done as f64)]);
    }
    progress.finish(&[("val_loss", 0.25)]);
    let live = console::strip_ansi_codes(&terminal.0.lock().unwrap()).into_owned();
    assert!(live.contains("  1/100 ╸─────────────────── "), "{live}");
    assert!(live.contains("/step - loss: 1.0000"), "{live}");
    assert!(live.contains("100/100 ━━━━━━━━━━━━━━━━━━━━ 0s "), "{live}");
    assert!(live.contains("/step - loss: 0.0100"), "{live}");
    assert!(live.matches("/100 ").count() < 50, "drawn at every step: {live}");
    let text = console::strip_ansi_codes(str::from_utf8(&text).unwrap()).into_owned();
    assert!(text.starts_with("Epoch 1/1\n100/100 ━━━━━━━━━━━━━━━━━━━━ 0s "), "{text}");
    assert!(text.ends_with("/step - loss: 0.0100 - val_loss: 0.2500\n"), "{text}");
}
