//! Average pooling.

use super::gather::{Give, gather};
use super::windows::{Images, Pool, Tap, channels_last, for_windows, in_format, inside};
use crate::Buffer;
use crate::dispatch::for_float;
use crate::par::Shared;
use crate::reduce::fold::Number;
use crate::simd::Vector;
use cotangent_base::{PoolGeometry, Slide, View};

/// The mean over each window. The divisor is the number of taps inside the image, or of all taps if
/// `count_padding`. A window that sees only padding gives 0.
pub fn avg_pool2d(x: View<Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
    for_float!("avg_pool2d", x.buffer.dtype(), T => {
        let images = Images::new(geometry);
        let y = forward::<T>(&channels_last(x, geometry.format), images, count_padding);
        in_format(y, &images, [images.window.h.output, images.window.w.output], geometry.format)
    })
}

/// The cotangent of x: each window's dy over its divisor, to all its taps.
pub fn avg_pool2d_dx(dy: View<Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Buffer {
    for_float!("avg_pool2d", dy.buffer.dtype(), T => {
        let images = Images::new(geometry);
        let dx = backward::<T>(&channels_last(dy, geometry.format), images, count_padding);
        in_format(dx, &images, [images.window.h.input, images.window.w.input], geometry.format)
    })
}

fn forward<T: Number>(x: &[T], images: Images, count_padding: bool) -> Buffer {
    Buffer::build(images.count * images.output(), |y: &mut [T]| {
        let all = count_padding.then_some(T::from_f64(images.taps() as f64));
        for_windows(&Mean { y: Shared::new(y), all }, x, images)
    })
}

struct Mean<T> {
    y: Shared<T>,
    /// The divisor, if it is the same for all windows.
    all: Option<T>,
}

impl<T: Number> Pool<T> for Mean<T> {
    #[inline(always)]
    unsafe fn window<V: Vector<Scalar = T>>(&self, x: *const T, taps: &[Tap<T>], to: usize) {
        let divisor = self.all.unwrap_or(T::from_f64(taps.len().max(1) as f64));
        let mut sum = V::splat(0.0);
        // SAFETY: the caller's promise.
        unsafe {
            for tap in taps {
                sum = sum + V::load(x.add(tap.offset));
            }
            (sum / V::broadcast(divisor)).store(self.y.ptr().add(to));
        }
    }
}

fn backward<T: Number>(dy: &[T], images: Images, count_padding: bool) -> Buffer {
    assert_eq!(dy.len(), images.count * images.output(), "[avg_pool2d] dy has the geometry's size");
    let counts = |slide: &Slide| -> Vec<usize> {
        (0..slide.output).map(|out| if count_padding { slide.kernel } else { inside(slide, out).len() }).collect()
    };
    let share = Share { dy, rows: counts(&images.window.h), columns: counts(&images.window.w) };
    Buffer::build(images.count * images.input(), |dx: &mut [T]| gather(&share, dx, images))
}

struct Share<'a, T> {
    dy: &'a [T],
    /// How many taps count in each output row and column; the divisor is their product.
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl<T: Number> Give<T> for Share<'_, T> {
    #[inline(always)]
    fn add(&self, dx: &mut [T], from: usize, (oh, ow): (usize, usize), _tap: usize) {
        let divisor = T::from_f64((self.rows[oh] * self.columns[ow]) as f64);
        for (dx, &dy) in dx.iter_mut().zip(&self.dy[from..]) {
            *dx = *dx + dy / divisor;
        }
    }
}
