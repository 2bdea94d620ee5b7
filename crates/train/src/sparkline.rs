//! The course of training in a line of text.

use crate::History;
use std::fmt;

/// From little to much.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What is no number, and infinities.
const NO_NUMBER: char = '×';

/// More values than this are shown by their means over equal spans.
const WIDTH: usize = 60;

/// The values as a line of bars, the greatest full and the least almost empty: the course of a loss in a terminal.
/// More than 60 are drawn together; a span with a value that is not finite is a `×`.
///
/// ```
/// use cotangent_train::sparkline;
/// assert_eq!(sparkline(&[8.0, 4.0, 2.1, 1.0, f64::NAN]), "█▄▂▁×");
/// ```
pub fn sparkline(values: &[f64]) -> String {
    let bars = values.len().min(WIDTH);
    let span = |i: usize| &values[i * values.len() / bars..(i + 1) * values.len() / bars];
    let mean = |span: &[f64]| span.iter().sum::<f64>() / span.len() as f64;
    let means: Vec<f64> = (0..bars).map(|i| mean(span(i))).collect();
    let finite = || means.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let bar = |value: f64| match value {
        _ if !value.is_finite() => NO_NUMBER,
        _ if high > low => LEVELS[((value - low) / (high - low) * 7.0).round() as usize],
        _ => LEVELS[3],
    };
    means.into_iter().map(bar).collect()
}

/// A line for each name: the first and the last value, and the course between them.
///
/// ```text
/// loss      0.9163 → 0.0243  █▃▂▂▁▁▁▁
/// accuracy  0.7012 → 0.9926  ▁▆▇▇████
/// ```
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let width = self.names().map(|name| name.chars().count()).max().unwrap_or(0);
        for (name, values) in self.columns() {
            if let (Some(first), Some(last)) = (values.first(), values.last()) {
                writeln!(f, "{name:width$}  {first:.4} → {last:.4}  {}", sparkline(values))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_courses_are_drawn_together() {
        let falling: Vec<f64> = (0..600).map(|i| f64::from(600 - i)).collect();
        let line: Vec<char> = sparkline(&falling).chars().collect();
        assert_eq!((line.len(), line[0], line[59]), (60, '█', '▁'));
        assert!(line.windows(2).all(|pair| pair[0] >= pair[1]), "{line:?}");
    }

    #[test]
    fn few_values_and_no_numbers_are_no_trouble() {
        assert_eq!([sparkline(&[]), sparkline(&[2.0]), sparkline(&[1.0, 1.0])], ["", "▄", "▄▄"]);
        assert_eq!(sparkline(&[f64::INFINITY, 1.0, 2.0, f64::NAN]), "×▁█×");
    }

    #[test]
    fn a_history_reads_as_a_table() {
        let mut history = History::default();
        for (loss, accuracy) in [(0.9, 0.5), (0.5, 0.75), (0.1, 1.0)] {
            history.push("loss", loss);
            history.push("val_accuracy", accuracy);
        }
        let text = "loss          0.9000 → 0.1000  █▅▁\nval_accuracy  0.5000 → 1.0000  ▁▅█\n";
        assert_eq!(history.to_string(), text);
    }
}
