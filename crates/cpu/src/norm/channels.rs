//! Loops over `[outer, C, inner]` with numbers for each channel.

use crate::Buffer;
use crate::par::{self, Shared};
use crate::reduce::fold::{self, Extent, NARROW, Number, Sum, Term};
use crate::simd::{self, Kernel, SimdFloat, Vector, WIDEST};
use cotangent_base::{Lane, Shape};
use std::borrow::Cow;

/// How an array falls into channels.
#[derive(Clone, Copy)]
pub(super) struct Channels {
    outer: usize,
    channels: usize,
    inner: usize,
}

impl Channels {
    /// The channels along `axis`.
    pub fn new(shape: &Shape, axis: usize) -> Self {
        let (outer, inner) = (shape[..axis].iter().product(), shape[axis + 1..].iter().product());
        Self { outer, channels: shape[axis], inner }
    }

    /// The number of elements of each channel.
    pub fn count(self) -> usize {
        self.outer * self.inner
    }

    /// Whether a channel's elements are apart, one in each row of `C`, rather than in runs of `inner`.
    fn interleaved(self) -> bool {
        self.inner == 1 && self.channels != 1
    }

    /// The sum over each channel of `term`, which is folded by columns if interleaved, else by rows.
    pub fn sum<T: Number>(self, term: impl Term<T>) -> Buffer {
        let Channels { outer, channels, inner } = self;
        if self.interleaved() {
            return fold::fold::<T, _, _>(Sum, term, Extent { outer: 1, n: outer, inner: channels });
        }
        if channels == 1 {
            return fold::fold::<T, _, _>(Sum, term, Extent { outer: 1, n: outer * inner, inner: 1 });
        }
        let runs = fold::fold::<T, _, _>(Sum, term, Extent { outer: outer * channels, n: inner, inner: 1 });
        let all = Extent { outer: 1, n: outer, inner: channels };
        fold::fold::<T, _, _>(Sum, fold::Elements(runs.as_slice::<T>()), all)
    }

    /// Σ (x − mean)·(y − shift) over each channel, given `[x, y]` and `[mean, shift]`.
    pub fn sum_products<T: Number>(self, of: [&[T]; 2], less: [&[T]; 2]) -> Buffer {
        assert!(less.iter().all(|less| less.len() == self.channels), "[normalize] one mean for each channel");
        let spread = if self.interleaved() { less.map(repeat) } else { less.map(widen) };
        let less = spread.each_ref().map(|less| &less[..]);
        self.sum(Products { of, less, first: 0, step: self.interleaved() as usize })
    }

    /// `y = op(x, params of the channel)`, element by element.
    pub fn map<T: SimdFloat, O: PerChannel<N, P>, const N: usize, const P: usize>(
        self,
        op: O,
        x: [&[T]; N],
        params: [&[T]; P],
    ) -> Buffer {
        let count = self.outer * self.channels * self.inner;
        assert!(x.iter().all(|x| x.len() == count) && params.iter().all(|p| p.len() == self.channels));
        Buffer::build(count, |y: &mut [T]| {
            let y = Shared::new(y);
            if self.interleaved() || self.channels == 1 {
                let repeated = params.map(repeat);
                let params = std::array::from_fn(|p| &repeated[p][..]);
                let period = repeated[0].len();
                let grain = (par::GRAIN / period.max(1)).max(1);
                par::for_ranges(count.div_ceil(period.max(1)), grain, move |start, end| {
                    simd::run(Columns { op, x, params, y, start, end, count });
                });
            } else {
                let grain = (par::GRAIN / self.inner.max(1)).max(1);
                par::for_ranges(self.outer * self.channels, grain, move |start, end| {
                    simd::run(Runs { op, x, params, y, start, end, inner: self.inner });
                });
            }
        })
    }
}

/// Few channels repeated, so that vectors run on through several rows.
fn repeat<T: SimdFloat>(params: &[T]) -> Cow<'_, [T]> {
    if params.len() < NARROW { params.repeat(WIDEST).into() } else { params.into() }
}

