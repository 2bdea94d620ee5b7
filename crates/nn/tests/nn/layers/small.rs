//! The layers without parameters, names, and activations.

use super::{build, infer};
use crate::{assert_close, assert_says};
use cotangent_core::{DType, DataFormat, Rng, Tensor};
use cotangent_nn::{Activation::*, *};

#[test]
fn dropout_drops_while_training_alone() {
    let mut dropout = Dropout::new(0.25);
    build(&mut dropout, [1000]).unwrap();
    let x = Tensor::ones([10, 1000]);
    assert_eq!(infer(&dropout, &x).to_vec::<f32>(), x.to_vec::<f32>());
    let mut rng = Rng::new(7);
    let y = dropout.call(&x, &mut Pass::training(&mut rng)).to_vec::<f32>();
    assert!(y.iter().all(|&y| y == 0.0 || (y - 1.0 / 0.75).abs() < 1e-6));
    let kept = y.iter().filter(|&&y| y != 0.0).count() as f64 / y.len() as f64;
    assert_close(&[kept], &[0.75], 0.02);
    assert_ne!(dropout.call(&x, &mut Pass::training(&mut rng)).to_vec::<f32>(), y);
}

#[test]
fn dropout_of_nothing_is_the_identity() {
    let x = Tensor::ones([2, 3]);
    let y = Dropout::new(0.0).call(&x, &mut Pass::training(&mut Rng::new(0)));
    assert_eq!(y.to_vec::<f32>(), x.to_vec::<f32>());
}

#[test]
fn rates_outside_of_0_to_1_are_refused() {
    for rate in [-0.1, 1.0, 25.0, f64::NAN] {
        assert_says(build(&mut Dropout::new(rate), [3]), &[&format!("[Dropout] rate {rate}"), "below 1"]);
    }
}

#[test]
fn flatten_gives_rows_in_channels_last_order() {
    let x = Tensor::arange(0.0, 24.0, 1.0, DType::F32).reshape([2, 2, 3, 2]);
    assert_eq!(*build(&mut Flatten, [2, 3, 2]).unwrap(), [12]);
    let y = infer(&Flatten, &x);
    assert_eq!(y.dims(), [2, 12]);
    let mut first = Flatten.data_format(DataFormat::ChannelsFirst);
    assert_eq!(*build(&mut first, [2, 2, 3]).unwrap(), [12]);
    let z = infer(&first, &x.permute(&[0, 3, 1, 2]));
    assert_eq!((z.dims(), z.to_vec::<f32>()), ([2, 12], y.to_vec::<f32>()));
}

#[test]
fn flatten_makes_columns_of_single_numbers() {
    assert_eq!(*build(&mut Flatten, []).unwrap(), [1]);
    assert_eq!(infer(&Flatten, &Tensor::ones([4])).dims(), [4, 1]);
}

#[test]
fn reshape_keeps_the_batch_and_finds_one_size() {
    let mut reshape = Reshape::new([3, -1]);
    assert_eq!(*build(&mut reshape, [2, 6]).unwrap(), [3, 4]);
    assert_eq!(infer(&reshape, &Tensor::ones([5, 2, 6])).dims(), [5, 3, 4]);
    for wrong in [vec![5, -1], vec![-1, -1], vec![3, 5], vec![-2, 6], vec![0, -1]] {
        assert_says(
            build(&mut Reshape::new(wrong), [2, 6]),
            &["[Reshape] input [N, 2, 6] does not reshape to", "each sample has 12 elements"],
        );
    }
}

#[test]
fn an_activation_is_a_layer_that_the_model_applies() {
    let x = Tensor::from([[-1.0_f32, 2.0]]);
    let mut layer = Relu;
    assert_eq!(*build(&mut layer, [2]).unwrap(), [2]);
    assert_eq!(layer.call(&x, &mut Pass::inference(&mut Rng::new(0))).to_vec::<f32>(), [-1.0, 2.0]);
    assert_eq!(infer(&layer, &x).to_vec::<f32>(), [0.0, 2.0]);
}

#[test]
fn activations_are_kerass() {
    let gelu = |x: f64| 0.5 * x * (1.0 + (0.7978845608028654 * (x + 0.044715 * x * x * x)).tanh());
    let functions: [(Activation, &dyn Fn(f64) -> f64); 14] = [
        (Linear, &|x| x),
        (Relu, &|x| x.max(0.0)),
        (Sigmoid, &|x| 1.0 / (1.0 + (-x).exp())),
        (Tanh, &f64::tanh),
        (Elu, &|x| if x > 0.0 { x } else { x.exp() - 1.0 }),
        (Selu, &|x| 1.0507009873554805 * if x > 0.0 { x } else { 1.6732632423543772 * (x.exp() - 1.0) }),
        (GeluTanh, &gelu),
        (Silu, &|x| x / (1.0 + (-x).exp())),
        (Mish, &|x| x * (1.0 + x.exp()).ln().tanh()),
        (Softplus, &|x| (1.0 + x.exp()).ln()),
        (Softsign, &|x| x / (1.0 + x.abs())),
        (LeakyRelu(0.2), &|x| if x > 0.0 { x } else { 0.2 * x }),
        (HardSigmoid, &|x| ((x + 3.0) / 6.0).clamp(0.0, 1.0)),
        (Exponential, &f64::exp),
    ];
    let x = [-4.0, -1.5, -0.25, 0.0, 0.5, 2.0, 5.0];
    for (activation, f) in functions {
        let y = activation.apply(&Tensor::from(x)).to_vec::<f64>();
        assert_close(&y, &x.map(f), 1e-12);
    }
    // x · Φ(x) at 1, Φ from a table
    assert_close(&Gelu.apply(&Tensor::from([1.0_f64])).to_vec::<f64>(), &[0.8413447460685429], 1e-12);
}

#[test]
fn softmax_runs_over_the_last_axis() {
    let x = Tensor::from([[0.0_f64, 3.0_f64.ln()], [1000.0, 1000.0]]);
    assert_close(&Softmax.apply(&x).to_vec::<f64>(), &[0.25, 0.75, 0.5, 0.5], 1e-12);
    let log = [0.25_f64.ln(), 0.75_f64.ln(), 0.5_f64.ln(), 0.5_f64.ln()];
    assert_close(&LogSoftmax.apply(&x).to_vec::<f64>(), &log, 1e-12);
}

#[test]
fn a_name_hides_nothing_of_the_layer() {
    let mut layer = Dense::new(2).activation(Relu).named("logits");
    build(&mut layer, [3]).unwrap();
    assert_eq!((layer.name(), layer.kind(), layer.activation()), (Some("logits"), "Dense", Relu));
    assert_eq!((layer.params().len(), layer.params_mut().len()), (2, 2));
    assert_eq!(infer(&layer, &Tensor::ones([4, 3])).dims(), [4, 2]);
    assert_eq!(Layer::name(&Flatten), None);
}
