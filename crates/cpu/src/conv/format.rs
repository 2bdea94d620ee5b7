//! From one data format to the other. The kernels work on channels-last images.

use crate::dense::{Dense, dense};
use crate::par::Shared;
use crate::simd::{Level, SimdFloat, Words, transpose};
use crate::{Buffer, memory};
use cotangent_base::{ConvGeometry, DataFormat, Element, Layout, View};
use std::ops::Range;

/// The image tensor `x` as a channels-last slice.
pub(super) fn to_last<T: Element>(x: View<'_, Buffer>, format: DataFormat) -> Dense<'_, T> {
    dense(match format {
        DataFormat::ChannelsLast => x,
        DataFormat::ChannelsFirst => View { layout: x.layout.permute(&[0, 2, 3, 1]), ..x },
    })
}

/// The channels-last tensor `[n, h, w, c]` in the given format.
pub(super) fn from_last(x: Buffer, format: DataFormat, size: [usize; 4]) -> Buffer {
    match format {
        DataFormat::ChannelsLast => x,
        DataFormat::ChannelsFirst => {
            memory::copy(View { buffer: &x, layout: Layout::contiguous(size.into()).permute(&[0, 3, 1, 2]) })
        }
    }
}

/// The pixels whose channels are exchanged at a time: memory takes long runs of each channel faster, and what is asked for
/// meanwhile fits the second-level cache.
const PIXELS: usize = 1024;

/// Writes the results of some lines of windows, counted through all images and channels last, to where they belong in y with
/// the channels first.
pub(super) fn to_first<T: SimdFloat>(level: Level, from: &[T], lines: Range<usize>, g: &ConvGeometry, y: Shared<T>) {
    let (height, width, filters) = (g.window.h.output, g.window.w.output, g.filters);
    let image = height * width;
    assert!(from.len() == lines.len() * width * filters && lines.end <= g.batch * height && level.is_available());
    let (first, end) = (lines.start * width, lines.end * width);
    let mut pixel = first;
    while pixel < end {
        // the pixels of one image lie evenly
        let next = end.min(pixel + PIXELS).min((pixel / image + 1) * image);
        let from = &from[(pixel - first) * filters..(next - first) * filters];
        let to = y.ptr().wrapping_add(pixel / image * filters * image + pixel % image);
        if size_of::<T>() == 4 {
            let from = Words { at: from.as_ptr().cast(), row: filters as isize };
            let to = Words { at: to.cast(), row: image as isize };
            // SAFETY: the CPU has the level, and the lines lie in y; they are the caller's alone.
            unsafe { transpose(level, from, to, [next - pixel, filters]) }
        } else {
            for (i, &number) in from.iter().enumerate() {
                // SAFETY: as above.
                unsafe { *to.add(i % filters * image + i / filters) = number };
            }
        }
        pixel = next;
    }
}
