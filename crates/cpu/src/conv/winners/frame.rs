//! Where the patches of an image lie.

use crate::simd::SimdFloat;
use cotangent_base::{ConvGeometry, Slide};
use std::borrow::Cow;

/// An image with room for all windows around it: the image itself if no window reaches over its edges, else a copy of
/// one group's channels with a border.
pub(super) struct Frame {
    /// The numbers from line to line of the frame, and from pixel to pixel.
    pub line: usize,
    pub pixel: usize,
    /// A patch: pieces that lie at these distances from its first number, each `len` long.
    pub pieces: Vec<usize>,
    pub len: usize,
    /// Whether the image is its own frame.
    direct: bool,
    /// The image: its size, channels and the group's channels.
    size: [usize; 2],
    channels: usize,
    group: usize,
    /// The border above and to the left, and the frame's height.
    before: [usize; 2],
    height: usize,
}

/// From the first line that a window sees, in the border, to behind the last of the windows' and the image's.
fn extent(s: &Slide) -> usize {
    let windows = (s.output.max(1) - 1) * s.stride + (s.kernel - 1) * s.dilation + 1;
    windows.max(s.before + s.input)
}

impl Frame {
    pub fn new(g: &ConvGeometry) -> Self {
        let (h, w) = (g.window.h, g.window.w);
        let (height, width, group) = (extent(&h), extent(&w), g.channels / g.groups);
        let direct = g.groups == 1 && height == h.input && width == w.input;
        let (pixel, line) = (group, group * width);
        // taps that touch make one piece of each row
        let touching = if w.dilation == 1 { w.kernel } else { 1 };
        let down = (0..h.kernel).map(|y| y * h.dilation * line);
        let pieces = down.flat_map(|y| (0..w.kernel / touching).map(move |x| y + x * w.dilation * pixel)).collect();
        let (size, before) = ([h.input, w.input], [h.before, w.before]);
        Self { line, pixel, pieces, len: touching * group, direct, size, channels: g.channels, group, before, height }
    }

    /// The numbers of an image.
    pub fn image(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }

    /// The numbers of a frame.
    pub fn count(&self) -> usize {
        self.height * self.line
    }

    /// For each line of the image, where it begins in the frame.
    fn lines(&self) -> impl Iterator<Item = usize> {
        let [top, left] = self.before;
        (0..self.size[0]).map(move |y| (top + y) * self.line + left * self.pixel)
    }

    /// The image in its frame, the border filled with zeros.
    pub fn framed<'a, T: SimdFloat>(&self, x: &'a [T], group: usize) -> Cow<'a, [T]> {
        if self.direct {
            return Cow::Borrowed(x);
        }
        let mut framed = vec![T::default(); self.count()];
        for (at, line) in self.lines().zip(x.chunks(self.size[1] * self.channels)) {
            for (to, x) in framed[at..].chunks_mut(self.pixel).zip(line.chunks(self.channels)) {
                to.copy_from_slice(&x[group * self.group..][..self.group]);
            }
        }
        Cow::Owned(framed)
    }

    /// Whether the image is its own frame.
    pub fn is_image(&self) -> bool {
        self.direct
    }

    /// Writes to the group's channels of the image what the frame holds inside the border.
    pub fn unframe<T: SimdFloat>(&self, framed: &[T], x: &mut [T], group: usize) {
        for (at, line) in self.lines().zip(x.chunks_mut(self.size[1] * self.channels)) {
            for (from, x) in framed[at..].chunks(self.pixel).zip(line.chunks_mut(self.channels)) {
                x[group * self.group..][..self.group].copy_from_slice(from);
            }
        }
    }
}
