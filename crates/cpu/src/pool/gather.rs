//! The backward pass of a pooling: each input gathers from the windows that see it.

use super::windows::Images;
use crate::par::{self, Shared};
use crate::reduce::fold::Number;
use crate::simd::{self, Kernel, Vector};
use cotangent_base::{Slide, Window};

/// For each input position along one axis, the windows that see it, in rising order, each with its tap.
struct Cover {
    starts: Vec<usize>,
    pairs: Vec<(usize, usize)>,
}

impl Cover {
    fn new(slide: &Slide) -> Self {
        let mut seen = vec![Vec::new(); slide.input];
        for out in 0..slide.output {
            for tap in 0..slide.kernel {
                if let Some(at) = slide.at(out, tap) {
                    seen[at].push((out, tap));
                }
            }
        }
        let mut starts = vec![0];
        starts.extend(seen.iter().scan(0, |end, pairs| {
            *end += pairs.len();
            Some(*end)
        }));
        Self { starts, pairs: seen.concat() }
    }

    /// `(window, tap)` for each window over input position `i`.
    #[inline(always)]
    fn at(&self, i: usize) -> &[(usize, usize)] {
        &self.pairs[self.starts[i]..self.starts[i + 1]]
    }
}

/// How a backward pass finds what one window gives to one input.
pub(super) trait Give<T: Number>: Sync {
    /// Adds to `dx` (a pixel's channels) what the window at output row `oh` and column `ow` gives it through
    /// `tap`; `from` is the place of the window's first channel in dy.
    fn add(&self, dx: &mut [T], from: usize, window: (usize, usize), tap: usize);
}

/// Fills `dx` by gathering: each input pixel sums over the windows that see it, in rising order. Nothing is
/// scattered, so input rows can be computed in parallel.
pub(super) fn gather<T: Number, G: Give<T>>(give: &G, dx: &mut [T], images: Images) {
    assert_eq!(dx.len(), images.count * images.input(), "[pool] dx has the geometry's size");
    let Window { h, w } = images.window;
    let (rows, columns) = (Cover::new(&h), Cover::new(&w));
    let dx = Shared::new(dx);
    let cost = 2 * w.input * images.channels;
    par::for_ranges(images.count * h.input, (par::GRAIN / cost.max(1)).max(1), |start, end| {
        simd::run(Gather { give, dx, images, rows: &rows, columns: &columns, start, end });
    });
}

/// Input rows `start..end`, counted through all images.
struct Gather<'a, T, G> {
    give: &'a G,
    dx: Shared<T>,
    images: Images,
    rows: &'a Cover,
    columns: &'a Cover,
    start: usize,
    end: usize,
}

impl<T: Number, G: Give<T>> Kernel<T> for Gather<'_, T, G> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Window { h, w } = self.images.window;
        let channels = self.images.channels;
        for unit in self.start..self.end {
            let (image, ih) = (unit / h.input, unit % h.input);
            let y = image * self.images.output();
            let width = w.input * channels;
            // SAFETY: each input row is one thread's.
            let row = unsafe { self.dx.part(unit * width, (unit + 1) * width) };
            row.fill(T::default());
            for (iw, dx) in row.chunks_exact_mut(channels.max(1)).enumerate() {
                for &(oh, kh) in self.rows.at(ih) {
                    for &(ow, kw) in self.columns.at(iw) {
                        let from = y + (oh * w.output + ow) * channels;
                        self.give.add(dx, from, (oh, ow), kh * w.kernel + kw);
                    }
                }
            }
        }
    }
}
