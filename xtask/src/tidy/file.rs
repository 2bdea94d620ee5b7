//! A text file, and its code alone: what is left when comments and literals are blanked.

/// A text file of the repository.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The text with comments and the insides of literals replaced by spaces, line by line the same length.
    pub code: String,
}

impl File {
    /// The file at `path` with this text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let code = if is_source(&path) { code(&text) } else { String::new() };
        Self { path, text, code }
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is source code: Rust or CUDA.
    pub fn is_source(&self) -> bool {
        is_source(&self.path)
    }

    /// `path:line: message`, with the line counted from 1.
    pub fn complaint(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }

    /// The lines (from 1) whose code has `word` standing alone, not as a part of a longer name.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        let lines = self.code.lines().enumerate();
        lines.filter(|(_, line)| has_word(line, word)).map(|(i, _)| i + 1).collect()
    }
}

fn is_source(path: &str) -> bool {
    path.ends_with(".rs") || path.ends_with(".cu")
}

/// Whether `line` has `word` with no letter, digit or `_` beside it.
pub fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_name)
            && (!word.ends_with(part_of_name) || !line[at + word.len()..].starts_with(part_of_name))
    })
}

/// Blanks comments and the insides of string and character literals; keeps every line break.
fn code(text: &str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let (skip, keep) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), ""),
            '/' if rest.starts_with("/*") => (block_comment(rest), ""),
            '"' => (string(rest), "\""),
            '\'' => (character(rest), ""),
            'r' if !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') => (raw_string(rest), ""),
            _ => (0, ""),
        };
        if skip == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.push_str(keep);
            out.extend(rest[..skip].chars().skip(keep.len()).map(|c| if c == '\n' { c } else { ' ' }));
            rest = &rest[skip..];
        }
    }
    out
}

/// The bytes of a block comment that starts here; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        let step = match here {
            [b'/', b'*', ..] => {
                depth += 1;
                2
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The bytes of a string literal that starts here with its quote.
fn string(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

/// The bytes of a character literal that starts here, or 0 if the quote starts a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, _))) => text[escaped + 1..].find('\'').map_or(0, |n| escaped + n + 2),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The bytes of a raw string literal (`r"…"`, `r#"…"#`) that starts here, or 0 if there is none.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|&b| b == b'#').count();
    let start = 1 + hashes;
    if text.as_bytes().get(start) != Some(&b'"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    text[start + 1..].find(&end).map_or(text.len(), |n| start + 1 + n + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_keeps_lines_and_drops_comments_and_literals() {
        let text = "let a = \"x // \\\" y\"; // note\nlet b: &'a u8 = '\\''; /* one /* two */\n three */ let c = r#\"\"d\"\"#;";
        let code = code(text);
        assert_eq!(code.lines().count(), text.lines().count());
        for gone in ["x", "y", "note", "one", "three", "d"] {
            assert!(!has_word(&code, gone), "{gone} is still in {code}");
        }
        for kept in ["a", "b", "&'a u8", "c"] {
            assert!(has_word(&code, kept), "{kept} is not in {code}");
        }
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("x = unsafe { }", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe"));
        assert!(!has_word("is_unsafe", "unsafe"));
        assert!(has_word("a.dbg!(x)", "dbg!"));
    }
}
