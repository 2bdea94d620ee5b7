//! What a layer computes together with the layers behind it: nobody can tell but by the clock.

use cotangent_core::{DType, DataFormat, Device, Rng, Shape, Tensor, inspect};
use cotangent_nn::{Activation::*, *};
use cotangent_train::*;

/// A small convnet; `apart` also gives the convolution's result as an output, so that it must be there.
fn model(activation: Activation, apart: bool) -> Model {
    let input = Input::new([10, 10, 3]);
    let images = input.apply(Conv2d::new(16, (3, 3)).activation(activation).named("conv"));
    let pooled = images.apply(MaxPool2d::new((2, 2)));
    let output =
        pooled.apply(Conv2d::new(20, (3, 3)).activation(activation)).apply(MaxPool2d::new((2, 2))).apply(Flatten);
    let outputs = if apart { vec![&output, &images] } else { vec![&output] };
    Model::new(&input, &outputs[..], &Device::Cpu, Seed(3)).unwrap()
}

fn images(count: usize) -> Tensor {
    Tensor::uniform([count, 10, 10, 3], -1.0, 1.0, DType::F32, &mut Rng::new(1))
}

/// The ops that a pass through the model takes.
fn ops(model: &Model, x: &Tensor) -> Vec<&'static str> {
    let (_, profile) = inspect::profile(|| model.call_all(x));
    profile.events().iter().map(|event| event.op).collect()
}

/// The gradient of a weighted sum of the output with respect to every parameter.
fn gradients(model: &Model, x: &Tensor) -> Vec<Tensor> {
    let y = model.call_all(x).swap_remove(0);
    let weights = Tensor::uniform(y.shape(), -1.0, 1.0, DType::F32, &mut Rng::new(2));
    let grads = (y * weights).sum(..).backward();
    model.params().map(|(_, p)| grads.wrt(&p.value).clone()).collect()
}

#[test]
fn values_and_gradients_are_those_of_one_layer_after_the_other() {
    let x = images(5);
    for activation in [Linear, Relu, LeakyRelu(0.2), LeakyRelu(-0.2), Tanh] {
        let (one, two) = (model(activation, false), model(activation, true));
        let (a, b) = (one.call_all(&x).swap_remove(0), two.call_all(&x).swap_remove(0));
        let error = (a - b).abs().max(..).item();
        assert!(error <= 1e-6, "{activation:?}: {error}");
        for (a, b) in gradients(&one, &x).into_iter().zip(gradients(&two, &x)) {
            let (error, size) = ((&a - &b).abs().max(..).item(), b.abs().max(..).item());
            assert!(error <= 1e-5 * size, "{activation:?}: {error} of {size}");
        }
    }
}

#[test]
fn one_op_does_both_where_nobody_else_wants_the_convolutions_result() {
    let ops = |model: &Model| ops(model, &images(1));
    let one = ops(&model(Relu, false));
    assert_eq!(one, ["conv2d_max_pool2d_relu", "conv2d_max_pool2d_relu", "reshape"]);
    let apart = ops(&model(Relu, true));
    assert_eq!(apart, ["conv2d_relu", "max_pool2d", "conv2d_max_pool2d_relu", "reshape"]);
    let leaky = ops(&model(LeakyRelu(0.2), false));
    assert_eq!(leaky, ["conv2d_max_pool2d", "leaky_relu", "conv2d_max_pool2d", "leaky_relu", "reshape"]);
    let bent = ops(&model(LeakyRelu(-0.2), false));
    assert!(!bent.contains(&"conv2d_max_pool2d"), "the greatest may not stay the greatest: {bent:?}");
}

#[test]
fn a_dense_layer_does_its_relu_itself() {
    let layers = Sequential::new([3]).add(Dense::new(4).activation(Relu)).add(Dense::new(2).activation(Tanh));
    let model = layers.build(&Device::Cpu, Seed(1)).unwrap();
    assert_eq!(ops(&model, &Tensor::ones([5, 3])), ["linear_relu", "linear", "tanh"]);
}

