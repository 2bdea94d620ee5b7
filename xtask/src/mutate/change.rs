//! [`Change`]: one deliberate mistake in the text of an op's rule.

/// A change of one place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The line, counted from 1.
    pub line: usize,
    /// What the change is, for the reader.
    pub what: String,
    /// The bytes that are replaced.
    place: std::ops::Range<usize>,
    with: &'static str,
}

/// What stands in a rule, and what a mistake would make of it. The first is looked for as it stands.
const MISTAKES: [(&str, &str); 28] = [
    (" + ", " - "),
    (" - ", " + "),
    (" * ", " / "),
    (" / ", " * "),
    ("[-", "["),
    ("(-", "("),
    ("= -", "= "),
    (", -", ", "),
    ("dy * ", ""),
    (" * dy", ""),
    ("* y", ""),
    ("* x", ""),
    (".gt(", ".lt("),
    (".lt(", ".gt("),
    (".eq(", ".ne("),
    ("ge(", "le("),
    (".t()", ""),
    ("need[0].then(|| dy", "need[0].then(|| -dy"),
    ("L::one()", "L::zero()"),
    ("L::zero()", "L::one()"),
    ("L::splat(0.5)", "L::splat(0.25)"),
    ("L::splat(2.0)", "L::splat(3.0)"),
    (".cos()", ".sin()"),
    (".sin()", ".cos()"),
    (".exp()", ".exp_m1()"),
    (".square()", ""),
    ("mean_keepdim(", "sum_keepdim("),
    (", true)", ", false)"),
];

impl Change {
    /// The file with the change in it.
    pub fn applied(&self, text: &str) -> String {
        [&text[..self.place.start], self.with, &text[self.place.end..]].concat()
    }
}

/// Every mistake that can be made in the rules of a file: in each `fn vjp` and in the private functions, which rules
/// are made of.
pub fn changes(text: &str) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut start, mut inside) = (0, None);
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.split("//").next().unwrap_or_default();
        if inside.is_none() && begins_a_rule(code) {
            inside = Some(indent);
        } else if let Some(outer) = inside {
            if code.trim() == "}" && indent == outer {
                inside = None;
            } else {
                found.extend(in_line(code, start, number + 1));
            }
        }
        start += line.len() + 1;
    }
    found
}

fn begins_a_rule(code: &str) -> bool {
    let code = code.trim_start();
    code.starts_with("fn ")
        && code.ends_with('{')
        && !["infer", "forward", "fits", "axis"].iter().any(|name| code[3..].starts_with(name))
}

fn in_line(code: &str, start: usize, line: usize) -> impl Iterator<Item = Change> {
    MISTAKES.iter().flat_map(move |&(right, wrong)| {
        code.match_indices(right).map(move |(at, _)| Change {
            line,
            what: format!("`{}` → `{}`", code.trim(), [&code[..at], wrong, &code[at + right.len()..]].concat().trim()),
            place: start + at..start + at + right.len(),
            with: wrong,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OP: &str = "\
impl Unary for A {
    fn forward(self, x: L) -> L {
        x + x
    }
    fn vjp(self, x: L, dy: L) -> L {
        dy * x // + nothing
    }
}
fn helper(x: L) -> L {
    x - x
}
impl Tensor {
    pub fn a(&self) -> Tensor {
        x + x
    }
}
";

    #[test]
    fn mistakes_are_made_in_rules_alone() {
        let all: Vec<String> = changes(OP).iter().map(|c| format!("{} {}", c.line, c.what)).collect();
        assert_eq!(all, ["6 `dy * x` → `dy / x`", "6 `dy * x` → `x`", "6 `dy * x` → `dy`", "10 `x - x` → `x + x`"]);
    }

    #[test]
    fn a_change_is_made_in_its_place() {
        let change = &changes(OP)[1];
        assert_eq!(change.applied(OP), OP.replace("dy * x", "x"));
    }
}