/// Each number as often as a vector may have places.
fn widen<T: SimdFloat>(params: &[T]) -> Cow<'_, [T]> {
    params.iter().flat_map(|&x| [x; WIDEST]).collect()
}

/// `(x − mean)·(y − shift)`. Mean and shift of column `c` lie at `first + c·step`.
#[derive(Clone, Copy)]
struct Products<'a, T> {
    of: [&'a [T]; 2],
    less: [&'a [T]; 2],
    /// Where those of the row being summed begin.
    first: usize,
    /// 1 if each column has its own, 0 if each row has.
    step: usize,
}

impl<T: Number> Term<T> for Products<'_, T> {
    fn count(self) -> usize {
        let [x, y] = self.of;
        assert_eq!(x.len(), y.len(), "[normalize_vjp] dy is as long as x");
        x.len()
    }

    #[inline(always)]
    fn row(self, outer: usize) -> Self {
        Self { first: (outer * WIDEST) % self.less[0].len(), ..self }
    }

    #[inline(always)]
    unsafe fn load<V: Vector<Scalar = T>>(self, at: usize, column: usize) -> V {
        // SAFETY: the caller's promise: the places are in x and y, the columns in what is taken off.
        let [x, y] = std::array::from_fn(|i| unsafe {
            let less = V::load(self.less[i].as_ptr().add(self.first + column * self.step));
            V::load(self.of[i].as_ptr().add(at)) - less
        });
        x * y
    }
}

/// A formula of `N` elements and `P` numbers of their channel.
pub(super) trait PerChannel<const N: usize, const P: usize>: Copy + Send + Sync {
    fn eval<L: Lane>(self, x: [L; N], params: [L; P]) -> L;
}

/// Rows `start..end` of as many elements as there are parameters.
struct Columns<'a, T, O, const N: usize, const P: usize> {
    op: O,
    x: [&'a [T]; N],
    params: [&'a [T]; P],
    y: Shared<T>,
    start: usize,
    end: usize,
    count: usize,
}

impl<T: SimdFloat, O: PerChannel<N, P>, const N: usize, const P: usize> Kernel<T> for Columns<'_, T, O, N, P> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let period = self.params[0].len();
        for row in self.start..self.end {
            let first = row * period;
            let len = period.min(self.count - first);
            let mut j = 0;
            while j < len {
                let (at, part) = (first + j, len - j);
                let (mut x, mut params) = ([V::splat(0.0); N], [V::splat(0.0); P]);
                // SAFETY: `part` elements are left of the row, in x, the parameters and y; rows are separate.
                unsafe {
                    for (v, x) in x.iter_mut().zip(self.x) {
                        *v = V::load_next(x.as_ptr().add(at), part);
                    }
                    for (v, p) in params.iter_mut().zip(self.params) {
                        *v = V::load_next(p.as_ptr().add(j), part);
                    }
                    self.op.eval(x, params).store_next(self.y.ptr().add(at), part);
                }
                j += V::WIDTH;
            }
        }
    }
}

/// Runs `start..end` of `inner` elements of one channel.
struct Runs<'a, T, O, const N: usize, const P: usize> {
    op: O,
    x: [&'a [T]; N],
    params: [&'a [T]; P],
    y: Shared<T>,
    start: usize,
    end: usize,
    inner: usize,
}

impl<T: SimdFloat, O: PerChannel<N, P>, const N: usize, const P: usize> Kernel<T> for Runs<'_, T, O, N, P> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        for run in self.start..self.end {
            let channel = run % self.params[0].len();
            let mut params = [V::splat(0.0); P];
            for (v, p) in params.iter_mut().zip(self.params) {
                *v = V::broadcast(p[channel]);
            }
            let mut j = 0;
            while j < self.inner {
                let (at, part) = (run * self.inner + j, self.inner - j);
                let mut x = [V::splat(0.0); N];
                // SAFETY: `part` elements are left of the run, in x and y; runs are separate.
                unsafe {
                    for (v, x) in x.iter_mut().zip(self.x) {
                        *v = V::load_next(x.as_ptr().add(at), part);
                    }
                    self.op.eval(x, params).store_next(self.y.ptr().add(at), part);
                }
                j += V::WIDTH;
            }
        }
    }
}
