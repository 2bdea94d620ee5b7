//! The notebook's figure: a grid of digits, each with the model's answer above it.

use std::path::Path;

use cotangent_core::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Backend, FONT, Figure, Page, Place, failed};
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
const FRAME: i32 = 3;

/// Draws the digits at `path`, as an SVG if the name ends so, else as a PNG, `columns` beside each other: the image in
/// grey, the model's answer above it. A wrong answer is red, with the true digit beside it and a frame around the image.
///
/// # Errors
/// If the images, the answers and the true digits are not of one number, if there are none, or if the file cannot be
/// written.
pub fn digit_grid(path: impl AsRef<Path>, digits: &Digits, columns: usize) -> Result<()> {
    let count = digits.count()?;
    if count == 0 || columns == 0 {
        return Err(Error::new("digit_grid", format!("{count} digits in {columns} columns are no figure")));
    }
    canvas::draw(path.as_ref(), &Grid { digits, count, columns })
}

struct Grid<'a> {
    digits: &'a Digits<'a>,
    count: usize,
    columns: usize,
}

impl Figure for Grid<'_> {
    fn size(&self) -> (u32, u32) {
        let size = |cells| (cells * CELL + 2 * MARGIN) as u32;
        (size(self.columns), size(self.count.div_ceil(self.columns)))
    }

    fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()> {
        let corner = |i| ((i % self.columns * CELL + MARGIN) as i32, (i / self.columns * CELL + MARGIN) as i32);
        (0..self.count).try_for_each(|i| draw_digit(page, self.digits, i, corner(i)))
    }
}

/// Draws digit `i` into the cell whose upper left corner is `(x, y)`.
fn draw_digit<B: Backend>(page: &Page<B>, digits: &Digits, i: usize, (x, y): Place) -> Result<()> {
    let (predicted, truth, right) = (digits.predicted[i], digits.truth[i], digits.right(i));
    let (title, color) =
        if right { (predicted.to_string(), BLACK) } else { (format!("{predicted}  (true: {truth})"), RED) };
    let style = TextStyle::from((FONT, 20).into_font()).color(&color).pos(Pos::new(HPos::Center, VPos::Bottom));
    let [cell, head, size] = [CELL, HEAD, SIDE * SCALE].map(|n| n as i32);
    page.draw(&Text::new(title, (x + cell / 2, y + head - 3), style)).map_err(failed)?;

    let (left, top) = (x + (cell - size) / 2, y + head);
    if !right {
        let side = size + 2 * FRAME;
        canvas::rectangle(page, (left - FRAME, top - FRAME), (side, side), RED)?;
    }
    let pixels: Vec<RGBColor> = digits.image(i).iter().map(|&grey| RGBColor(grey, grey, grey)).collect();
    canvas::image(page, (left, top), SCALE as i32, SIDE, &pixels)
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
