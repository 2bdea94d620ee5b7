//! Adding by index. Where an index repeats, its terms are added in their order, on any number of threads.

use super::{Places, around};
use crate::dense::dense;
use crate::dispatch::for_number;
use crate::par::{self, Shared};
use crate::{Buffer, memory};
use cotangent_base::{Element, Layout, View};

/// Numbers that add; integers wrap.
trait Plus: Element {
    fn plus(self, other: Self) -> Self;
}

macro_rules! plus {
    ($($t:ty: |$a:ident, $b:ident| $sum:expr;)*) => {$(
        impl Plus for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                $sum
            }
        }
    )*};
}
plus! {
    f32: |a, b| a + b;
    f64: |a, b| a + b;
    u8: |a, b| a.wrapping_add(b);
    u32: |a, b| a.wrapping_add(b);
    i64: |a, b| a.wrapping_add(b);
}

/// The transpose of [`index_select`](super::index_select): adds slice `i` of `x` to slice `index[i]` of zeros with
/// `size` slices, in rising order of i.
///
/// # Panics
/// For bools.
pub fn index_add(x: View<Buffer>, axis: usize, index: View<Buffer>, size: usize) -> Buffer {
    let [outer, _, inner] = around(&x.shape(), axis);
    for_number!("index_add", x.buffer.dtype(), T => add_slices::<T>(&dense(x), [outer, size, inner], &dense(index)))
}

/// Each unit of work owns some slices of the result and looks through all indices for them: so repeated indices
/// need no lock, and how many units there are changes nothing in the sums.
fn add_slices<T: Plus>(x: &[T], [outer, size, inner]: [usize; 3], index: &[i64]) -> Buffer {
    let count = index.len();
    let owned = size.div_ceil(par::threads()).max(1);
    let units = size.div_ceil(owned);
    Buffer::build(outer * size * inner, |y: &mut [T]| {
        let y = Shared::new(y);
        par::for_each(outer * units, (owned + count / units.max(1)) * inner, |unit| {
            let (o, first) = (unit / units, unit % units * owned);
            let slices = first..(first + owned).min(size);
            let start = o * size;
            // SAFETY: each unit has slices of its own.
            let y = unsafe { y.part((start + slices.start) * inner, (start + slices.end) * inner) };
            y.fill(T::default());
            for (i, &at) in index.iter().enumerate() {
                debug_assert!((at as usize) < size, "[index_add] index {at} of an axis of {size}");
                if slices.contains(&(at as usize)) {
                    let to = &mut y[(at as usize - slices.start) * inner..][..inner];
                    let from = &x[(o * count + i) * inner..][..inner];
                    to.iter_mut().zip(from).for_each(|(y, &x)| *y = y.plus(x));
                }
            }
        });
    })
}

/// `y = base; y[.., index[.., i, ..], ..] += x[.., i, ..]` along `axis`, in row-major order of x. The index has x's
/// shape; along the other axes both may be shorter than `base`.
///
/// # Panics
/// For bools.
pub fn scatter_add(base: View<Buffer>, axis: usize, index: View<Buffer>, x: View<Buffer>) -> Buffer {
    for_number!("scatter_add", x.buffer.dtype(), T => add_elements::<T>(base, axis, index, &dense(x)))
}

fn add_elements<T: Plus>(base: View<Buffer>, axis: usize, index: View<Buffer>, x: &[T]) -> Buffer {
    let shape = index.shape();
    let layout = Layout::contiguous(base.shape());
    let places = Places::new(shape, &layout, axis);
    let index = dense::<i64>(index);
    // what the threads write apart rests on this
    let size = layout.shape[axis] as i64;
    assert!(index.iter().all(|at| (0..size).contains(at)), "[scatter_add] an index outside its axis of {size}");
    let fits = (0..shape.rank()).all(|a| a == axis || shape[a] <= layout.shape[a]);
    assert!(fits, "[scatter_add] the index {shape} reaches over {}", layout.shape);
    let mut out = memory::copy(base);
    let y = Shared::new(out.as_mut::<T>());
    // what lies before the axis differs in the result too, so it can be worked on at the same time
    let outer: usize = shape[..axis].iter().product();
    let rows = places.rows.shape.count() / outer.max(1);
    par::for_each(outer, rows * places.len, |o| {
        for row in o * rows..(o + 1) * rows {
            places.for_row(row, &index, |place, i| {
                // SAFETY: the place is in the result, and only this unit reaches it.
                let y = unsafe { &mut *y.ptr().add(place) };
                *y = y.plus(x[i]);
            });
        }
    });
    out
}