/// The same network, with each ReLU as an option of the layer before it, or as a layer.
fn with_relu(as_layer: bool) -> Model {
    let (option, layer) = if as_layer { (Linear, Some(Relu)) } else { (Relu, None) };
    let add = |model: Sequential, layer: Option<Activation>| layer.into_iter().fold(model, Sequential::add);
    let mut model = Sequential::new([10, 10, 3]).add(Conv2d::new(16, (3, 3)).activation(option));
    model = add(model, layer).add(Conv2d::new(16, (3, 3)).activation(option));
    model = add(model, layer).add(MaxPool2d::new((2, 2))).add(Flatten).add(Dense::new(9).activation(option));
    add(model, layer).add(Dense::new(4)).build(&Device::Cpu, Seed(5)).unwrap()
}

#[test]
fn a_relu_that_is_a_layer_is_as_good_as_one_that_is_an_option() {
    let (option, mut layer) = (with_relu(false), with_relu(true));
    layer.params_mut().zip(option.params()).for_each(|((_, to), (_, from))| to.value.set_(&from.value));
    let x = images(5);
    let bits = |x: &Tensor| -> Vec<u32> { x.to_vec::<f32>().into_iter().map(f32::to_bits).collect() };
    assert_eq!(ops(&layer, &x), ["conv2d_relu", "conv2d_max_pool2d_relu", "reshape", "linear_relu", "linear"]);
    assert_eq!(ops(&layer, &x), ops(&option, &x));
    assert_eq!(bits(&layer.call(&x)), bits(&option.call(&x)));
    for (i, (a, b)) in gradients(&layer, &x).iter().zip(&gradients(&option, &x)).enumerate() {
        assert_eq!(bits(a), bits(b), "parameter {i}");
    }
}

#[test]
fn a_relu_that_is_a_layer_can_still_be_seen() {
    let (model, x) = (with_relu(true), images(2));
    for row in ["conv2d (Conv2d)", "activation (Activation)", "conv2d_1 (Conv2d)", "activation_1 (Activation)"] {
        assert!(model.describe().contains(row), "{row}");
    }
    for (before, after) in [("conv2d", "activation"), ("conv2d_1", "activation_1"), ("dense", "activation_2")] {
        let [before, after] = [before, after].map(|name| model.layer_output(name, &x).unwrap());
        assert!(before.min(..).item() < 0.0);
        assert_eq!(after.to_vec::<f32>(), before.relu().to_vec::<f32>());
    }
}

#[test]
fn layers_behind_are_joined_as_far_as_that_goes() {
    let behind = |layers: &[&str]| {
        let start = Sequential::new([10, 10, 3]).add(Conv2d::new(16, (3, 3)));
        let model = layers.iter().fold(start, |model, &layer| match layer {
            "relu" => model.add(Relu),
            "tanh" => model.add(Tanh),
            "pool" => model.add(MaxPool2d::new((2, 2))),
            _ => model.add(MaxPool2d::new((2, 2)).data_format(DataFormat::ChannelsFirst)),
        });
        ops(&model.build(&Device::Cpu, Seed(1)).unwrap(), &images(1))
    };
    assert_eq!(behind(&["pool", "relu"]), ["conv2d_max_pool2d_relu"]);
    assert_eq!(behind(&["pool", "tanh"]), ["conv2d_max_pool2d", "tanh"]);
    assert_eq!(behind(&["relu", "pool", "pool"]), ["conv2d_max_pool2d_relu", "max_pool2d"]);
    assert_eq!(behind(&["relu", "pool", "tanh"]), ["conv2d_max_pool2d_relu", "tanh"]);
    assert_eq!(behind(&["relu", "other format"]), ["conv2d_relu", "max_pool2d"]);
    assert_eq!(behind(&["tanh", "pool"]), ["conv2d", "tanh", "max_pool2d"]);
}

/// Batch norm and a dense layer; `apart` keeps a layer between them that does nothing.
fn normalized(norm: BatchNorm, activation: Activation, apart: bool) -> Model {
    let model = Sequential::new([7]).add(norm);
    let model = if apart { model.add(Reshape::new([7])) } else { model };
    model.add(Dense::new(5).activation(activation)).add(Dense::new(3)).build(&Device::Cpu, Seed(4)).unwrap()
}

fn values(model: &Model) -> Vec<Tensor> {
    model.params().map(|(_, p)| p.value.detach()).collect()
}

/// The shapes of what [`normalized`] learns from.
const X: [usize; 2] = [60, 7];
const Y: [usize; 2] = [60, 3];

