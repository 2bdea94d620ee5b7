//! Values of the ops of neural networks against plain loops.

use crate::support::{close, numbers, panic_text, sample};
use cotangent_core::{Conv2dSpec, DType, DataFormat, Padding, Rng, Tensor, WindowSpec};

const LAST: DataFormat = DataFormat::ChannelsLast;
const FIRST: DataFormat = DataFormat::ChannelsFirst;

/// Element `[n, h, w, c]` of a channels-last tensor, 0 outside the image.
struct Image {
    dims: [usize; 4],
    values: Vec<f64>,
}

impl Image {
    fn new(x: &Tensor) -> Self {
        Self { dims: x.dims(), values: numbers(x) }
    }

    fn at(&self, n: usize, h: isize, w: isize, c: usize) -> Option<f64> {
        let [_, height, width, channels] = self.dims;
        let inside = (0..height as isize).contains(&h) && (0..width as isize).contains(&w);
        inside.then(|| self.values[((n * height + h as usize) * width + w as usize) * channels + c])
    }
}

fn first(x: &Tensor) -> Tensor {
    x.permute(&[0, 3, 1, 2])
}

fn last(x: &Tensor) -> Tensor {
    x.permute(&[0, 2, 3, 1])
}

/// Explicitly padded convolution by seven loops, channels last.
fn conv(x: &Tensor, w: &Tensor, b: &[f64], spec: &Conv2dSpec, pad: [isize; 2], out: [usize; 2]) -> Vec<f64> {
    let (image, w_dims, w) = (Image::new(x), w.dims::<4>(), numbers(w));
    let [kh, kw, c_in, k] = w_dims;
    let [sh, sw] = spec.window.stride;
    let [dh, dw] = spec.window.dilation;
    let mut y = Vec::new();
    for (n, oh, ow, f) in places([image.dims[0], out[0], out[1], k]) {
        let group = f / (k / spec.groups);
        let mut sum = b[f];
        for (i, j, c, _) in places([kh, kw, c_in, 1]) {
            let (h, v) = ((oh * sh + i * dh) as isize - pad[0], (ow * sw + j * dw) as isize - pad[1]);
            let tap = w[((i * kw + j) * c_in + c) * k + f];
            sum += image.at(n, h, v, group * c_in + c).unwrap_or(0.0) * tap;
        }
        y.push(sum);
    }
    y
}

fn places([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a * b * c * d).map(move |i| (i / (b * c * d), i / (c * d) % b, i / d % c, i % d))
}

#[test]
fn convolution_is_the_seven_loops() {
    let base = WindowSpec::new([3, 2]);
    let cases = [
        (Conv2dSpec::new(base), [0, 0], [4, 4]),
        (Conv2dSpec { groups: 2, ..Conv2dSpec::new(base) }, [0, 0], [4, 4]),
        (Conv2dSpec { groups: 4, ..Conv2dSpec::new(base) }, [0, 0], [4, 4]),
        (Conv2dSpec::new(WindowSpec { padding: Padding::Same, ..base }), [1, 0], [6, 5]),
        (Conv2dSpec::new(WindowSpec { padding: Padding::Same, stride: [2, 3], ..base }), [0, 0], [3, 2]),
        (
            Conv2dSpec::new(WindowSpec { padding: Padding::Explicit([2, 1, 1, 0]), dilation: [2, 1], ..base }),
            [2, 1],
            [5, 5],
        ),
    ];
    let x = sample([2, 6, 5, 4], -1.0, 1.0);
    let b = sample([8], -1.0, 1.0);
    for (spec, pad, out) in cases {
        let w = sample([3, 2, 4 / spec.groups, 8], -1.0, 1.0);
        let want = conv(&x, &w, &numbers(&b), &spec, pad, out);
        let y = x.conv2d(&w, Some(&b), &spec);
        close(&numbers(&y), &want, 1e-13, &format!("{spec:?}"));
        let spec = Conv2dSpec { format: FIRST, ..spec };
        let y = first(&x).conv2d(&w, Some(&b), &spec);
        close(&numbers(&last(&y)), &want, 1e-13, &format!("{spec:?}"));
    }
}

