//! What a model says, learns and sees, to look at: digits in the terminal, and with the feature `figures` in files: PNG, or SVG if the name ends so.

#[cfg(feature = "figures")]
mod activations;
#[cfg(feature = "figures")]
mod canvas;
#[cfg(feature = "figures")]
mod confusion;
#[cfg(feature = "figures")]
mod curves;
#[cfg(feature = "figures")]
mod filters;
#[cfg(feature = "figures")]
mod grid;
mod terminal;
#[cfg(feature = "figures")]
mod tiles;

#[cfg(feature = "figures")]
pub use activations::activations;
#[cfg(feature = "figures")]
pub use confusion::confusion_matrix;
#[cfg(feature = "figures")]
pub use curves::training_curves;
#[cfg(feature = "figures")]
pub use filters::filters;
#[cfg(feature = "figures")]
pub use grid::digit_grid;
pub use terminal::{Shades, terminal_digits};

use cotangent_core::{Error, Result};

/// Rows and columns of an MNIST image.
const SIDE: usize = 28;

/// MNIST images, the digit that a model sees in each, and the true one.
#[derive(Clone, Copy, Debug)]
pub struct Digits<'a> {
    /// Grey values, 0 is black: count × 28 × 28.
    pub images: &'a [u8],
    /// What the model says: count.
    pub predicted: &'a [usize],
    /// What it should say: count.
    pub truth: &'a [usize],
}

impl<'a> Digits<'a> {
    /// How many there are; an error if the three do not tell the same.
    fn count(&self) -> Result<usize> {
        let (pixels, predicted, truth) = (self.images.len(), self.predicted.len(), self.truth.len());
        if pixels == predicted * SIDE * SIDE && predicted == truth {
            return Ok(predicted);
        }
        let message = format!("{pixels} pixels, {predicted} predictions and {truth} true digits do not fit together");
        Err(Error::new("figure", message).hint("for n digits pass n × 28 × 28 pixels, n predictions and n true digits"))
    }

    /// The pixels of image `i`.
    fn image(&self, i: usize) -> &'a [u8] {
        &self.images[i * SIDE * SIDE..(i + 1) * SIDE * SIDE]
    }

    /// Whether the model is right about image `i`.
    fn right(&self, i: usize) -> bool {
        self.predicted[i] == self.truth[i]
    }
}
