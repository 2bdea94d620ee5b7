//! [`Kernels`]: the contract between tensors and a device.
//!
//! Every method takes views (a buffer and a [`Layout`] with any strides) and gives a new contiguous buffer.
//! Shapes and dtypes were checked by the op that calls; a kernel may assume them and asserts the cheap ones.
//! All results are the same bits for any number of threads.

use crate::{Axes, ConvGeometry, DType, Element, Layout, Map, PoolGeometry, Result, Shape, Stream, Update};

/// A tensor as a kernel sees it.
pub struct View<'a, B> {
    /// The memory.
    pub buffer: &'a B,
    /// Where in it the elements are.
    pub layout: Layout,
}

impl<B> Clone for View<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for View<'_, B> {}

impl<'a, B> View<'a, B> {
    /// All of a buffer, in this shape.
    pub fn whole(buffer: &'a B, shape: Shape) -> Self {
        Self { buffer, layout: Layout::contiguous(shape) }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }
}

/// A reduction. The empty reduction gives the neutral element (0, 1, −∞, ∞).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduce {
    /// Σ x.
    Sum,
    /// Π x.
    Prod,
    /// The greatest; NaN if any is NaN.
    Max,
    /// The smallest; NaN if any is NaN.
    Min,
}

/// A comparison. With NaN all are false but [`Compare::Ne`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// a = b.
    Eq,
    /// a ≠ b.
    Ne,
    /// a < b.
    Lt,
    /// a ≤ b.
    Le,
    /// a > b.
    Gt,
    /// a ≥ b.
    Ge,
}

/// An operation on integers. Overflow wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntegerOp {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a · b.
    Mul,
    /// a / b towards 0; 0 where b is 0.
    Div,
    /// The smaller.
    Min,
    /// The greater.
    Max,
}

impl IntegerOp {
    /// The result.
    #[inline(always)]
    pub fn eval(self, a: i64, b: i64) -> i64 {
        match self {
            IntegerOp::Add => a.wrapping_add(b),
            IntegerOp::Sub => a.wrapping_sub(b),
            IntegerOp::Mul => a.wrapping_mul(b),
            IntegerOp::Div if b == 0 => 0,
            IntegerOp::Div => a.wrapping_div(b),
            IntegerOp::Min => a.min(b),
            IntegerOp::Max => a.max(b),
        }
    }
}

/// A distribution to draw from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Draw {
    /// Uniform in `[low, high)`.
    Uniform {
        /// The least value.
        low: f64,
        /// The bound above.
        high: f64,
    },
    /// Normal (Box and Muller).
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// 1 with probability `p`, else 0.
    Bernoulli {
        /// The probability of 1.
        p: f64,
    },
}

/// A parameter that an optimizer moves, with its gradient and its state, all of one shape and dtype.
pub struct Moved<'a, B, const S: usize> {
    /// The parameter, contiguous.
    pub p: &'a mut B,
    /// The gradient.
    pub g: View<'a, B>,
    /// The state, contiguous.
    pub state: [&'a mut B; S],
}

/// What a device can do. `B` is short for [`Self::Buffer`].
pub trait Kernels {
    /// The device's memory: some elements of one dtype.
    type Buffer: Send + Sync;

    // ---- memory

    /// A copy of `values` on the device.
    fn upload<T: Element>(&self, values: &[T]) -> Result<Self::Buffer>;
    /// The elements of the view in row-major order. `T` is the view's dtype.
    fn download<T: Element>(&self, x: View<Self::Buffer>) -> Vec<T>;
    /// `count` times `value`.
    fn fill(&self, dtype: DType, count: usize, value: f64) -> Self::Buffer;
    /// `start, start + step, …`, `count` numbers.
    fn arange(&self, dtype: DType, count: usize, start: f64, step: f64) -> Self::Buffer;
    /// The elements in row-major order without gaps.
    fn copy(&self, x: View<Self::Buffer>) -> Self::Buffer;
    /// Writes the elements of `x` into the places that `places` names in `out` (equal shapes and dtypes).
    fn assign(&self, out: &mut Self::Buffer, places: Layout, x: View<Self::Buffer>);
    /// The elements as another dtype, as Rust's `as` does; to bool as `x ≠ 0`.
    fn cast(&self, x: View<Self::Buffer>, dtype: DType) -> Self::Buffer;