/// Some steps of gradient descent on numbers like raw bytes; gives the ops that they took.
fn learn(model: &mut Model, x: impl Into<Shape>, y: impl Into<Shape>) -> Vec<&'static str> {
    let mut rng = Rng::new(6);
    let x = Tensor::uniform(x, 0.0, 255.0, DType::F32, &mut rng);
    let y = Tensor::uniform(y, -1.0, 1.0, DType::F32, &mut rng);
    model.compile(Sgd::new(0.1), MeanSquaredError, [MeanSquaredError; 0]);
    let (_, profile) = inspect::profile(|| model.fit(&x, &y).batch_size(20).epochs(1).verbose(0).run().unwrap());
    profile.events().iter().map(|event| event.op).collect()
}

#[test]
fn batch_norm_of_data_learns_with_a_dense_layer_what_it_learns_alone() {
    let norms = [BatchNorm::new, || BatchNorm::new().scale(false), || BatchNorm::new().center(false).axis(1)];
    for (norm, (activation, op)) in
        norms.iter().flat_map(|norm| [(norm, (Relu, "batch_norm_linear_relu")), (norm, (Tanh, "batch_norm_linear"))])
    {
        let (mut one, mut two) = (normalized(norm(), activation, false), normalized(norm(), activation, true));
        let start = values(&one);
        two.params_mut().zip(&start).for_each(|((_, p), start)| p.value.set_(start));
        assert!(learn(&mut one, X, Y).contains(&op) && !learn(&mut two, X, Y).contains(&op), "{op}");
        for (i, ((a, b), start)) in values(&one).iter().zip(&values(&two)).zip(&start).enumerate() {
            let (error, moved) = ((a - b).abs().max(..).item(), (b - start).abs().max(..).item());
            assert!(moved > 0.0 && error <= 1e-5 * moved, "parameter {i}, {op}: {error} of {moved}");
        }
    }
}

#[test]
fn batch_norm_stands_alone_in_inference_and_behind_what_learns() {
    let model = normalized(BatchNorm::new(), Relu, false);
    assert_eq!(ops(&model, &Tensor::ones([4, 7]))[..2], ["batch_norm_inference", "linear_relu"]);
    let layers = Sequential::new([7]).add(Dense::new(6)).add(BatchNorm::new()).add(Dense::new(3));
    let ops = learn(&mut layers.build(&Device::Cpu, Seed(1)).unwrap(), X, Y);
    assert!(ops.contains(&"batch_norm") && !ops.contains(&"batch_norm_linear"), "{ops:?}");
}

/// A dense layer for each line of a matrix.
struct Lines {
    kernel: Option<Param>,
    bias: Tensor,
}

impl Layer for Lines {
    fn kind(&self) -> &'static str {
        "Lines"
    }

    fn build(&mut self, input: Shape, build: &mut Build) -> cotangent_core::Result<Shape> {
        self.kernel = Some(build.param("kernel", [input[1], 4], Init::GlorotUniform));
        Ok(Shape::from([input[0], 4]))
    }

    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        let Affine { kernel, bias } = self.affine().expect("built");
        x.linear(kernel, bias)
    }

    fn affine(&self) -> Option<Affine<'_>> {
        self.kernel.as_ref().map(|kernel| Affine { kernel: &kernel.value, bias: Some(&self.bias) })
    }

    fn params(&self) -> Vec<&Param> {
        self.kernel.iter().collect()
    }

    fn params_mut(&mut self) -> Vec<&mut Param> {
        self.kernel.iter_mut().collect()
    }
}

#[test]
fn a_layer_of_ones_own_can_be_an_affine_map() {
    for (axis, op, other) in [(-1, "batch_norm_linear", "batch_norm"), (1, "batch_norm", "batch_norm_linear")] {
        let layers = Sequential::new([3, 7])
            .add(BatchNorm::new().axis(axis))
            .add(Lines { kernel: None, bias: Tensor::zeros([4]) });
        let ops = learn(&mut layers.build(&Device::Cpu, Seed(1)).unwrap(), [60, 3, 7], [60, 3, 4]);
        assert!(ops.contains(&op) && !ops.contains(&other), "axis {axis}: {ops:?}");
    }
}
