//! Softmax and the cross-entropy that follows it, row by row along the last axis.

#[cfg(test)]
mod tests;

use crate::Buffer;
use crate::dense::dense;
use crate::dispatch::for_float;
use crate::par::{self, Shared};
use crate::simd::{self, Kernel, SimdFloat, Vector};
use cotangent_base::{Element, Lane, Shape, View};

/// `y = eˣ / Σ eˣ` over the last axis, or its logarithm.
///
/// The row's greatest element is subtracted first, so nothing overflows. A row of −∞ has no softmax and gives
/// NaN, as does a row with NaN or +∞.
pub fn softmax(x: View<Buffer>, log: bool) -> Buffer {
    for_float!("softmax", x.buffer.dtype(), T => {
        let columns = columns(&x.shape());
        let x = dense::<T>(x);
        Buffer::build(x.len(), |y: &mut [T]| {
            let y = Shared::new(y);
            match log {
                false => for_rows::<T, _>(LinearRow { x: &x, y }, x.len(), columns),
                true => for_rows::<T, _>(LogRow { x: &x, y }, x.len(), columns),
            }
        })
    })
}

/// From logits `[N, C]` and labels `[N]` (i64, within 0..C): the loss of each row, `ln Σ eˣ − x[label]`, as
/// `[N]`, and the softmax, `[N, C]`.
pub fn softmax_cross_entropy(x: View<Buffer>, labels: View<Buffer>) -> (Buffer, Buffer) {
    for_float!("softmax_cross_entropy", x.buffer.dtype(), T => {
        let columns = columns(&x.shape());
        let (x, labels) = (dense::<T>(x), dense::<i64>(labels));
        let (mut loss, mut y) = (Buffer::uninit(<T as Element>::DTYPE, labels.len()), Buffer::uninit(<T as Element>::DTYPE, x.len()));
        let linear = LinearRow { x: &x, y: Shared::new(y.as_mut::<T>()) };
        let rows = LossRow { linear, labels: &labels, loss: Shared::new(loss.as_mut::<T>()) };
        for_rows::<T, _>(rows, x.len(), columns);
        (loss, y)
    })
}

/// `dx = (softmax − one_hot(labels))·dy`, dy being `[N]`.
pub fn softmax_cross_entropy_dx(softmax: View<Buffer>, labels: View<Buffer>, dy: View<Buffer>) -> Buffer {
    for_float!("softmax_cross_entropy_dx", softmax.buffer.dtype(), T => {
        let columns = columns(&softmax.shape());
        let (p, labels, dy) = (dense::<T>(softmax), dense::<i64>(labels), dense::<T>(dy));
        assert_eq!(p.len(), labels.len() * columns, "[softmax_cross_entropy] one label for each row");
        Buffer::build(p.len(), |dx: &mut [T]| {
            let dx = Shared::new(dx);
            par::for_each(labels.len(), columns, |row| {
                let (start, end) = (row * columns, (row + 1) * columns);
                // SAFETY: each row is one thread's.
                let dx = unsafe { dx.part(start, end) };
                dx.iter_mut().zip(&p[start..end]).for_each(|(dx, &p)| *dx = p * dy[row]);
                let label = labels[row] as usize;
                dx[label] = (p[start..end][label] - 1.0) * dy[row];
            });
        })
    })
}

fn columns(shape: &Shape) -> usize {
    *shape.last().expect("softmax is over an axis")
}

/// What is done with one row.
trait Row<T: SimdFloat>: Copy + Sync {
    /// Computes row `row`, the elements `start..end`.
    ///
    /// # Safety
    /// The row lies in the operands, and no other thread works on it.
    unsafe fn run<V: Vector<Scalar = T>>(self, row: usize, start: usize, end: usize);
}

/// Runs `op` on all rows, in parallel.
fn for_rows<T: SimdFloat, R: Row<T>>(op: R, count: usize, columns: usize) {
    // an exponential costs about as much as eight simple operations
    let grain = par::GRAIN / (8 * columns.max(1));
    par::for_ranges(count / columns.max(1), grain.max(1), move |start, end| {
        simd::run(Rows { op, start, end, columns });
    });
}

struct Rows<R> {
    op: R,
    start: usize,
    end: usize,
    columns: usize,
}

impl<T: SimdFloat, R: Row<T>> Kernel<T> for Rows<R> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for row in self.start..self.end {
            // SAFETY: the rows are within the operands, and pieces of rows do not overlap.
            unsafe { self.op.run::<V>(row, row * self.columns, (row + 1) * self.columns) };
        }
    }
}

/// The softmax.
#[derive(Clone, Copy)]
struct LinearRow<'a, T> {
    x: &'a [T],
    y: Shared<T>,
}

