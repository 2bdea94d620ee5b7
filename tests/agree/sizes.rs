//! Every kind of kernel at the sizes where vectors, tiles and blocks end, in f32 against f64.

use cotangent::gradcheck::compare::{near, ulps_f32};
use cotangent::gradcheck::sample::Domain;
use cotangent::{Conv2dSpec, DType, DataFormat, Shape, Tensor, WindowSpec};

/// Around the widths of vectors, primes, and beyond the blocks of every kernel.
const SIZES: [usize; 20] = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 127, 509, 1021, 4099, 16_411, 70_001];

const UNIT: Domain = Domain::Range(-1.0, 1.0);
const POSITIVE: Domain = Domain::Range(0.3, 2.0);

/// An op along an axis of size n: the shapes of its operands, where they lie, the largest n, and whether each element
/// is computed for itself.
struct Sized {
    name: &'static str,
    shapes: fn(usize) -> Vec<Shape>,
    domain: Domain,
    most: usize,
    pointwise: bool,
    f: fn(&[Tensor]) -> Tensor,
}

const fn of(name: &'static str, shapes: fn(usize) -> Vec<Shape>, f: fn(&[Tensor]) -> Tensor) -> Sized {
    Sized { name, shapes, domain: UNIT, most: 70_001, pointwise: false, f }
}

const fn pointwise(name: &'static str, shapes: fn(usize) -> Vec<Shape>, f: fn(&[Tensor]) -> Tensor) -> Sized {
    Sized { domain: POSITIVE, pointwise: true, ..of(name, shapes, f) }
}

const fn up_to(most: usize, op: Sized) -> Sized {
    Sized { most, ..op }
}

fn vector(n: usize) -> Vec<Shape> {
    vec![[n].into()]
}

fn vectors(n: usize) -> Vec<Shape> {
    vec![[n].into(), [n].into()]
}

fn long_rows(n: usize) -> Vec<Shape> {
    vec![[3, n].into()]
}

fn long_columns(n: usize) -> Vec<Shape> {
    vec![[n, 3].into()]
}

fn channels(n: usize) -> Vec<Shape> {
    vec![[2, 3, 3, n].into(), [n].into(), [n].into()]
}

fn convolved(n: usize) -> Vec<Shape> {
    vec![[1, 4, 3, n].into(), [2, 2, n, 5].into()]
}

fn filtered(n: usize) -> Vec<Shape> {
    vec![[1, 4, 3, 5].into(), [2, 2, 5, n].into()]
}

/// Class numbers below n for each of seven rows, the same every time.
fn labels(n: usize) -> Tensor {
    Tensor::from_vec((0..7).map(|i| (i * 13 % n.max(1)) as i64).collect())
}

fn convolution() -> Conv2dSpec {
    Conv2dSpec::new(WindowSpec::new([2, 2]))
}

