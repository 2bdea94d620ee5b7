//! One axis of a window that slides over padded images.

use cotangent_base::Slide;
use std::ops::Range;

/// That rows see other taps than those before costs as much as so many rows more.
const GROUP_ROWS: usize = 12;
/// About how many rows a block has.
const BLOCK_ROWS: usize = 392;

/// One axis of the window that slides, as [`Slide`] has it; but the first window may also start inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: isize,
    /// Whether taps in the padding are left out, so that windows fall into bands.
    pub banded: bool,
}

impl Axis {
    pub fn new(s: Slide) -> Self {
        let Slide { input, output, kernel, stride, dilation, before } = s;
        Self { input, output, kernel, stride, dilation, before: before as isize, banded: false }
    }

    /// The position under tap 0 of window `out`.
    pub fn start(self, out: usize) -> isize {
        (out * self.stride) as isize - self.before
    }

    /// The positions from the first window `windows` to the end of the last.
    pub fn span(self, windows: &Range<usize>) -> Range<isize> {
        self.start(windows.start)..self.start(windows.end - 1) + self.reach() as isize
    }

    /// The positions from a window's first tap to its last.
    pub fn reach(self) -> usize {
        self.kernel.saturating_sub(1) * self.dilation + 1
    }

    /// The windows that need no padding.
    pub fn inside(self) -> Range<usize> {
        if self.banded {
            return 0..self.output;
        }
        let first = (self.before.max(0) as usize).div_ceil(self.stride).min(self.output);
        let last = (self.input as isize + self.before - self.reach() as isize).max(-1);
        let end = (last.div_euclid(self.stride as isize) + 1) as usize;
        first..end.clamp(first, self.output)
    }

    /// Whether some window needs padding.
    pub fn is_padded(self) -> bool {
        let span = self.span(&(0..self.output.max(1)));
        !self.banded && (span.start < 0 || span.end > self.input as isize)
    }

    /// The taps of window `out` that lie on the image.
    fn seen(self, out: usize) -> Range<usize> {
        let taps_to = |at: isize| (at - self.start(out)).max(0) as usize;
        let end = taps_to(self.input as isize).div_ceil(self.dilation).min(self.kernel);
        taps_to(0).div_ceil(self.dilation).min(end)..end
    }

    /// All windows, the greatest band first.
    pub fn bands(self) -> Vec<Band> {
        if !self.banded {
            return vec![Band { windows: 0..self.output, taps: 0..self.kernel }];
        }
        let mut bands: Vec<Band> = Vec::new();
        for out in 0..self.output {
            let taps = self.seen(out);
            match bands.last_mut().filter(|band| band.taps == taps) {
                Some(band) => band.windows.end += 1,
                None => bands.push(Band { windows: out..out + 1, taps }),
            }
        }
        bands.sort_by_key(|band| std::cmp::Reverse(band.windows.len()));
        bands
    }
}

/// Neighbouring windows with the same taps.
#[derive(Clone)]
pub(super) struct Band {
    pub windows: Range<usize>,
    pub taps: Range<usize>,
}

/// The axes, banded where it costs less to leave out taps in the padding, though blocks of windows fall into more groups.
pub(super) fn banded(axes: [Axis; 2], batch: usize) -> [Axis; 2] {
    if axes.iter().all(|axis| !axis.is_padded()) {
        return axes;
    }
    let blocks = (batch * axes[0].output * axes[1].output).div_ceil(BLOCK_ROWS);
    let cost = |axes: &[Axis; 2]| -> usize {
        let [h, w] = axes.map(Axis::bands);
        let rows = |h: &Band, w: &Band| batch * h.windows.len() * w.windows.len() + GROUP_ROWS * blocks;
        let group = |h: &Band, w: &Band| h.taps.len() * w.taps.len() * rows(h, w);
        h.iter().flat_map(|h| w.iter().map(move |w| group(h, w))).sum()
    };
    let some = |[h, w]: [bool; 2]| [Axis { banded: h, ..axes[0] }, Axis { banded: w, ..axes[1] }];
    let ways = [[false, false], [true, false], [false, true], [true, true]].map(some);
    ways.into_iter().min_by_key(cost).unwrap_or(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_hold_every_window_with_the_taps_that_lie_on_the_image() {
        let sizes = (1..9).flat_map(|input| (1..5).map(move |kernel| (input, kernel)));
        let slides = sizes.flat_map(|(input, kernel)| (-2..6).map(move |before| (input, kernel, before)));
        for (input, kernel, before) in slides {
            for (stride, dilation) in [(1, 1), (2, 1), (1, 3), (3, 2)] {
                let axis = Axis { input, output: 7, kernel, stride, dilation, before, banded: true };
                let mut found = [const { None }; 7];
                for Band { windows, taps } in axis.bands() {
                    windows.for_each(|out| assert!(found[out].replace(taps.clone()).is_none(), "{axis:?}"));
                }
                for (out, taps) in found.into_iter().enumerate() {
                    let at = |tap: usize| axis.start(out) + (tap * dilation) as isize;
                    let seen: Vec<usize> = (0..kernel).filter(|&tap| (0..input as isize).contains(&at(tap))).collect();
                    assert_eq!(taps.expect("a band").collect::<Vec<_>>(), seen, "window {out} of {axis:?}");
                }
            }
        }
    }

    #[test]
    fn small_images_are_banded_and_large_ones_are_not() {
        let axis = |input: usize, before: isize| {
            let output = (input as isize + before - 3) as usize / 2 + 1;
            Axis { input, output, kernel: 3, stride: 2, dilation: 1, before, banded: false }
        };
        let found = |input, before| banded([axis(input, before); 2], 8).map(|axis| axis.banded);
        assert_eq!((found(14, 1), found(14, 0), found(112, 1)), ([true; 2], [false; 2], [false; 2]));
    }
}
