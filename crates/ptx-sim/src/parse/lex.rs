//! Text to tokens: words (names, opcodes, directives, numbers), strings and single punctuation marks.

use crate::PtxError;

/// A piece of the text, and its line counted from 1.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: u32,
}

/// The tokens of a text, read one after another.
pub struct Tokens<'a> {
    list: Vec<Token<'a>>,
    at: usize,
    last_line: u32,
}

impl<'a> Tokens<'a> {
    /// Splits `text`; comments and source-line directives (`.loc`, `.file`) are dropped.
    pub fn new(text: &'a str) -> Result<Self, PtxError> {
        let (mut list, mut line, mut rest) = (Vec::new(), 1, text);
        while let Some(first) = rest.chars().next() {
            let length =
                token_length(rest, first).ok_or_else(|| PtxError::syntax(line, "unclosed comment or string"))?;
            let (token, after) = rest.split_at(length);
            let skipped = first.is_whitespace() || token.starts_with("//") || token.starts_with("/*");
            if !skipped {
                list.push(Token { text: token, line });
            }
            line += token.matches('\n').count() as u32;
            rest = after;
            if matches!(token, ".loc" | ".file") {
                list.pop();
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            }
        }
        Ok(Self { list, at: 0, last_line: line })
    }

    /// The next token's text, or the empty one at the end.
    pub fn peek(&self) -> &'a str {
        self.list.get(self.at).map_or("", |token| token.text)
    }

    /// The text of the token after the next one.
    pub fn peek_second(&self) -> &'a str {
        self.list.get(self.at + 1).map_or("", |token| token.text)
    }

    /// The line of the next token.
    pub fn line(&self) -> u32 {
        self.list.get(self.at).map_or(self.last_line, |token| token.line)
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.at >= self.list.len()
    }

    /// Takes the next token, which must be there.
    pub fn next(&mut self) -> Result<&'a str, PtxError> {
        let token = self.list.get(self.at).ok_or_else(|| self.error("the text ends too early"))?;
        self.at += 1;
        Ok(token.text)
    }

    /// Takes the next token if it is `text`.
    pub fn eat(&mut self, text: &str) -> bool {
        let found = !self.is_empty() && self.peek() == text;
        self.at += usize::from(found);
        found
    }

    /// Takes the next token, which must be `text`.
    pub fn expect(&mut self, text: &str) -> Result<(), PtxError> {
        if self.eat(text) {
            return Ok(());
        }
        Err(self.error(format!("`{text}` expected, `{}` found", self.peek())))
    }

    /// Takes the next token, which must be a name or a number.
    pub fn word(&mut self) -> Result<&'a str, PtxError> {
        if self.is_empty() || self.peek().starts_with(is_word) {
            return self.next();
        }
        Err(self.error(format!("a name expected, `{}` found", self.peek())))
    }

    /// Takes everything up to the `close` that matches an `open` already taken.
    pub fn skip_block(&mut self, open: &str, close: &str) -> Result<(), PtxError> {
        let mut depth = 1;
        while depth > 0 {
            let token = self.next()?;
            depth += i32::from(token == open) - i32::from(token == close);
        }
        Ok(())
    }

    /// An error at the next token's line.
    pub fn error(&self, message: impl Into<String>) -> PtxError {
        PtxError::syntax(self.line(), message)
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '%' | '.')
}

/// The bytes of the token, comment or white space that `text` begins with; `None` if it is not closed.
fn token_length(text: &str, first: char) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return text.find("*/").map(|at| at + 2);
    }
    if first == '"' {
        return text[1..].find('"').map(|at| at + 2);
    }
    if first.is_whitespace() {
        return Some(text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()));
    }
    if !is_word(first) {
        return Some(first.len_utf8());
    }
    if first == '.' {
        // `.reg.b32` is two directives.
        return Some(1 + text[1..].find(|c| !is_word(c) || c == '.').unwrap_or(text.len() - 1));
    }
    // `shared::cta` is one word, `label:` is a word and a mark.
    let mut length = 0;
    loop {
        length += text[length..].find(|c| !is_word(c)).unwrap_or(text.len() - length);
        match text[length..].strip_prefix("::") {
            Some(rest) if rest.starts_with(is_word) => length += 2,
            _ => return Some(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, u32)> {
        Tokens::new(text).unwrap().list.iter().map(|token| (token.text, token.line)).collect()
    }

    #[test]
    fn words_marks_and_lines() {
        assert_eq!(texts(".reg.b32 a").iter().map(|token| token.0).collect::<Vec<_>>(), [".reg", ".b32", "a"]);
        let found = texts("@!%p1 ld.global.f32 %f1, [%rd2+-4]; // note\n$L_1: /* a\nb */ st.shared::cta.u8");
        let words: Vec<&str> = found.iter().map(|token| token.0).collect();
        assert_eq!(
            words,
            [
                "@",
                "!",
                "%p1",
                "ld.global.f32",
                "%f1",
                ",",
                "[",
                "%rd2",
                "+",
                "-",
                "4",
                "]",
                ";",
                "$L_1",
                ":",
                "st.shared::cta.u8"
            ]
        );
        assert_eq!(found.last().unwrap().1, 3);
        assert_eq!(found[13].1, 2);
    }

    #[test]
    fn source_lines_are_dropped() {
        assert_eq!(texts(".loc 1 2 3, function_name\nret;"), [("ret", 2), (";", 2)]);
    }

    #[test]
    fn an_open_comment_is_an_error() {
        assert!(Tokens::new("ret; /* no end").is_err());
        assert!(Tokens::new(".pragma \"x").is_err());
    }
}
