//! From one data format to the other. The kernels work on channels-last images.

use crate::Buffer;
use crate::dense::{Dense, dense};
use crate::dispatch::for_number;
use crate::par::{GRAIN, Shared, for_ranges};
use cotangent_base::{DataFormat, Element, View};
use std::marker::PhantomData;

/// The side of the squares that are transposed one by one: a cache line of numbers.
const SIDE: usize = 16;

/// The image tensor `x` as a channels-last slice.
pub(super) fn to_last<T: Element>(x: View<Buffer>, format: DataFormat) -> Dense<T> {
    let [n, h, w, c] = format.nhwc(&x.shape());
    let data = dense::<T>(x);
    match format {
        DataFormat::ChannelsLast => data,
        DataFormat::ChannelsFirst => Dense::Copied(transposed(&data, [n, c, h * w]), PhantomData),
    }
}

/// The channels-last tensor `[n, h, w, c]` in the given format.
pub(super) fn from_last(x: Buffer, format: DataFormat, [n, h, w, c]: [usize; 4]) -> Buffer {
    match format {
        DataFormat::ChannelsLast => x,
        DataFormat::ChannelsFirst => {
            for_number!("conv2d", x.dtype(), T => transposed(x.as_slice::<T>(), [n, h * w, c]))
        }
    }
}

fn transposed<T: Element>(x: &[T], size: [usize; 3]) -> Buffer {
    Buffer::build(x.len(), |out| transpose(x, out, size))
}

/// `[n, a, b]` to `[n, b, a]`.
fn transpose<T: Element>(from: &[T], to: &mut [T], [n, a, b]: [usize; 3]) {
    let to = Shared::new(to);
    let bands = a.div_ceil(SIDE);
    let grain = (GRAIN / (SIDE * b).max(1)).max(1);
    for_ranges(n * bands, grain, |start, end| {
        for i in start..end {
            let (image, rows) = (i / bands * a * b, i % bands * SIDE..a.min((i % bands + 1) * SIDE));
            for col in (0..b).step_by(SIDE) {
                for j in col..b.min(col + SIDE) {
                    // SAFETY: the part lies in image n; each band writes columns of its own.
                    let to = unsafe { to.part(image + j * a + rows.start, image + j * a + rows.end) };
                    for (to, i) in to.iter_mut().zip(rows.clone()) {
                        *to = from[image + i * b + j];
                    }
                }
            }
        }
    });
}