#[test]
fn pooling_is_the_loops() {
    let x = sample([2, 5, 6, 3], -3.0, -1.0);
    let image = Image::new(&x);
    // Same padding: 5 rows by threes one apart pad 1 + 1, 6 columns by twos two apart pad nothing
    let window = WindowSpec { stride: [1, 2], padding: Padding::Same, ..WindowSpec::new([3, 2]) };
    let taps = |n, oh: usize, ow: usize, c| -> Vec<f64> {
        let at = |(i, j): (usize, usize)| image.at(n, (oh + i) as isize - 1, (2 * ow + j) as isize, c);
        (0..6).map(|t| (t / 2, t % 2)).filter_map(at).collect()
    };
    let over = |f: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
        places([2, 5, 3, 3]).map(|(n, h, w, c)| f(&taps(n, h, w, c))).collect()
    };
    let max = over(&|t| t.iter().copied().fold(f64::MIN, f64::max));
    let mean = over(&|t| t.iter().sum::<f64>() / t.len() as f64);
    let padded = over(&|t| t.iter().sum::<f64>() / 6.0);
    close(&numbers(&x.max_pool2d(&window, LAST)), &max, 0.0, "max");
    close(&numbers(&last(&first(&x).max_pool2d(&window, FIRST))), &max, 0.0, "max, channels first");
    close(&numbers(&x.avg_pool2d(&window, LAST, false)), &mean, 1e-14, "mean");
    close(&numbers(&x.avg_pool2d(&window, LAST, true)), &padded, 1e-14, "mean with padding");
    close(&numbers(&last(&first(&x).avg_pool2d(&window, FIRST, false))), &mean, 1e-14, "mean, channels first");
}

#[test]
fn the_first_of_equals_in_a_window_takes_the_gradient() {
    let x = Tensor::ones([1, 2, 2, 1]).tracked();
    let y = x.max_pool2d(&WindowSpec::new([2, 2]), LAST);
    assert_eq!(numbers(y.sum(..).backward().wrt(&x)), [1.0, 0.0, 0.0, 0.0]);
}

#[test]
fn linear_is_a_product_and_a_sum() {
    let (x, w, b) = (sample([2, 3, 4], -1.0, 1.0), sample([4, 5], -1.0, 1.0), sample([5], -1.0, 1.0));
    let want = numbers(&(x.matmul(&w) + &b));
    close(&numbers(&x.linear(&w, Some(&b))), &want, 1e-14, "linear");
    assert_eq!(x.select(0, 0).select(0, 0).linear(&w, None).dims(), [5]);
}

#[test]
fn batch_norm_centres_and_scales_each_channel() {
    let x = sample([4, 3, 2, 5], -2.0, 5.0);
    let (gamma, beta) = (sample([5], 0.5, 2.0), sample([5], -1.0, 1.0));
    let (y, mean, var) = x.batch_norm(&gamma, &beta, -1, 1e-3);
    close(&numbers(&mean), &numbers(&x.mean([0, 1, 2])), 1e-13, "mean");
    close(&numbers(&var), &numbers(&x.var([0, 1, 2], 0)), 1e-13, "var");
    let same = x.batch_norm_inference(&gamma, &beta, &mean, &var, -1, 1e-3);
    close(&numbers(&y), &numbers(&same), 1e-13, "y");
    let (y, _, _) = first(&x).batch_norm(&gamma, &beta, 1, 1e-3);
    close(&numbers(&last(&y)), &numbers(&same), 1e-13, "channels first");
    assert!(!mean.is_tracked() && !var.is_tracked());
}

