//! Many small images beside each other, with one scale of colours.

use cotangent_core::{Error, Result};
use plotters::prelude::*;

use super::canvas::{self, Backend, Figure, Page, Place};

/// Pixels around each tile.
const GAP: i32 = 2;
/// About how wide and high the whole becomes, and how large an element at most.
const TARGET: i32 = 1200;
const LARGEST: i32 = 24;

/// The colour of what is no number.
const NO_NUMBER: RGBColor = RGBColor(128, 128, 128);

/// Images of one size, row by row of the figure.
pub struct Tiles {
    /// Elements of a tile: height, width.
    size: [usize; 2],
    columns: usize,
    /// Each tile's elements, row by row.
    tiles: Vec<Vec<RGBColor>>,
    /// Pixels of an element.
    scale: i32,
}

impl Tiles {
    /// `rows` × `columns` tiles; if there is one row or one column alone, its tiles are laid out in a square.
    pub fn new(size: [usize; 2], [rows, columns]: [usize; 2], tiles: Vec<Vec<RGBColor>>) -> Result<Self> {
        let count = rows * columns;
        if count == 0 || size.contains(&0) {
            let message = format!("{rows} × {columns} tiles of {} × {} elements are no figure", size[0], size[1]);
            return Err(Error::new("figure", message));
        }
        let columns = if rows == 1 || columns == 1 { (count as f64).sqrt().ceil() as usize } else { columns };
        let fits = |elements: usize, tiles: usize| (TARGET / tiles as i32 - GAP) / elements as i32;
        let scale = fits(size[1], columns).min(fits(size[0], count.div_ceil(columns))).clamp(1, LARGEST);
        Ok(Self { size, columns, tiles, scale })
    }

    /// The pixels from one tile to the next.
    fn pitch(&self) -> Place {
        let [height, width] = self.size.map(|n| n as i32 * self.scale + GAP);
        (width, height)
    }

    /// Of tile `i`, the upper left corner.
    fn corner(&self, i: usize) -> Place {
        let (width, height) = self.pitch();
        (GAP + (i % self.columns) as i32 * width, GAP + (i / self.columns) as i32 * height)
    }
}

impl Figure for Tiles {
    fn size(&self) -> (u32, u32) {
        let (width, height) = self.pitch();
        let rows = self.tiles.len().div_ceil(self.columns);
        ((GAP + self.columns as i32 * width) as u32, (GAP + rows as i32 * height) as u32)
    }

    fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()> {
        let width = self.size[1];
        let mut tiles = self.tiles.iter().enumerate();
        tiles.try_for_each(|(i, pixels)| canvas::image(page, self.corner(i), self.scale, width, pixels))
    }
}

/// From blue for −`most` over white for 0 to red for `most`.
pub fn diverging(value: f64, most: f64) -> RGBColor {
    let share = if most > 0.0 { (value / most).clamp(-1.0, 1.0) } else { 0.0 * value };
    let mix = |end: u8| (255.0 + share.abs() * (f64::from(end) - 255.0)).round() as u8;
    match share {
        _ if share.is_nan() => NO_NUMBER,
        0.0.. => RGBColor(mix(178), mix(24), mix(43)),
        _ => RGBColor(mix(33), mix(102), mix(172)),
    }
}

/// From dark violet for `low` to yellow for `high`, evenly bright: viridis.
pub fn sequential(value: f64, (low, high): (f64, f64)) -> RGBColor {
    match high > low {
        _ if value.is_nan() => NO_NUMBER,
        true => ViridisRGB.get_color_normalized(value, low, high),
        false => ViridisRGB.get_color_normalized(0.0, 0.0, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_say_sign_and_size() {
        assert_eq!(diverging(0.0, 2.0), WHITE);
        assert_eq!((diverging(2.0, 2.0), diverging(-9.0, 2.0)), (RGBColor(178, 24, 43), RGBColor(33, 102, 172)));
        assert_eq!((diverging(0.0, 0.0), diverging(f64::NAN, 1.0)), (WHITE, NO_NUMBER));
        assert_eq!(sequential(0.0, (0.0, 1.0)), sequential(3.0, (3.0, 3.0)));
        assert_ne!(sequential(0.0, (0.0, 1.0)), sequential(1.0, (0.0, 1.0)));
    }

    #[test]
    fn one_row_becomes_a_square() {
        let tiles = |rows, columns| Tiles::new([3, 3], [rows, columns], vec![vec![WHITE; 9]; rows * columns]).unwrap();
        assert_eq!((tiles(1, 32).columns, tiles(16, 1).columns, tiles(4, 8).columns), (6, 4, 8));
        assert_eq!(tiles(1, 4).size(), (2 + 2 * (3 * 24 + 2), 2 + 2 * (3 * 24 + 2)));
        assert_eq!(tiles(300, 500).scale, 1, "however many there are");
        assert!(Tiles::new([3, 0], [1, 1], vec![vec![]]).is_err());
    }
}