    // ---- element by element

    /// `y = op(x₀, …)` for float views of one shape and dtype.
    fn map<const N: usize, M: Map<N>>(&self, op: M, x: [View<Self::Buffer>; N]) -> Self::Buffer;
    /// `y = op(x₀, …)`, in place where the device can; an operand that is `None` is what y held. `y` is contiguous, of
    /// this shape.
    fn map_over<const N: usize, M: Map<N>>(
        &self,
        op: M,
        x: [Option<View<Self::Buffer>>; N],
        y: &mut Self::Buffer,
        shape: Shape,
    ) {
        let result = self.map(op, x.map(|x| x.unwrap_or(View::whole(y, shape))));
        *y = result;
    }
    /// `y = op(a, b)` for integer views (u32, i64, u8) of one shape and dtype.
    fn map_integers(&self, op: IntegerOp, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer;
    /// Bools: `a op b`, any dtype.
    fn compare(&self, op: Compare, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer;
    /// `mask ? a : b`; the mask is of dtype bool, `a` and `b` of any one.
    fn select(&self, mask: View<Self::Buffer>, a: View<Self::Buffer>, b: View<Self::Buffer>) -> Self::Buffer;
    /// `acc += x`, in place, float, equal shapes; `acc` is contiguous.
    fn accumulate(&self, acc: &mut Self::Buffer, x: View<Self::Buffer>);
    /// One optimizer step in place over contiguous parameter and state of `count` elements. State smaller than any normal
    /// f32 may become 0.
    fn update<const S: usize, U: Update<S>>(
        &self,
        op: U,
        p: &mut Self::Buffer,
        g: View<Self::Buffer>,
        state: [&mut Self::Buffer; S],
    );
    /// [`update`](Kernels::update) of several parameters of one dtype, to the same bits.
    fn update_all<const S: usize, U: Update<S>>(&self, op: U, moved: Vec<Moved<Self::Buffer, S>>) {
        moved.into_iter().for_each(|m| self.update(op, m.p, m.g, m.state));
    }

    // ---- reductions

    /// The reduction over `axes`; the other axes keep their order. Sums run over a tree whose shape depends
    /// on sizes alone. Floats, and integers (i64, u32, u8; sums wrap).
    fn reduce(&self, op: Reduce, x: View<Self::Buffer>, axes: Axes) -> Self::Buffer;
    /// The index (i64) of the first greatest (`greatest`) or smallest element along `axis`; of the first NaN
    /// if there is one. Any numbers.
    fn arg_reduce(&self, greatest: bool, x: View<Self::Buffer>, axis: usize) -> Self::Buffer;

    // ---- linear algebra

    /// `y = a·b (+ bias)`: `a [.., M, K]`, `b [.., K, N]` with equal leading axes (stride 0 where broadcast),
    /// `bias [N]`.
    fn matmul(&self, a: View<Self::Buffer>, b: View<Self::Buffer>, bias: Option<View<Self::Buffer>>) -> Self::Buffer;

    // ---- images

    /// `y[n, p, k] = bias[k] + Σ x[n, p·stride + tap·dilation − before, c] · w[tap, c, k]`; with `relu` the greater of
    /// that and 0.
    fn conv2d(
        &self,
        x: View<Self::Buffer>,
        w: View<Self::Buffer>,
        bias: Option<View<Self::Buffer>>,
        relu: bool,
        geometry: &ConvGeometry,
    ) -> Self::Buffer;
    /// The cotangent of x.
    fn conv2d_dx(&self, dy: View<Self::Buffer>, w: View<Self::Buffer>, geometry: &ConvGeometry) -> Self::Buffer;
    /// The cotangent of w.
    fn conv2d_dw(&self, x: View<Self::Buffer>, dy: View<Self::Buffer>, geometry: &ConvGeometry) -> Self::Buffer;
    /// The cotangents of w and of the bias for a convolution with a ReLU behind it, from its result y and dy, which counts
    /// where y > 0. `None` if that is no faster than one after the other.
    fn conv2d_relu_dw(
        &self,
        x: View<Self::Buffer>,
        [y, dy]: [View<Self::Buffer>; 2],
        geometry: &ConvGeometry,
    ) -> Option<(Self::Buffer, Self::Buffer)> {
        let _ = (x, y, dy, geometry);
        None
    }
    /// The greatest element of each window and its tap (u32: row·kw + column of the kernel, the first of
    /// equals; NaN wins). Padding never wins.
    fn max_pool2d(&self, x: View<Self::Buffer>, geometry: &PoolGeometry) -> (Self::Buffer, Self::Buffer);
    /// The cotangent of x from dy and the taps.
    fn max_pool2d_dx(&self, dy: View<Self::Buffer>, taps: View<Self::Buffer>, geometry: &PoolGeometry) -> Self::Buffer;
    /// [`max_pool2d`](Kernels::max_pool2d) of [`conv2d`](Kernels::conv2d): values and taps.
    fn conv2d_max_pool2d(
        &self,
        x: View<Self::Buffer>,
        w: View<Self::Buffer>,
        bias: Option<View<Self::Buffer>>,
        relu: bool,
        conv: &ConvGeometry,
        pool: &PoolGeometry,
    ) -> (Self::Buffer, Self::Buffer) {
        let z = self.conv2d(x, w, bias, relu, conv);
        self.max_pool2d(View::whole(&z, conv.y_shape()), pool)
    }
    /// The cotangents of x, w and the bias, where `need`ed, from dy and the taps. What dy holds is 0 in the convolution's
    /// result but for the winners; a 0 in dy may be passed over.
    fn conv2d_max_pool2d_vjp(
        &self,
        [x, w]: [View<Self::Buffer>; 2],
        [dy, taps]: [View<Self::Buffer>; 2],
        conv: &ConvGeometry,
        pool: &PoolGeometry,
        need: [bool; 3],
    ) -> [Option<Self::Buffer>; 3] {
        let db = need[2].then(|| self.reduce(Reduce::Sum, dy, conv.format.pixels()));
        if !need[0] && !need[1] {
            return [None, None, db];
        }
        let dz = self.max_pool2d_dx(dy, taps, pool);
        let dz = View::whole(&dz, conv.y_shape());
        [need[0].then(|| self.conv2d_dx(dz, w, conv)), need[1].then(|| self.conv2d_dw(x, dz, conv)), db]
    }
    /// [`conv2d_max_pool2d_vjp`](Kernels::conv2d_max_pool2d_vjp) with a ReLU behind, from its result y and dy, which counts
    /// where y > 0. `None` if that is no faster than one after the other.
    fn conv2d_max_pool2d_relu_vjp(
        &self,
        [x, w]: [View<Self::Buffer>; 2],
        [y, dy, taps]: [View<Self::Buffer>; 3],
        conv: &ConvGeometry,
        pool: &PoolGeometry,
        need: [bool; 3],
    ) -> Option<[Option<Self::Buffer>; 3]> {
        let _ = (x, w, y, dy, taps, conv, pool, need);
        None
    }
    /// The mean over each window; padding counts in the divisor only if `count_padding`.
    fn avg_pool2d(&self, x: View<Self::Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Self::Buffer;
    /// The cotangent of x.
    fn avg_pool2d_dx(&self, dy: View<Self::Buffer>, geometry: &PoolGeometry, count_padding: bool) -> Self::Buffer;

    // ---- normalisation and losses

    /// Mean and biased variance of each channel, `[C]` each: over all axes but `channel`.
    fn moments(&self, x: View<Self::Buffer>, channel: usize) -> (Self::Buffer, Self::Buffer);
    /// `y = (x − mean)·inv_std·gamma + beta`, all four `[C]`, along axis `channel`.
    fn normalize(&self, x: View<Self::Buffer>, channel: usize, stats: NormStats<Self::Buffer>) -> Self::Buffer;
    /// The cotangents `(dx, dgamma, dbeta)` of batch normalisation with the batch's own statistics, dx where it is needed;
    /// `stats.beta` is not read.
    fn normalize_vjp(
        &self,
        x: View<Self::Buffer>,
        channel: usize,
        stats: NormStats<Self::Buffer>,
        dy: View<Self::Buffer>,
        need_dx: bool,
    ) -> (Option<Self::Buffer>, Self::Buffer, Self::Buffer);
    /// The cotangents `[dgamma, dbeta, dw, db]` of batch normalisation of `x [N, C]` with the batch's own statistics and
    /// of the affine map by `w [C, K]` and a bias behind it, from the map's `dy [N, K]`; x needs none. `None` if that is
    /// no faster than one after the other.
    fn normalize_linear_vjp(
        &self,
        x: View<Self::Buffer>,
        stats: NormStats<Self::Buffer>,
        w: View<Self::Buffer>,
        dy: View<Self::Buffer>,
    ) -> Option<[Self::Buffer; 4]> {
        let _ = (x, stats, w, dy);
        None
    }
    /// Softmax over the last axis, or its logarithm. A row of −∞ gives NaN.
    fn softmax(&self, x: View<Self::Buffer>, log: bool) -> Self::Buffer;
    /// From logits `[N, C]` and labels `[N]` (i64, within 0..C): the loss of each row, `[N]`, and the softmax.
    fn softmax_cross_entropy(&self, x: View<Self::Buffer>, labels: View<Self::Buffer>) -> (Self::Buffer, Self::Buffer);
    /// `dx = (softmax − one_hot(labels))·dy`, dy being `[N]`.
    fn softmax_cross_entropy_dx(
        &self,
        softmax: View<Self::Buffer>,
        labels: View<Self::Buffer>,
        dy: View<Self::Buffer>,
    ) -> Self::Buffer;

    // ---- indices (i64), each within the axis: the op has checked

    /// Slices `index[0], index[1], …` of axis `axis`; any dtype.
    fn index_select(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>) -> Self::Buffer;
    /// The transpose of [`Kernels::index_select`]: adds slice `i` of `x` to slice `index[i]` of zeros with
    /// `size` slices, in rising order of i.
    fn index_add(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>, size: usize) -> Self::Buffer;
    /// `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`; index has y's shape.
    fn gather(&self, x: View<Self::Buffer>, axis: usize, index: View<Self::Buffer>) -> Self::Buffer;
    /// `y = base; y[.., index[.., i, ..], ..] += x[.., i, ..]`, in row-major order of x.
    fn scatter_add(
        &self,
        base: View<Self::Buffer>,
        axis: usize,
        index: View<Self::Buffer>,
        x: View<Self::Buffer>,
    ) -> Self::Buffer;

    // ---- random numbers

    /// Element i is a function of the stream and i alone.
    fn random(&self, draw: Draw, dtype: DType, count: usize, stream: Stream) -> Self::Buffer;
    /// `y = x · mask / (1 − rate)`, mask i being 1 with probability 1 − rate, a function of stream and i alone.
    /// Its own transpose: the backward pass may call it with dy. Beside y comes the mask (bools), if reading it is
    /// faster than making it again.
    fn dropout(&self, x: View<Self::Buffer>, rate: f64, stream: Stream) -> (Self::Buffer, Option<Self::Buffer>);
    /// `y = y · mask / (1 − rate)`, in place, with a mask that [`dropout`](Kernels::dropout) gave.
    fn dropout_by(&self, y: &mut Self::Buffer, rate: f64, mask: &Self::Buffer) {
        let _ = (y, rate, mask);
        unreachable!("a device that keeps masks can apply them")
    }
}

/// The `[C]` vectors of batch normalisation, contiguous.
pub struct NormStats<'a, B> {
    /// The channel's mean.
    pub mean: &'a B,
    /// 1 / √(variance + ε).
    pub inv_std: &'a B,
    /// The scale γ.
    pub gamma: &'a B,
    /// The shift β.
    pub beta: &'a B,
}
