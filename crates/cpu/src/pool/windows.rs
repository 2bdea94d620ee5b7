//! The windows of a pooling: which inputs each output sees.
//!
//! All loops run on channels-last images, whose channels fill vectors; images with channels first are transposed
//! before and after.

use crate::dense::{Dense, dense};
use crate::par;
use crate::reduce::fold::Number;
use crate::simd::{self, Kernel, Vector};
use crate::{Buffer, memory};
use cotangent_base::{DataFormat, Element, Layout, PoolGeometry, Shape, Slide, View, Window};
use std::ops::Range;

/// The elements of a batch of images, channels last.
pub(super) fn channels_last<T: Element>(x: View<'_, Buffer>, format: DataFormat) -> Dense<'_, T> {
    match format {
        DataFormat::ChannelsLast => dense(x),
        DataFormat::ChannelsFirst => dense(View { layout: x.layout.permute(&[0, 2, 3, 1]), ..x }),
    }
}

/// A batch with channels last, of spatial size `h × w`, in `format`.
pub(super) fn in_format(y: Buffer, images: &Images, [h, w]: [usize; 2], format: DataFormat) -> Buffer {
    match format {
        DataFormat::ChannelsLast => y,
        DataFormat::ChannelsFirst => {
            let layout = Layout::contiguous(Shape::from([images.count, h, w, images.channels]));
            memory::copy(View { buffer: &y, layout: layout.permute(&[0, 3, 1, 2]) })
        }
    }
}

/// A batch of images with channels last.
#[derive(Clone, Copy)]
pub(super) struct Images {
    pub count: usize,
    pub channels: usize,
    pub window: Window,
}

impl Images {
    pub fn new(g: &PoolGeometry) -> Self {
        Self { count: g.batch, channels: g.channels, window: g.window }
    }

    /// The elements of one input image.
    pub fn input(&self) -> usize {
        self.window.h.input * self.window.w.input * self.channels
    }

    /// The elements of one output image.
    pub fn output(&self) -> usize {
        self.window.h.output * self.window.w.output * self.channels
    }

    /// The number of taps that a window has.
    pub fn taps(&self) -> usize {
        self.window.h.kernel * self.window.w.kernel
    }
}

/// The taps of window `out` that lie inside the input.
pub(super) fn inside(slide: &Slide, out: usize) -> Range<usize> {
    let start = (0..slide.kernel).find(|&tap| slide.at(out, tap).is_some()).unwrap_or(0);
    let end = (start..slide.kernel).find(|&tap| slide.at(out, tap).is_none()).unwrap_or(slide.kernel);
    start..end
}

/// One input under a window: its distance from the window's origin and its tap, row·kw + column.
#[derive(Clone, Copy)]
pub(super) struct Tap<T> {
    pub offset: usize,
    pub index: T,
}

/// What a pooling does with the inputs under one window.
pub(super) trait Pool<T: Number>: Sync {
    /// Computes `WIDTH` channels: reads `x[tap.offset..]` for each tap, writes its results at `to`.
    ///
    /// # Safety
    /// Each tap's `WIDTH` numbers from `x` lie in the input, `to + WIDTH` in the output, and no other thread
    /// writes there.
    unsafe fn window<V: Vector<Scalar = T>>(&self, x: *const T, taps: &[Tap<T>], to: usize);
}

/// Runs `pool` over all windows, in parallel over output rows.
pub(super) fn for_windows<T: Number, P: Pool<T>>(pool: &P, x: &[T], images: Images) {
    assert_eq!(x.len(), images.count * images.input(), "[pool] x has the geometry's size");
    let Window { h, w } = images.window;
    let all = |slide: &Slide| (0..slide.output).map(|out| inside(slide, out)).collect::<Vec<_>>();
    let (rows, columns) = (all(&h), all(&w));
    let mut full = Vec::with_capacity(images.taps());
    push_taps(&mut full, &images, 0..h.kernel, 0..w.kernel, 0);
    let cost = w.output * images.channels * images.taps();
    par::for_ranges(images.count * h.output, (par::GRAIN / cost.max(1)).max(1), |start, end| {
        simd::run(Rows { pool, x, images, rows: &rows, columns: &columns, full: &full, start, end });
    });
}

/// Appends the taps of these rows and columns of the kernel, with offsets from `origin` places before tap 0.
fn push_taps<T: Number>(
    taps: &mut Vec<Tap<T>>,
    images: &Images,
    rows: Range<usize>,
    columns: Range<usize>,
    origin: isize,
) {
    let Window { h, w } = images.window;
    for kh in rows {
        for kw in columns.clone() {
            let place = ((kh * h.dilation * w.input + kw * w.dilation) * images.channels) as isize;
            taps.push(Tap { offset: (origin + place) as usize, index: T::from_f64((kh * w.kernel + kw) as f64) });
        }
    }
}

/// Output rows `start..end`, counted through all images.
struct Rows<'a, T, P> {
    pool: &'a P,
    x: &'a [T],
    images: Images,
    /// The taps inside for each output row and column.
    rows: &'a [Range<usize>],
    columns: &'a [Range<usize>],
    /// The taps of a window that is all inside.
    full: &'a [Tap<T>],
    start: usize,
    end: usize,
}

impl<T: Number, P: Pool<T>> Kernel<T> for Rows<'_, T, P> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Window { h, w } = self.images.window;
        let channels = self.images.channels;
        let mut part = Vec::new();
        for unit in self.start..self.end {
            let (image, oh) = (unit / h.output, unit % h.output);
            let x = &self.x[image * self.images.input()..][..self.images.input()];
            let rows = &self.rows[oh];
            for (ow, columns) in self.columns.iter().enumerate() {
                // may lie before the image
                let row = (oh * h.stride) as isize - h.before as isize;
                let column = (ow * w.stride) as isize - w.before as isize;
                let origin = (row * w.input as isize + column) * channels as isize;
                let (start, taps) = if rows.len() * columns.len() == self.full.len() {
                    (origin as usize, self.full)
                } else {
                    part.clear();
                    push_taps(&mut part, &self.images, rows.clone(), columns.clone(), origin);
                    (0, &part[..])
                };
                let to = (unit * w.output + ow) * channels;
                let mut c = 0;
                // SAFETY: all taps are inside the image, c + WIDTH and c + 1 within the channels.
                unsafe {
                    let x = x.as_ptr().add(start);
                    while c + V::WIDTH <= channels {
                        self.pool.window::<V>(x.add(c), taps, to + c);
                        c += V::WIDTH;
                    }
                    while c < channels {
                        self.pool.window::<T>(x.add(c), taps, to + c);
                        c += 1;
                    }
                }
            }
        }
    }
}
