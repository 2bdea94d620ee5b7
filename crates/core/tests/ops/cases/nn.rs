//! The ops of neural networks.

use super::{Case, case};
use crate::support::sample;
use cotangent_core::{Conv2dSpec, DataFormat, Padding, Rng, Tensor, WindowSpec};

const LAST: DataFormat = DataFormat::ChannelsLast;
const FIRST: DataFormat = DataFormat::ChannelsFirst;

pub fn cases() -> Vec<Case> {
    let mut all = convolutions();
    all.extend(pools());
    all.extend(norms());
    all.extend(classifiers());
    all.extend([
        case("linear", [sample([3, 4], -1.0, 1.0), sample([4, 2], -1.0, 1.0)], |x| x[0].linear(&x[1], None)),
        case(
            "linear with bias",
            [sample([2, 3, 4], -1.0, 1.0), sample([4, 5], -1.0, 1.0), sample([5], -1.0, 1.0)],
            |x| x[0].linear(&x[1], Some(&x[2])),
        ),
        case("linear on one row", [sample([4], -1.0, 1.0), sample([4, 2], -1.0, 1.0)], |x| x[0].linear(&x[1], None)),
        case("dropout", [sample([4, 5], -1.0, 1.0)], |x| x[0].dropout(0.4, &mut Rng::new(3))),
    ]);
    all
}

fn convolutions() -> Vec<Case> {
    let plain = Conv2dSpec::new(WindowSpec::new([3, 2]));
    let strided = Conv2dSpec {
        window: WindowSpec { stride: [2, 1], padding: Padding::Same, ..WindowSpec::new([3, 2]) },
        groups: 2,
        format: FIRST,
    };
    let dilated = Conv2dSpec::new(WindowSpec {
        dilation: [2, 1],
        padding: Padding::Explicit([1, 2, 0, 1]),
        ..WindowSpec::new([2, 3])
    });
    let depthwise = Conv2dSpec { groups: 3, ..plain };
    let conv = |name, x: Tensor, w: [usize; 4], spec: Conv2dSpec| {
        let operands = [x, sample(w, -1.0, 1.0), sample([w[3]], -1.0, 1.0)];
        case(name, operands, move |x| x[0].conv2d(&x[1], Some(&x[2]), &spec))
    };
    vec![
        case("conv2d", [sample([2, 4, 4, 2], -1.0, 1.0), sample([3, 2, 2, 3], -1.0, 1.0)], move |x| {
            x[0].conv2d(&x[1], None, &plain)
        }),
        conv("conv2d with bias", sample([1, 4, 3, 2], -1.0, 1.0), [3, 2, 2, 3], plain),
        conv("conv2d, strided, grouped, channels first", sample([2, 4, 5, 4], -1.0, 1.0), [3, 2, 2, 4], strided),
        conv("conv2d, dilated, padded", sample([1, 4, 4, 2], -1.0, 1.0), [2, 3, 2, 2], dilated),
        conv("conv2d, depthwise", sample([1, 4, 3, 3], -1.0, 1.0), [3, 2, 1, 6], depthwise),
    ]
}

fn pools() -> Vec<Case> {
    let window = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let overlapping = WindowSpec { stride: [1, 2], padding: Padding::Same, ..WindowSpec::new([3, 2]) };
    let image = || sample([2, 5, 4, 3], -1.0, 1.0);
    vec![
        case("max_pool2d", [image()], move |x| x[0].max_pool2d(&window, LAST)),
        case("max_pool2d, overlapping", [image()], move |x| x[0].max_pool2d(&overlapping, LAST)),
        case("max_pool2d, channels first", [image()], move |x| x[0].max_pool2d(&overlapping, FIRST)),
        case("avg_pool2d", [image()], move |x| x[0].avg_pool2d(&window, LAST, false)),
        case("avg_pool2d, overlapping", [image()], move |x| x[0].avg_pool2d(&overlapping, LAST, false)),
        case("avg_pool2d, channels first", [image()], move |x| x[0].avg_pool2d(&overlapping, FIRST, true)),
    ]
}

fn norms() -> Vec<Case> {
    let operands =
        |shape: [usize; 4], c: usize| [sample(shape, -1.0, 2.0), sample([c], 0.5, 1.5), sample([c], -1.0, 1.0)];
    vec![
        case("batch_norm", operands([2, 3, 2, 2], 2), |x| x[0].batch_norm(&x[1], &x[2], -1, 1e-3).0),
        case("batch_norm, channels first", operands([2, 3, 2, 2], 3), |x| x[0].batch_norm(&x[1], &x[2], 1, 1e-3).0),
        case(
            "batch_norm_inference",
            [
                sample([4, 3], -1.0, 2.0),
                sample([3], 0.5, 1.5),
                sample([3], -1.0, 1.0),
                sample([3], 0.0, 1.0),
                sample([3], 1.0, 2.0),
            ],
            |x| x[0].batch_norm_inference(&x[1], &x[2], &x[3], &x[4], -1, 1e-3),
        ),
    ]
}

fn classifiers() -> Vec<Case> {
    let logits = || sample([3, 4], -2.0, 2.0);
    let labels = || Tensor::from([3_i64, 0, 3]);
    vec![
        case("softmax", [logits()], |x| x[0].softmax(-1)),
        case("softmax over rows", [logits()], |x| x[0].softmax(0)),
        case("log_softmax", [logits()], |x| x[0].log_softmax(-1)),
        case("log_softmax over rows", [logits()], |x| x[0].log_softmax(0)),
        case("softmax_cross_entropy", [logits()], move |x| x[0].softmax_cross_entropy(&labels())),
        case("softmax_cross_entropy_one_hot", [logits(), sample([3, 4], 0.0, 1.0)], |x| {
            x[0].softmax_cross_entropy_one_hot(&x[1])
        }),
    ]
}
