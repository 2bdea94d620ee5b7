//! Digits drawn by the library, for a machine that has neither MNIST nor a network.
//!
//! Each digit has several ways of being written, as strokes of a pen ([`strokes`]). An example takes one of
//! them, moves its knots, bends the paper, slants and turns it ([`pen`]), fits it into 20×20 pixels with its
//! centre of mass in the middle of 28×28 as MNIST does, and inks it ([`raster`]).
//!
//! Every example is a pure function of the seed and its index, in operations that IEEE 754 defines exactly
//! (no sine, no logarithm), so the pixels are the same for any number of threads and on any machine.

mod draws;
mod pen;
mod raster;
mod strokes;

use std::num::NonZero;
use std::thread;

use cotangent_base::{Rng, Stream};

use draws::Draws;
pub(crate) use raster::SIDE;

const PIXELS: usize = SIDE * SIDE;

/// `count` labels in random order, each digit as often as the others (to within one).
pub(crate) fn labels(count: usize, rng: &mut Rng) -> Vec<u8> {
    rng.permutation(count).into_iter().map(|place| (place % 10) as u8).collect()
}

/// One 28×28 image for each label, dark background 0, ink up to 255. Image `i` depends on `rng`, `i` and its label.
pub(crate) fn draw(labels: &[u8], rng: &Rng) -> Vec<u8> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    draw_with(threads, labels, rng)
}

fn draw_with(threads: usize, labels: &[u8], rng: &Rng) -> Vec<u8> {
    let mut pixels = vec![0; labels.len() * PIXELS];
    let share = labels.len().div_ceil(threads).max(1);
    let paint = |start: usize, pixels: &mut [u8], labels: &[u8]| {
        for (i, (image, &label)) in pixels.chunks_exact_mut(PIXELS).zip(labels).enumerate() {
            let stream = Stream { seed: rng.seed, stream: rng.next + (start + i) as u64 };
            draw_one(label, &mut Draws::new(stream), image);
        }
    };
    // wasm has no threads to start
    if threads == 1 {
        paint(0, &mut pixels, labels);
        return pixels;
    }
    let paint = &paint;
    thread::scope(|scope| {
        for (part, (pixels, labels)) in pixels.chunks_mut(share * PIXELS).zip(labels.chunks(share)).enumerate() {
            scope.spawn(move || paint(part * share, pixels, labels));
        }
    });
    pixels
}

fn draw_one(label: u8, draws: &mut Draws, image: &mut [u8]) {
    let ways = strokes::DIGITS[label as usize];
    let glyph = ways[draws.below(ways.len())];
    let marks = pen::write(glyph, draws);
    raster::ink(&marks, draws.within(1.0, 1.5), draws.within(0.95, 1.3), image);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pixels_are_the_same_for_any_number_of_threads() {
        let mut rng = Rng::new(1);
        let labels = labels(101, &mut rng);
        let one = draw_with(1, &labels, &rng);
        for threads in [2, 3, 7, 200] {
            assert!(draw_with(threads, &labels, &rng) == one, "{threads} threads");
        }
    }

    #[test]
    fn the_pixels_are_the_same_on_every_machine() {
        let labels: Vec<u8> = (0..100).map(|i| i % 10).collect();
        let mut sum = flate2::Crc::new();
        sum.update(&draw(&labels, &Rng::new(0)));
        assert_eq!(sum.sum(), 0xf1df_e436, "a change of how digits are drawn changes everybody's data");
    }

    #[test]
    fn every_way_of_writing_fills_the_frame_and_stays_inside_it() {
        for (digit, ways) in strokes::DIGITS.iter().enumerate() {
            assert!(ways.len() >= 4);
            for (way, glyph) in ways.iter().enumerate() {
                let mut image = [0; PIXELS];
                let marks = pen::write(glyph, &mut Draws::new(Stream { seed: 9, stream: way as u64 }));
                raster::ink(&marks, 1.0, 1.0, &mut image);
                let ink = image.iter().filter(|&&p| p > 127).count();
                assert!((20..250).contains(&ink), "digit {digit}, way {way}: {ink} dark pixels");
                let frame = (0..SIDE).flat_map(|i| [i, PIXELS - SIDE + i, i * SIDE, i * SIDE + SIDE - 1]);
                assert!(frame.into_iter().all(|p| image[p] < 64), "digit {digit}, way {way} touches the frame");
            }
        }
    }

    #[test]
    fn classes_are_balanced_and_shuffled() {
        let labels = labels(1003, &mut Rng::new(2));
        for digit in 0..10 {
            assert!((100..=101).contains(&labels.iter().filter(|&&l| l == digit).count()));
        }
        assert!(labels.windows(10).any(|w| w.iter().filter(|&&l| l == w[0]).count() > 2), "not in rows of ten");
    }
}
