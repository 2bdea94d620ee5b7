//! A profile as a file for trace viewers.

use super::Profile;
use cotangent_base::{Error, Result};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

impl Profile {
    /// The profile as JSON in the trace event format, which Perfetto (<https://ui.perfetto.dev>) and the browsers'
    /// own viewers (`chrome://tracing`) open: a bar for each op, and one around those of each layer.
    ///
    /// Source: "Trace Event Format", Google; complete events (`ph` = `X`), times in microseconds.
    pub fn trace(&self) -> String {
        let mut out = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
        out += "\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"tid\":1,\"args\":{\"name\":\"cotangent\"}}";
        for span in &self.spans {
            complete(&mut out, &span.path, "layer", span.start, span.time, &[]);
        }
        for event in &self.events {
            let result = format!("{} {}", event.spec.dtype, event.spec.shape);
            let (layer, moved) = (event.layer.as_deref().unwrap_or_default(), event.moved.to_string());
            let details = [("tensor", result.as_str()), ("layer", layer), ("bytes", &moved)];
            complete(&mut out, event.op, &event.phase.to_string(), event.start, event.time, &details);
        }
        out + "\n]}\n"
    }

    /// Writes the [`trace`](Profile::trace) to a file.
    pub fn write_trace(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.trace())
            .map_err(|e| Error::new(path.display().to_string(), "the trace cannot be written").because(e))
    }
}

fn complete(out: &mut String, name: &str, kind: &str, start: Duration, time: Duration, details: &[(&str, &str)]) {
    let micros = |t: Duration| t.as_nanos() as f64 / 1e3;
    let (name, kind, start, time) = (quoted(name), quoted(kind), micros(start), micros(time));
    let args: Vec<String> = details.iter().map(|(key, value)| format!("{}:{}", quoted(key), quoted(value))).collect();
    let _ = write!(out, ",\n{{\"name\":{name},\"cat\":{kind},\"ph\":\"X\",\"pid\":1,\"tid\":1,");
    let _ = write!(out, "\"ts\":{start},\"dur\":{time},\"args\":{{{}}}}}", args.join(","));
}

/// The text as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn names_are_escaped_as_json_wants_it() {
        assert_eq!(quoted("a \"b\" \\ é\n"), r#""a \"b\" \\ é\u000a""#);
    }
}
