//! The notebook's figure: a grid of digits, each with the model's answer above it.

use std::path::Path;

use cotangent_core::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, FONT, Page, failed};
use super::{Digits, SIDE};

/// One digit with its title takes a square of this many pixels,
const CELL: usize = 138;
/// and so many are free around all of them: 10 × 10 digits make 1400 pixels, the notebook's 14 inches at 100 dpi.
const MARGIN: usize = 10;
/// From the top of a cell to its image.
const HEAD: usize = 23;
/// Pixels of the figure for each pixel of an image.
const SCALE: usize = 4;
/// The width of the frame around an image that the model gets wrong.
const FRAME: usize = 3;

/// Draws the digits as a PNG at `path`, `columns` beside each other: the image in grey, the model's answer above it.
/// A wrong answer is red, with the true digit beside it and a frame around the image.
///
/// # Errors
/// If the images, the answers and the true digits are not of one number, if there are none, or if the file cannot be
/// written.
pub fn digit_grid(path: impl AsRef<Path>, digits: &Digits, columns: usize) -> Result<()> {
    let count = digits.count()?;
    if count == 0 || columns == 0 {
        return Err(Error::new("digit_grid", format!("{count} digits in {columns} columns are no figure")));
    }
    let size = |cells| (cells * CELL + 2 * MARGIN) as u32;
    canvas::draw(path.as_ref(), size(columns), size(count.div_ceil(columns)), |page| {
        let corner = |i| (i % columns * CELL + MARGIN, i / columns * CELL + MARGIN);
        (0..count).try_for_each(|i| draw_digit(page, digits, i, corner(i)))
    })
}

/// Draws digit `i` into the cell whose upper left corner is `(x, y)`.
fn draw_digit(page: &Page, digits: &Digits, i: usize, (x, y): (usize, usize)) -> Result<()> {
    let (predicted, truth, right) = (digits.predicted[i], digits.truth[i], digits.right(i));
    let (title, color) =
        if right { (predicted.to_string(), BLACK) } else { (format!("{predicted}  (true: {truth})"), RED) };
    let style = TextStyle::from((FONT, 20).into_font()).color(&color).pos(Pos::new(HPos::Center, VPos::Bottom));
    let point = |x: usize, y: usize| (x as i32, y as i32);
    page.draw(&Text::new(title, point(x + CELL / 2, y + HEAD - 3), style)).map_err(failed)?;

    let size = SIDE * SCALE;
    let (left, top) = (x + (CELL - size) / 2, y + HEAD);
    if !right {
        let frame = [point(left - FRAME, top - FRAME), point(left + size + FRAME - 1, top + size + FRAME - 1)];
        page.draw(&Rectangle::new(frame, RED.filled())).map_err(failed)?;
    }
    let pixels = enlarge(digits.image(i));
    let size = (size as u32, size as u32);
    let image = BitMapElement::with_owned_buffer(point(left, top), size, pixels).expect("the buffer has that size");
    page.draw(&image).map_err(failed)
}

/// The image with every pixel made a square of `SCALE` × `SCALE` RGB pixels.
fn enlarge(image: &[u8]) -> Vec<u8> {
    let size = SIDE * SCALE;
    (0..size * size).flat_map(|i| [image[i / size / SCALE * SIDE + i % size / SCALE]; 3]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_answer_is_red_and_a_right_one_is_not() {
        let images: Vec<u8> = (0..3 * SIDE * SIDE).map(|i| (i % SIDE * 9) as u8).collect();
        let path = canvas::scratch("grid");
        digit_grid(&path, &Digits { images: &images, predicted: &[7, 2, 1], truth: &[7, 3, 1] }, 2).unwrap();
        let (width, height, pixels) = canvas::read(&path);
        let folder = path.parent().unwrap();
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "the file under its first name is gone");
        std::fs::remove_dir_all(folder).unwrap();

        let side = 2 * (CELL + MARGIN);
        assert_eq!((width as usize, height as usize), (side, side), "two rows of two");
        let at = |x: usize, y: usize| &pixels[3 * (y * side + x)..][..3];
        let cell_has = |column: usize, row: usize, what: fn(&[u8]) -> bool| {
            let (x, y) = (MARGIN + column * CELL, MARGIN + row * CELL);
            (y..y + CELL).any(|y| (x..x + CELL).any(|x| what(at(x, y))))
        };
        let red = |p: &[u8]| p[0] > 200 && p[1] < 60 && p[2] < 60;
        assert!(!cell_has(0, 0, red) && cell_has(1, 0, red) && !cell_has(0, 1, red), "the second alone is wrong");
        assert!(!cell_has(1, 1, |p| p != [255; 3]), "there is no fourth digit");
        let title_is_drawn = (MARGIN..MARGIN + HEAD).any(|y| (MARGIN..MARGIN + CELL).any(|x| at(x, y)[0] < 128));
        assert!(title_is_drawn);
        let left = MARGIN + (CELL - SIDE * SCALE) / 2;
        assert_eq!(at(left + 3 * SCALE, MARGIN + HEAD + 50), [27; 3], "the fourth column of an image");
    }

    #[test]
    fn no_digits_are_no_figure() {
        let none = Digits { images: &[], predicted: &[], truth: &[] };
        assert!(digit_grid("never.png", &none, 10).is_err());
    }
}
