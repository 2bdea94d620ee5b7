//! Which class is taken for which.

use std::path::Path;

use cotangent_core::{DType, Error, Result, Tensor};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Backend, FONT, Figure, Page, Place, failed};

/// A cell is this large where there are few classes,
const CELL: i32 = 64;
/// the matrix about this large where there are many,
const TARGET: i32 = 1100;
/// and a cell at least this large if its count is written into it.
const READABLE: i32 = 40;
/// Left of the matrix, and above it.
const HEAD: Place = (110, 90);
/// Right of the matrix, and below it.
const MARGIN: i32 = 20;
/// The colour of a cell that has its whole row.
const FULL: RGBColor = RGBColor(8, 69, 148);

/// Draws the confusion matrix `counts` `[C, C]` at `path`, as an SVG if the name ends so, else as a PNG: row i tells
/// what the samples of class i were taken for. A cell is the darker, the greater its share of the row. Classes are
/// named by `names`, or numbered if there are none.
///
/// ```no_run
/// # use cotangent_core::Tensor;
/// # use cotangent_train::figure;
/// let counts = Tensor::from([[9.0_f32, 1.0], [2.0, 8.0]]);
/// figure::confusion_matrix("confusion.png", &counts, &["cat", "dog"])?;
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// # Errors
/// If `counts` is not square, if there are names but not one for each class, or if the file cannot be written.
pub fn confusion_matrix<S: AsRef<str>>(path: impl AsRef<Path>, counts: &Tensor, names: &[S]) -> Result<()> {
    let classes = counts.shape().first().copied().unwrap_or(0);
    if counts.shape()[..] != [classes, classes] || classes == 0 {
        let message = format!("a confusion matrix is [C, C], this tensor is {}", counts.shape());
        return Err(Error::new("confusion_matrix", message));
    }
    if !names.is_empty() && names.len() != classes {
        let message = format!("{} names for {classes} classes", names.len());
        return Err(Error::new("confusion_matrix", message).hint("pass one for each class, or none: `&[\"\"; 0]`"));
    }
    let names = match names.is_empty() {
        true => (0..classes).map(|class| class.to_string()).collect(),
        false => names.iter().map(|name| name.as_ref().to_owned()).collect(),
    };
    let counts = counts.detach().cast(DType::F64).to_vec();
    let cell = (TARGET / classes as i32).clamp(4, CELL);
    canvas::draw(path.as_ref(), &Matrix { counts, names, cell })
}

struct Matrix {
    /// Row by row.
    counts: Vec<f64>,
    names: Vec<String>,
    /// Pixels of a cell.
    cell: i32,
}

impl Figure for Matrix {
    fn size(&self) -> (u32, u32) {
        let side = self.names.len() as i32 * self.cell + MARGIN;
        ((HEAD.0 + side) as u32, (HEAD.1 + side) as u32)
    }

    fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()> {
        let side = self.names.len() as i32 * self.cell;
        canvas::rectangle(page, (HEAD.0 - 1, HEAD.1 - 1), (side + 1, side + 1), RGBColor(150, 150, 150))?;
        write(page, "predicted", (HEAD.0 + side / 2, 26), HPos::Center, 22, BLACK)?;
        write(page, "true", (16, HEAD.1 + side / 2), HPos::Left, 22, BLACK)?;
        let font = (self.cell - 2).min(18);
        for (i, row) in self.counts.chunks(self.names.len()).enumerate() {
            let middle = |i: usize| i as i32 * self.cell + self.cell / 2;
            write(page, &self.names[i], (HEAD.0 - 12, HEAD.1 + middle(i)), HPos::Right, font, BLACK)?;
            write(page, &self.names[i], (HEAD.0 + middle(i), HEAD.1 - 20), HPos::Center, font, BLACK)?;
            let total: f64 = row.iter().sum();
            row.iter().enumerate().try_for_each(|(j, &count)| self.draw_cell(page, (i, j), count, total))?;
        }
        Ok(())
    }
}

