//! The table of a model's layers, as Keras prints it.

use crate::Model;
use std::fmt::Write;

impl Model {
    /// Prints the layers with their output shapes and parameter counts.
    pub fn summary(&self) {
        print!("{}", self.describe());
    }

    /// The text that [`summary`](Model::summary) prints.
    pub fn describe(&self) -> String {
        let rows: Vec<[String; 3]> = self
            .graph
            .calls
            .iter()
            .map(|call| {
                let entry = &self.graph.layers[call.layer];
                let mut shape = vec!["None".to_owned()];
                shape.extend(call.output.iter().map(usize::to_string));
                let count: usize = entry.layer.params().iter().map(|p| p.value.count()).sum();
                [
                    format!("{} ({})", entry.name, entry.layer.kind()),
                    format!("({})", shape.join(", ")),
                    thousands(count),
                ]
            })
            .collect();
        let (total, trainable) = (self.param_count(), self.trainable_count());
        let mut out = format!("Model: {:?}\n", self.name);
        out += &table(["Layer (type)", "Output Shape", "Param #"], &rows);
        for (what, count) in [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)] {
            let _ = writeln!(out, " {what} params: {} ({})", thousands(count), bytes(count * 4));
        }
        out
    }
}

fn table(head: [&str; 3], rows: &[[String; 3]]) -> String {
    let widths: Vec<usize> =
        (0..3).map(|c| rows.iter().map(|r| r[c].chars().count()).chain([head[c].len()]).max().unwrap_or(0)).collect();
    let rule = |[left, line, cross, right]: [char; 4]| {
        let cells: Vec<String> = widths.iter().map(|&w| line.to_string().repeat(w + 2)).collect();
        format!("{left}{}{right}\n", cells.join(&cross.to_string()))
    };
    let [a, b, c] = [widths[0], widths[1], widths[2]];
    let mut out = rule(['┏', '━', '┳', '┓']);
    let _ = writeln!(out, "┃ {:<a$} ┃ {:<b$} ┃ {:>c$} ┃", head[0], head[1], head[2]);
    out += &rule(['┡', '━', '╇', '┩']);
    for row in rows {
        let _ = writeln!(out, "│ {:<a$} │ {:<b$} │ {:>c$} │", row[0], row[1], row[2]);
    }
    out + &rule(['└', '─', '┴', '┘'])
}

/// `1199882` → `1,199,882`.
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A size in bytes as `4.58 MB`, in powers of 1024 as Keras counts.
fn bytes(n: usize) -> String {
    let (mut size, mut units) = (n as f64, ["B", "KB", "MB", "GB"].into_iter().peekable());
    while size >= 1024.0 && units.len() > 1 {
        size /= 1024.0;
        units.next();
    }
    format!("{size:.2} {}", units.next().unwrap_or("GB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([7, 999, 1000, 1_199_882].map(thousands), ["7", "999", "1,000", "1,199,882"]);
        assert_eq!([0, 1023, 4 * 1_199_882].map(bytes), ["0.00 B", "1023.00 B", "4.58 MB"]);
    }
}