const OPS: [Sized; 36] = [
    pointwise("add", vectors, |x| &x[0] + &x[1]),
    pointwise("mul", vectors, |x| &x[0] * &x[1]),
    pointwise("div", vectors, |x| &x[0] / &x[1]),
    pointwise("pow", vectors, |x| x[0].pow(&x[1])),
    pointwise("maximum", vectors, |x| x[0].maximum(&x[1])),
    pointwise("where", vectors, |x| x[0].gt(0.8).where_(&x[0], &x[1])),
    pointwise("a row for each row", |n| vec![[3, n].into(), [n].into()], |x| &x[0] * &x[1]),
    pointwise("a number for each row", |n| vec![[3, n].into(), [3, 1].into()], |x| &x[0] + &x[1]),
    pointwise("of a transpose", |n| vec![[3, n].into(), [n, 3].into()], |x| &x[0] + x[1].t()),
    pointwise("flip", vector, |x| x[0].flip(0)),
    pointwise("pad", vector, |x| x[0].pad(&[(1, 2)], 0.5)),
    pointwise("concat", vectors, |x| Tensor::concat(&[&x[0], &x[1]], 0)),
    pointwise("strided copy", long_rows, |x| x[0].slice_step(1, .., 2).reshape([3, x[0].shape()[1].div_ceil(2)])),
    of("sum of rows", long_rows, |x| x[0].sum(1)),
    of("sum of columns", long_columns, |x| x[0].sum(0)),
    of("sum of short rows", long_columns, |x| x[0].sum(1)),
    of("sum", vector, |x| x[0].sum(..)),
    of("mean", long_rows, |x| x[0].mean(..)),
    of("var", long_rows, |x| x[0].var(1, 0)),
    of("max of rows", |n| vec![[3, n.max(1)].into()], |x| x[0].max(1)),
    of("min of columns", |n| vec![[n.max(1), 3].into()], |x| x[0].min(0)),
    of("logsumexp", |n| vec![[3, n.max(1)].into()], |x| x[0].logsumexp_keepdim(1)),
    of("logsumexp of columns", |n| vec![[n.max(1), 3].into()], |x| x[0].logsumexp(0)),
    of("prod", |n| vec![[n.min(65), 3].into()], |x| x[0].prod(0)),
    of("softmax", long_rows, |x| x[0].softmax(-1)),
    of("softmax of columns", long_columns, |x| x[0].softmax(0)),
    of("log_softmax", long_rows, |x| x[0].log_softmax(-1)),
    of("cross-entropy", |n| vec![[7, n.max(1)].into()], |x| x[0].softmax_cross_entropy(&labels(x[0].shape()[1]))),
    up_to(
        4099,
        of(
            "batch_norm over rows",
            |n| vec![[n.max(2), 3].into(), [3].into(), [3].into()],
            |x| x[0].batch_norm(&x[1], &x[2], -1, 1e-3).0,
        ),
    ),
    up_to(4099, of("batch_norm of channels", channels, |x| x[0].batch_norm(&x[1], &x[2], -1, 1e-3).0)),
    up_to(509, of("convolution of channels", convolved, |x| x[0].conv2d(&x[1], None, &convolution()))),
    up_to(509, of("convolution to filters", filtered, |x| x[0].conv2d(&x[1], None, &convolution()))),
    up_to(
        4099,
        of(
            "max_pool2d",
            |n| channels(n)[..1].to_vec(),
            |x| x[0].max_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast),
        ),
    ),
    up_to(
        4099,
        of(
            "avg_pool2d",
            |n| channels(n)[..1].to_vec(),
            |x| x[0].avg_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast, false),
        ),
    ),
    of("index_select", long_columns, |x| {
        x[0].index_select(0, &labels(x[0].shape()[0]).slice(0, ..x[0].shape()[0].min(7) as isize))
    }),
    of("dropout", vector, |x| x[0].dropout(0.0, &mut cotangent::Rng::new(1))),
];

fn host(x: &Tensor) -> Vec<f64> {
    x.detach().cast(DType::F64).to_vec()
}

fn greatest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// Value and gradients of Σ y/8 in f32 against those in f64.
fn check(op: &Sized, n: usize) {
    let drawn = (op.shapes)(n).into_iter().enumerate();
    let narrow: Vec<Tensor> = drawn.map(|(i, s)| op.domain.sample(s, (n + i) as u64).cast(DType::F32)).collect();
    let run = |dtype: DType| {
        let x: Vec<Tensor> = narrow.iter().map(|x| x.cast(dtype).tracked()).collect();
        let y = (op.f)(&x);
        let grads = y.backward_with(&Tensor::full(y.shape(), 0.125, dtype));
        let gradients: Vec<Vec<f64>> = x.iter().map(|x| grads.get(x).map(host).unwrap_or_default()).collect();
        (host(&y), gradients)
    };
    let ((got, got_gradients), (want, want_gradients)) = (run(DType::F32), run(DType::F64));
    let terms = narrow.iter().map(Tensor::count).max().unwrap_or(1).max(16) as f64;
    let allowed = 4.0 * terms.sqrt() * f32::EPSILON as f64 / 2.0;
    let scale = greatest(&want).max(1.0);
    assert_eq!(got.len(), want.len(), "{} of {n}", op.name);
    for (i, (&got, &want)) in got.iter().zip(&want).enumerate() {
        let fine = if op.pointwise { ulps_f32(got as f32, want) <= 4.0 } else { near(got, want, 0.0, allowed * scale) };
        assert!(fine || (got.is_nan() && want.is_nan()), "{} of {n}: element {i} is {got:e}, wants {want:e}", op.name);
    }
    for (input, (got, want)) in got_gradients.iter().zip(&want_gradients).enumerate() {
        let scale = greatest(want).max(1.0) * scale;
        let fine = got.len() == want.len() && got.iter().zip(want).all(|(&g, &w)| near(g, w, 0.0, allowed * scale));
        assert!(fine, "{} of {n}: the gradient by operand {input} is {got:?}, wants {want:?}", op.name);
    }
}

#[test]
fn every_kernel_at_every_size() {
    for op in &OPS {
        SIZES.iter().filter(|&&n| n <= op.most).for_each(|&n| check(op, n));
    }
}
