//! At kinks, ties and poles there is no derivative to compare with: the one that is chosen is fixed here.

use cotangent::{DataFormat, Tensor, WindowSpec};

const INF: f64 = f64::INFINITY;

/// The gradients of Σ f by all operands, one after the other, are these.
fn gradient<const N: usize>(what: &str, f: fn([&Tensor; N]) -> Tensor, x: [&[f64]; N], want: &[f64]) {
    let x = x.map(|x| Tensor::from_slice(x, [x.len()]).tracked());
    let grads = f(x.each_ref()).sum(..).backward();
    let got: Vec<f64> = x.iter().flat_map(|x| grads.wrt(x).to_vec::<f64>()).collect();
    assert_eq!(got, want, "{what}");
}

#[test]
fn equals_share_the_gradient() {
    gradient("maximum", |[a, b]| a.maximum(b), [&[2.0], &[2.0]], &[0.5, 0.5]);
    gradient("minimum", |[a, b]| a.minimum(b), [&[2.0], &[2.0]], &[0.5, 0.5]);
    gradient("max", |[x]| x.max(..), [&[1.0, 5.0, 5.0]], &[0.0, 0.5, 0.5]);
    gradient("min", |[x]| x.min(..), [&[1.0, 1.0, 1.0, 2.0]], &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
}

#[test]
fn the_first_of_equals_wins_a_window() {
    let pool =
        |[x]: [&Tensor; 1]| x.reshape([1, 2, 2, 1]).max_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast);
    gradient("max_pool2d", pool, [&[3.0, 7.0, 7.0, 7.0]], &[0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn one_side_is_chosen_at_a_kink() {
    gradient("relu", |[x]| x.relu(), [&[0.0, -0.0]], &[0.0, 0.0]);
    gradient("abs", |[x]| x.abs(), [&[0.0]], &[0.0]);
    gradient("leaky_relu", |[x]| x.leaky_relu(0.25), [&[0.0]], &[0.25]);
    gradient("elu", |[x]| x.elu(1.5), [&[0.0]], &[1.5]);
    gradient("selu", |[x]| x.selu(), [&[0.0]], &[1.0507009873554805 * 1.6732632423543772]);
    gradient("clamp", |[x]| x.clamp(-1.0, 2.0), [&[-1.0, 2.0, -1.1, 2.1]], &[1.0, 1.0, 0.0, 0.0]);
    gradient("hard_sigmoid", |[x]| x.hard_sigmoid(), [&[-3.0, 3.0]], &[0.0, 0.0]);
}

#[test]
fn powers_of_zero_and_zeroth_powers() {
    gradient("0 to the power 0", |[a, b]| a.pow(b), [&[0.0], &[0.0]], &[0.0, 0.0]);
    gradient("0 squared", |[a, b]| a.pow(b), [&[0.0], &[2.0]], &[0.0, 0.0]);
    gradient("3 to the power 0", |[a, b]| a.pow(b), [&[3.0], &[0.0]], &[0.0, 3f64.ln()]);
    gradient("a fixed power of 0", |[x]| x.powf(0.0), [&[0.0, 2.0]], &[0.0, 0.0]);
    gradient("with a cotangent of 0", |[x]| x.powf(0.0) * 0.0, [&[0.0, 2.0]], &[0.0, 0.0]);
}

#[test]
fn poles_are_infinite_and_masked_rows_are_zero() {
    gradient("sqrt", |[x]| x.sqrt(), [&[0.0]], &[INF]);
    gradient("recip", |[x]| x.recip(), [&[0.0]], &[-INF]);
    gradient("std of constants", |[x]| x.std(.., 0), [&[2.0, 2.0]], &[0.0, 0.0]);
    gradient("logsumexp of a masked row", |[x]| x.logsumexp(..), [&[-INF, -INF]], &[0.0, 0.0]);
    gradient("prod with a zero", |[x]| x.prod(..), [&[2.0, 0.0, 5.0]], &[0.0, 10.0, 0.0]);
    gradient("prod with two zeros", |[x]| x.prod(..), [&[0.0, 0.0, 5.0]], &[0.0, 0.0, 0.0]);
}