/// The weights of a first layer, whose images need no gradient, get theirs in a pass of its own.
#[test]
fn a_first_layer_with_a_relu_gets_the_gradients_of_any_other() {
    let (x, w, b) = (sample([3, 7, 6, 2], -1.0, 1.0), sample([3, 3, 2, 5], -1.0, 1.0), sample([5], -1.0, 1.0));
    let dy = sample([3, 5, 4, 5], -1.0, 1.0);
    let spec = Conv2dSpec::new(WindowSpec::new([3, 3]));
    let gradients = |x: &Tensor| {
        let (w, b) = (w.clone().tracked(), b.clone().tracked());
        let grads = x.conv2d_relu(&w, Some(&b), &spec).backward_with(&dy);
        [grads.wrt(&w).clone(), grads.wrt(&b).clone()]
    };
    for (first, other) in gradients(&x).iter().zip(gradients(&x.clone().tracked())) {
        close(&numbers(first), &numbers(&other), 1e-13, "of a first layer");
    }
}

#[test]
fn dropout_keeps_the_mean_and_repeats_by_seed() {
    let x = Tensor::ones([100_000]);
    let y = x.dropout(0.3, &mut Rng::new(5));
    let off = (y.mean(..).item() - 1.0).abs();
    assert!(off < 0.01, "the mean is off by {off}");
    let mut rng = Rng::new(5);
    assert_eq!(numbers(&x.dropout(0.3, &mut rng)), numbers(&y));
    assert_ne!(numbers(&x.dropout(0.3, &mut rng)), numbers(&y));
    assert_eq!(numbers(&x.dropout(0.0, &mut rng)), numbers(&x));
}

#[test]
fn dropout_hands_back_the_gradient_by_the_same_mask() {
    let x = Tensor::ones([1000]).tracked();
    let y = x.dropout(0.5, &mut Rng::new(9));
    let values = numbers(&y);
    assert_eq!(numbers(y.sum(..).backward().wrt(&x)), values);
}

#[test]
fn softmax_is_the_formula_along_any_axis() {
    let x = sample([3, 4, 5], -4.0, 4.0);
    for axis in 0..3 {
        let want = x.exp() / x.exp().sum_keepdim(axis);
        close(&numbers(&x.softmax(axis)), &numbers(&want), 1e-14, "softmax");
        close(&numbers(&x.log_softmax(axis)), &numbers(&want.ln()), 1e-13, "log_softmax");
    }
    let far = Tensor::from([[1e4_f32, -1e4, 1e4]]);
    close(&numbers(&far.softmax(-1)), &[0.5, 0.0, 0.5], 1e-6, "far out");
    let half = 2.0_f64.ln();
    close(&numbers(&far.log_softmax(-1)), &[-half, -2e4 - half, -half], 1e-6, "far out, log");
}

#[test]
fn cross_entropy_is_minus_the_log_probability() {
    let x = sample([6, 4], -3.0, 3.0);
    let labels = Tensor::from([0_i64, 3, 2, 2, 1, 0]);
    let want = -x.log_softmax(-1).gather(1, &labels.unsqueeze(-1)).reshape([6]);
    close(&numbers(&x.softmax_cross_entropy(&labels)), &numbers(&want), 1e-13, "labels");
    let one_hot = labels.one_hot(4, DType::F64);
    close(&numbers(&x.softmax_cross_entropy_one_hot(&one_hot)), &numbers(&want), 1e-13, "one-hot");
    let far = Tensor::from([[1e4_f32, -1e4]]).softmax_cross_entropy(&Tensor::from([1_i64]));
    assert_eq!(far.item(), 2e4);
}

#[test]
fn a_label_outside_says_which_and_where() {
    let labels = Tensor::from_vec((0..32).map(|row| if row == 3 { 10 } else { row % 10 }).collect::<Vec<i64>>());
    let text = panic_text(|| Tensor::zeros([32, 10]).softmax_cross_entropy(&labels));
    assert_eq!(text, "[softmax_cross_entropy] label 10 at row 3, but the logits [32, 10] have classes 0 to 9");
}