impl Matrix {
    fn draw_cell<B: Backend>(&self, page: &Page<B>, (i, j): (usize, usize), count: f64, total: f64) -> Result<()> {
        let corner = (HEAD.0 + j as i32 * self.cell, HEAD.1 + i as i32 * self.cell);
        let share = if total > 0.0 { count / total } else { 0.0 };
        // the last row and column of pixels stay grey: a line between cells
        canvas::rectangle(page, corner, (self.cell - 1, self.cell - 1), shade(share))?;
        if self.cell < READABLE || count == 0.0 {
            return Ok(());
        }
        let (text, color) = (format!("{count}"), if share > 0.5 { WHITE } else { BLACK });
        write(page, &text, (corner.0 + self.cell / 2, corner.1 + self.cell / 2), HPos::Center, 18, color)
    }
}

/// From white to the full colour; by the square root, so that few errors among many right answers are seen.
fn shade(share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0).sqrt();
    let mix = |end: u8| (255.0 + share * (f64::from(end) - 255.0)).round() as u8;
    RGBColor(mix(FULL.0), mix(FULL.1), mix(FULL.2))
}

/// Text whose middle line, and whose left end, middle or right end, is at a place.
fn write<B: Backend>(page: &Page<B>, text: &str, at: Place, end: HPos, size: i32, color: RGBColor) -> Result<()> {
    let style = TextStyle::from((FONT, size).into_font()).color(&color).pos(Pos::new(end, VPos::Center));
    page.draw(&Text::new(text, at, style)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::canvas::{any, read, scratch};

    #[test]
    fn a_cell_is_the_darker_the_greater_its_share() {
        let path = scratch("confusion");
        let counts = Tensor::from([[10.0_f32, 0.0], [5.0, 15.0]]);
        confusion_matrix(&path, &counts, &["cat", "dog"]).unwrap();
        let picture = read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!((picture.0, picture.1), (110 + 128 + 20, 90 + 128 + 20));
        let corner = |i: u32, j: u32| {
            let (x, y) = (110 + 64 * j + 2, 90 + 64 * i + 2);
            let at = 3 * (y * picture.0 + x) as usize;
            [picture.2[at], picture.2[at + 1], picture.2[at + 2]]
        };
        assert_eq!((corner(0, 0), corner(0, 1)), ([8, 69, 148], [255; 3]), "all cats are found");
        assert!(corner(1, 0)[0] > corner(1, 1)[0] && corner(1, 1)[0] > corner(0, 0)[0], "a quarter of the dogs not");
        let written = |i: u32, j: u32, ink: fn([u8; 3]) -> bool| {
            let (x, y) = (110 + 64 * j, 90 + 64 * i);
            any(&picture, x + 8..x + 56, y + 8..y + 56, ink)
        };
        assert!(written(0, 0, |p| p == [255; 3]) && written(1, 0, |p| p[2] < 90), "counts, readable on their shade");
        assert!(!written(0, 1, |p| p != [255; 3]), "zeros are left out");
        assert!(any(&picture, 60..108, 90..154, |p| p[0] < 90), "the name of a class");
    }

    #[test]
    fn svg_has_the_names_as_text() {
        let path = scratch("confusion-svg").with_extension("svg");
        confusion_matrix(&path, &Tensor::from([[3.0_f32, 1.0], [0.0, 2.0]]), &[""; 0]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for word in ["predicted", "true", "0", "1", "3", "2"] {
            assert!(lines.contains(&word), "{word} in {text}");
        }
    }

    #[test]
    fn many_classes_have_small_cells_without_counts() {
        let path = scratch("confusion-many");
        confusion_matrix(&path, &Tensor::eye(100, DType::F32), &[""; 0]).unwrap();
        let (width, ..) = read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!(width, 110 + 100 * 11 + 20);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let names = ["a", "b", "c"];
        let error = |counts: &Tensor| confusion_matrix("never.png", counts, &names).unwrap_err().to_string();
        assert!(error(&Tensor::zeros([2, 3])).contains("[2, 3]"));
        assert!(error(&Tensor::zeros([2, 2])).contains("3 names for 2 classes"));
    }
}
