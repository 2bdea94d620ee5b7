//! The table of a model's layers, as Keras prints it.

use crate::graph::{Call, Graph};
use crate::{Model, Sequential};
use cotangent_core::Shape;
use std::fmt::Write;

impl Model {
    /// Prints the layers with their output shapes and parameter counts; unless they are a chain, also what each is
    /// applied to.
    pub fn summary(&self) {
        print!("{}", self.describe());
    }

    /// The text that [`summary`](Model::summary) prints.
    ///
    /// What a layer is connected to stands there as Keras has it: `dense[1][0]` is output 0 of the second call of
    /// `dense`.
    pub fn describe(&self) -> String {
        let graph = &self.graph;
        let mut rows = Vec::new();
        if self.kind != Sequential::KIND {
            let input = |(name, shape)| Row::new(name, "InputLayer", &[shape], 0, vec!["-".into()]);
            rows.extend(self.inputs().map(input));
        }
        for (i, entry) in graph.layers.iter().enumerate() {
            let calls: Vec<&Call> = graph.calls.iter().filter(|call| call.layer == i).collect();
            let shapes: Vec<Shape> = calls[0].outputs.clone().map(|value| graph.shape(value)).collect();
            let count = entry.block.params().iter().map(|(_, p)| p.value.count()).sum();
            let connected = calls.iter().flat_map(|call| &call.inputs).map(|&value| connection(graph, value));
            rows.push(Row::new(&entry.name, entry.block.kind(), &shapes, count, connected.collect()));
        }
        let (total, trainable) = (self.param_count(), self.trainable_count());
        let mut out = format!("Model: {:?}\n", self.name());
        out += &table(&rows, !graph.is_chain());
        for (what, count) in [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)] {
            let _ = writeln!(out, " {what} params: {} ({})", thousands(count), bytes(count * 4));
        }
        out
    }
}

/// Keras's name for a value: the layer, which of its calls, which output of that.
fn connection(graph: &Graph, value: usize) -> String {
    let Some((call, output)) = graph.source(value) else { return format!("{}[0][0]", graph.inputs[value].name) };
    let earlier = |other: &&Call| other.layer == call.layer && other.outputs.start < call.outputs.start;
    format!("{}[{}][{output}]", graph.layers[call.layer].name, graph.calls.iter().filter(earlier).count())
}

/// What the table says of a layer.
struct Row {
    /// Layer, output shape, parameters.
    cells: [String; 3],
    /// Each on a line of its own.
    connected: Vec<String>,
}

impl Row {
    fn new(name: &str, kind: &str, shapes: &[Shape], params: usize, connected: Vec<String>) -> Self {
        let shapes: Vec<String> = shapes.iter().map(|&shape| with_batch(shape)).collect();
        let shapes = if shapes.len() == 1 { shapes[0].clone() } else { format!("[{}]", shapes.join(", ")) };
        Self { cells: [format!("{name} ({kind})"), shapes, thousands(params)], connected }
    }

    /// The lines of the table: the cells in the first one.
    fn lines(&self, connections: bool) -> Vec<Vec<String>> {
        if !connections {
            return vec![self.cells.to_vec()];
        }
        let line = |(i, connected): (usize, &String)| {
            let cells = if i == 0 { self.cells.clone() } else { Default::default() };
            cells.into_iter().chain([connected.clone()]).collect()
        };
        self.connected.iter().enumerate().map(line).collect()
    }
}

/// `(None, 28, 28)`.
fn with_batch(shape: Shape) -> String {
    let sizes = std::iter::once("None".to_owned()).chain(shape.iter().map(usize::to_string));
    format!("({})", sizes.collect::<Vec<_>>().join(", "))
}

fn table(rows: &[Row], connections: bool) -> String {
    let heads = &["Layer (type)", "Output Shape", "Param #", "Connected to"][..if connections { 4 } else { 3 }];
    let lines: Vec<Vec<String>> = rows.iter().flat_map(|row| row.lines(connections)).collect();
    let width = |c: usize| lines.iter().map(|cells| cells[c].chars().count()).chain([heads[c].len()]).max();
    let widths: Vec<usize> = (0..heads.len()).filter_map(width).collect();
    let rule = |[left, line, cross, right]: [char; 4]| {
        let cells: Vec<String> = widths.iter().map(|&w| line.to_string().repeat(w + 2)).collect();
        format!("{left}{}{right}\n", cells.join(&cross.to_string()))
    };
    let line = |cells: &[&str], bar: char| {
        let pad = |(c, (cell, &w)): (usize, (&&str, &usize))| match c {
            2 => format!(" {cell:>w$} "), // numbers stand to the right
            _ => format!(" {cell:<w$} "),
        };
        let cells: Vec<String> = cells.iter().zip(&widths).enumerate().map(pad).collect();
        format!("{bar}{}{bar}\n", cells.join(&bar.to_string()))
    };
    let mut out = rule(['┏', '━', '┳', '┓']) + &line(heads, '┃') + &rule(['┡', '━', '╇', '┩']);
    for cells in &lines {
        out += &line(&cells.iter().map(String::as_str).collect::<Vec<_>>(), '│');
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