impl<T: SimdFloat> LinearRow<'_, T> {
    /// Writes the row and gives back its greatest element and `Σ e^(x − greatest)`.
    ///
    /// # Safety
    /// As for [`Row::run`].
    #[inline(always)]
    unsafe fn write<V: Vector<Scalar = T>>(self, start: usize, end: usize) -> (T, T) {
        let x = &self.x[start..end];
        // SAFETY: the caller's promise.
        let y = unsafe { self.y.part(start, end) };
        let greatest = greatest::<V>(x);
        if x.len() <= V::WIDTH {
            // a row of one vector stays in its register
            let e = (load(x, 0, V::splat(f64::NEG_INFINITY)) - V::broadcast(greatest)).exp();
            let sum = e.sum();
            store(e * V::broadcast(sum.recip()), y, 0);
            return (greatest, sum);
        }
        let sum = exponentials::<V>(x, greatest, Some(&mut *y));
        let scale = V::broadcast(sum.recip());
        for j in (0..y.len()).step_by(V::WIDTH) {
            store::<V>(load(y, j, V::splat(0.0)) * scale, y, j);
        }
        (greatest, sum)
    }
}

impl<T: SimdFloat> Row<T> for LinearRow<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Scalar = T>>(self, _row: usize, start: usize, end: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.write::<V>(start, end) };
    }
}

/// The logarithm of the softmax.
#[derive(Clone, Copy)]
struct LogRow<'a, T> {
    x: &'a [T],
    y: Shared<T>,
}

impl<T: SimdFloat> Row<T> for LogRow<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Scalar = T>>(self, _row: usize, start: usize, end: usize) {
        let x = &self.x[start..end];
        // SAFETY: the caller's promise.
        let y = unsafe { self.y.part(start, end) };
        let greatest = greatest::<V>(x);
        let log = V::broadcast(exponentials::<V>(x, greatest, None).ln());
        let greatest = V::broadcast(greatest);
        for j in (0..x.len()).step_by(V::WIDTH) {
            store::<V>(load(x, j, V::splat(0.0)) - greatest - log, y, j);
        }
    }
}

/// The softmax and the loss.
#[derive(Clone, Copy)]
struct LossRow<'a, T> {
    linear: LinearRow<'a, T>,
    labels: &'a [i64],
    loss: Shared<T>,
}

impl<T: SimdFloat> Row<T> for LossRow<'_, T> {
    #[inline(always)]
    unsafe fn run<V: Vector<Scalar = T>>(self, row: usize, start: usize, end: usize) {
        let of_label = self.linear.x[start..end][self.labels[row] as usize];
        // SAFETY: the caller's promise; the loss has one place for each row.
        unsafe {
            let (greatest, sum) = self.linear.write::<V>(start, end);
            self.loss.ptr().add(row).write(sum.ln() - (of_label - greatest));
        }
    }
}

/// The greatest element; NaN if there is one.
#[inline(always)]
fn greatest<V: Vector>(x: &[V::Scalar]) -> V::Scalar {
    let mut greatest = V::splat(f64::NEG_INFINITY);
    for j in (0..x.len()).step_by(V::WIDTH) {
        greatest = greatest.max(load(x, j, V::splat(f64::NEG_INFINITY)));
    }
    greatest.greatest()
}

/// `Σ e^(x − shift)`, and the exponentials into `y` if it is there. The order of the sum depends on the length
/// alone, its chains are short.
#[inline(always)]
fn exponentials<V: Vector>(x: &[V::Scalar], shift: V::Scalar, mut y: Option<&mut [V::Scalar]>) -> V::Scalar {
    const CHUNK: usize = 1024;
    let shift = V::broadcast(shift);
    let mut total = V::splat(0.0);
    for chunk in (0..x.len()).step_by(CHUNK) {
        let mut sum = V::splat(0.0);
        for j in (chunk..(chunk + CHUNK).min(x.len())).step_by(V::WIDTH) {
            let e = (load(x, j, V::splat(f64::NEG_INFINITY)) - shift).exp();
            if let Some(y) = &mut y {
                store(e, y, j);
            }
            sum = sum + e;
        }
        total = total + sum;
    }
    total.sum()
}

/// The vector at `j`; places beyond the end hold `fill`.
#[inline(always)]
fn load<V: Vector>(x: &[V::Scalar], j: usize, fill: V) -> V {
    let left = x.len() - j;
    // SAFETY: `left` elements are there from j on.
    unsafe {
        if left >= V::WIDTH {
            return V::load(x.as_ptr().add(j));
        }
        let mut places = [V::Scalar::default(); 16];
        for (i, place) in places.iter_mut().enumerate() {
            *place = Lane::splat(i as f64);
        }
        let there = V::load(places.as_ptr()).lt(V::splat(left as f64));
        V::select(there, V::load_part(x.as_ptr().add(j), left), fill)
    }
}

/// Writes the vector at `j`, as far as `y` reaches.
#[inline(always)]
fn store<V: Vector>(x: V, y: &mut [V::Scalar], j: usize) {
    let left = y.len() - j;
    // SAFETY: `left` elements are there from j on.
    unsafe { x.store_next(y.as_mut_ptr().add(j), left) }
}
