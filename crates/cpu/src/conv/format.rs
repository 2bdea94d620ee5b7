//! From one data format to the other. The kernels work on channels-last images.

use crate::dense::{Dense, dense};
use crate::{Buffer, memory};
use cotangent_base::{DataFormat, Element, Layout, View};

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
