//! Digits in the terminal.

use std::io::IsTerminal;
use std::ops::Range;

use cotangent_core::{Error, Result};

use super::{Digits, SIDE};

/// From black to white, in characters.
const RAMP: &[u8] = b" .:-=+*#%@";

/// How a terminal can show grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shades {
    /// By the ink of characters: for files and pipes.
    Ascii,
    /// By the 24 greys that a terminal of 256 colours has.
    Greys,
    /// By 24-bit colours.
    TrueColor,
}

impl Shades {
    /// What the standard output can show. Escape codes go to a terminal alone, and `NO_COLOR` is obeyed.
    pub fn of_stdout() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !std::io::stdout().is_terminal() || set("NO_COLOR") {
            return Self::Ascii;
        }
        match std::env::var("COLORTERM").as_deref() {
            Ok("truecolor" | "24bit") => Self::TrueColor,
            _ => Self::Greys,
        }
    }

    /// A line of characters, each of which shows a pair of grey values: one above the other.
    fn paint(self, pairs: impl Iterator<Item = (u8, u8)>) -> String {
        let mut line = String::new();
        let mut last = String::new();
        for (above, below) in pairs {
            let code = match self {
                Self::Ascii => {
                    line.push(RAMP[(above as usize + below as usize) * RAMP.len() / 512] as char);
                    continue;
                }
                Self::Greys => {
                    let grey = |value: u8| 232 + value as usize * 24 / 256;
                    format!("\x1b[38;5;{};48;5;{}m", grey(above), grey(below))
                }
                Self::TrueColor => format!("\x1b[38;2;{above};{above};{above};48;2;{below};{below};{below}m"),
            };
            if code != last {
                line.push_str(&code);
                last = code;
            }
            line.push('▀');
        }
        line + self.reset()
    }

    /// What ends a line of painted characters.
    fn reset(self) -> &'static str {
        if self == Self::Ascii { "" } else { "\x1b[0m" }
    }
}

/// The digits as text, `columns` beside each other, each `width` characters wide (28 shows every pixel; 14 reads
/// well), with the model's answer under it. A wrong answer is marked with the true digit: `5 ≠ 6`, in red.
///
/// ```
/// use cotangent_train::figure::{Digits, Shades, terminal_digits};
/// let digits = Digits { images: &[0; 2 * 28 * 28], predicted: &[7, 5], truth: &[7, 6] };
/// let text = terminal_digits(&digits, 2, 14, Shades::Ascii).unwrap();
/// assert_eq!(text.lines().last().unwrap().trim(), "7            5 != 6");
/// ```
///
/// # Errors
/// If the images, the answers and the true digits are not of one number, or `columns` or `width` cannot be.
pub fn terminal_digits(digits: &Digits, columns: usize, width: usize, shades: Shades) -> Result<String> {
    let count = digits.count()?;
    if columns == 0 || !(6..=SIDE).contains(&width) {
        let message = format!("{columns} columns of {width} characters cannot be drawn");
        return Err(Error::new("terminal_digits", message).hint("use at least 1 column, and 6 to 28 characters"));
    }
    let mut text = String::new();
    for first in (0..count).step_by(columns) {
        let row = first..count.min(first + columns);
        for y in (0..width).step_by(2) {
            let lines = row.clone().map(|i| line(digits.image(i), y, width, shades));
            push_line(&mut text, lines);
        }
        push_line(&mut text, row.map(|i| title(digits, i, width, shades)));
    }
    Ok(text)
}

/// Adds a line of cells with a space between them.
fn push_line(text: &mut String, cells: impl Iterator<Item = String>) {
    let line = cells.collect::<Vec<_>>().join(" ");
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Rows `y` and `y + 1` of `image` shrunk to `width` × `width`, as one line of characters.
fn line(image: &[u8], y: usize, width: usize, shades: Shades) -> String {
    let value = |x, y| if y < width { mean(image, span(y, width), span(x, width)) } else { 0 };
    shades.paint((0..width).map(|x| (value(x, y), value(x, y + 1))))
}

/// The pixels of the image that place `i` of `width` stands for; at least one.
fn span(i: usize, width: usize) -> Range<usize> {
    i * SIDE / width..((i + 1) * SIDE).div_ceil(width)
}

/// The mean grey of a part of `image`.
fn mean(image: &[u8], rows: Range<usize>, columns: Range<usize>) -> u8 {
    let count = rows.len() * columns.len();
    let sum: usize = rows.flat_map(|y| columns.clone().map(move |x| image[y * SIDE + x] as usize)).sum();
    (sum / count) as u8
}

/// The answer for image `i`, centred in `width`.
fn title(digits: &Digits, i: usize, width: usize, shades: Shades) -> String {
    let (predicted, truth) = (digits.predicted[i], digits.truth[i]);
    if digits.right(i) {
        return format!("{predicted:^width$}");
    }
    match shades {
        Shades::Ascii => format!("{:^width$}", format!("{predicted} != {truth}")),
        _ => format!("\x1b[31m{:^width$}\x1b[0m", format!("{predicted} ≠ {truth}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image whose upper half is white, and a black one.
    fn halves() -> Vec<u8> {
        let mut images = vec![255; SIDE * SIDE / 2];
        images.resize(2 * SIDE * SIDE, 0);
        images
    }

    fn digits(images: &[u8]) -> Digits<'_> {
        Digits { images, predicted: &[3, 5], truth: &[3, 6] }
    }

    #[test]
    fn ascii_shows_ink_where_the_image_is_white() {
        let text = terminal_digits(&digits(&halves()), 2, 8, Shades::Ascii).unwrap();
        assert_eq!(text, "@@@@@@@@\n@@@@@@@@\n\n\n   3      5 != 6\n");
    }

    #[test]
    fn a_row_holds_no_more_than_its_columns() {
        let text = terminal_digits(&digits(&halves()), 1, 7, Shades::Ascii).unwrap();
        assert_eq!(text.lines().count(), 2 * (4 + 1), "an odd width has half a line more");
        assert!(text.is_ascii() && !text.contains('\x1b'));
    }

    #[test]
    fn colours_end_with_their_line() {
        for (shades, white) in [(Shades::Greys, "38;5;255;48;5;255m▀"), (Shades::TrueColor, "38;2;255;255;255;48")] {
            let text = terminal_digits(&digits(&halves()), 2, 14, shades).unwrap();
            assert!(text.contains(white), "{text:?}");
            assert!(text.contains("\x1b[31m    5 ≠ 6     \x1b[0m"), "{text:?}");
            assert!(text.lines().all(|line| line.ends_with("\x1b[0m")), "{text:?}");
        }
    }

    #[test]
    fn shrinking_takes_the_mean_and_misses_no_pixel() {
        let mut image = [0; SIDE * SIDE];
        image[SIDE] = 200;
        assert_eq!(mean(&image, 0..2, 0..2), 50);
        for width in 6..=SIDE {
            let covered = (0..width).flat_map(|i| span(i, width)).collect::<std::collections::BTreeSet<_>>();
            assert!(covered.into_iter().eq(0..SIDE), "width {width}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let error = terminal_digits(&digits(&[0; 5]), 2, 14, Shades::Ascii).unwrap_err().to_string();
        assert!(error.contains("5 pixels, 2 predictions and 2 true digits"), "{error}");
        let error = terminal_digits(&digits(&halves()), 0, 29, Shades::Ascii).unwrap_err().to_string();
        assert!(error.contains("0 columns of 29 characters"), "{error}");
    }
}
