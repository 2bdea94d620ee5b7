//! Max pooling.

use super::gather::{Give, gather};
use super::windows::{Images, Pool, Tap, channels_last, for_windows, in_format};
use crate::Buffer;
use crate::dispatch::for_float;
use crate::keep::KeepIf;
use crate::par::Shared;
use crate::reduce::fold::Number;
use crate::simd::Vector;
use cotangent_base::{DType, PoolGeometry, View};

/// The greatest element of each window and its tap (u32: row·kw + column of the kernel). The first of equals
/// wins, a NaN wins over numbers, padding never wins. A window that sees only padding gives −∞ and tap 0.
pub fn max_pool2d(x: View<Buffer>, geometry: &PoolGeometry) -> (Buffer, Buffer) {
    for_float!("max_pool2d", x.buffer.dtype(), T => {
        let images = Images::new(geometry);
        let (y, taps) = forward::<T>(&channels_last(x, geometry.format), images);
        let size = [images.window.h.output, images.window.w.output];
        (in_format(y, &images, size, geometry.format), in_format(taps, &images, size, geometry.format))
    })
}

/// The cotangent of x: each window's dy goes to the tap that won.
pub fn max_pool2d_dx(dy: View<Buffer>, taps: View<Buffer>, geometry: &PoolGeometry) -> Buffer {
    for_float!("max_pool2d", dy.buffer.dtype(), T => {
        let images = Images::new(geometry);
        let dx = backward::<T>(&channels_last(dy, geometry.format), &channels_last(taps, geometry.format), images);
        in_format(dx, &images, [images.window.h.input, images.window.w.input], geometry.format)
    })
}

/// Floats that taps are counted in, beside the numbers they belong to.
trait Count: Number + KeepIf {
    /// The greatest count that is exact, and its like.
    const MOST: usize;
    /// As an integer.
    ///
    /// # Safety
    /// `self` is a count of at most [`Self::MOST`].
    unsafe fn to_index(self) -> u32;
}

macro_rules! count {
    ($t:ty, $most:expr) => {
        impl Count for $t {
            const MOST: usize = $most;
            #[inline(always)]
            unsafe fn to_index(self) -> u32 {
                // SAFETY: the caller's promise: it fits. (A checked cast would not become vectors.)
                (unsafe { self.to_int_unchecked::<i32>() }) as u32
            }
        }
    };
}
count!(f32, 1 << 24);
count!(f64, 1 << 24);

fn forward<T: Count>(x: &[T], images: Images) -> (Buffer, Buffer) {
    assert!(images.taps() <= T::MOST, "[max_pool2d] a window of {} taps", images.taps());
    let count = images.count * images.output();
    let (mut y, mut taps) = (Buffer::uninit(T::DTYPE, count), Buffer::uninit(DType::U32, count));
    let max = Max { y: Shared::new(y.as_mut::<T>()), taps: Shared::new(taps.as_mut::<u32>()) };
    for_windows(&max, x, images);
    (y, taps)
}

struct Max<T> {
    y: Shared<T>,
    taps: Shared<u32>,
}

impl<T: Count> Pool<T> for Max<T> {
    #[inline(always)]
    unsafe fn window<V: Vector<Scalar = T>>(&self, x: *const T, taps: &[Tap<T>], to: usize) {
        let (mut best, mut winner) = (V::splat(f64::NEG_INFINITY), V::splat(0.0));
        // SAFETY: the caller's promise; each index is a tap's, below `MOST`.
        unsafe {
            if let Some((first, rest)) = taps.split_first() {
                (best, winner) = (V::load(x.add(first.offset)), V::broadcast(first.index));
                for tap in rest {
                    let new = V::load(x.add(tap.offset));
                    // greater, or NaN; but nothing beats a NaN
                    let wins = V::and(V::not(new.le(best)), best.eq(best));
                    best = V::select(wins, new, best);
                    winner = V::select(wins, V::broadcast(tap.index), winner);
                }
            }
            best.store(self.y.ptr().add(to));
            let indices = self.taps.part(to, to + V::WIDTH);
            for (index, winner) in indices.iter_mut().zip(winner.to_array()) {
                *index = winner.to_index();
            }
        }
    }
}

fn backward<T: Count>(dy: &[T], taps: &[u32], images: Images) -> Buffer {
    let count = images.count * images.output();
    assert_eq!((dy.len(), taps.len()), (count, count), "[max_pool2d] dy and taps have the geometry's size");
    Buffer::build(images.count * images.input(), |dx: &mut [T]| gather(&ToWinner { dy, taps }, dx, images))
}

struct ToWinner<'a, T> {
    dy: &'a [T],
    taps: &'a [u32],
}

impl<T: Count> Give<T> for ToWinner<'_, T> {
    #[inline(always)]
    fn add(&self, dx: &mut [T], from: usize, _window: (usize, usize), tap: usize) {
        let (dy, taps) = (&self.dy[from..][..dx.len()], &self.taps[from..][..dx.len()]);
        for ((dx, &dy), &winner) in dx.iter_mut().zip(dy).zip(taps) {
            *dx = *dx + dy.keep_if(winner == tap as u32);
        }
    }
}
