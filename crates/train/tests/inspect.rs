//! Looking inside a model: which layer made a NaN, what each layer costs, what a layer in the middle gives.

use cotangent_core::inspect::{self, Phase};
use cotangent_core::{DType, Device, Result, Rng, Shape, Tensor};
use cotangent_nn::Activation::*;
use cotangent_nn::*;
use cotangent_train::{Model, Seed, Sequential};

/// y = ln x: fine until x is 0.
struct Log;
impl Layer for Log {
    fn kind(&self) -> &'static str {
        "Log"
    }
    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        Ok(input)
    }
    fn call(&self, x: &Tensor, _: &mut Pass) -> Tensor {
        x.ln()
    }
}

fn data(count: usize) -> (Tensor, Tensor) {
    let x = Tensor::uniform([count, 4], 0.5, 1.0, DType::F32, &mut Rng::new(1));
    let y = x.sum_keepdim(1);
    (x, y)
}

fn model() -> Model {
    let mut model = Sequential::new([4])
        .add(Dense::new(8).activation(Sigmoid))
        .add(Log)
        .add(Dense::new(1))
        .build(&Device::Cpu, Seed(0))
        .unwrap();
    model.compile(Sgd::new(0.01), MeanSquaredError, [MeanAbsoluteError]);
    model
}

#[test]
fn fit_ends_with_the_layer_that_made_the_first_infinity() {
    let mut model = model();
    let (x, y) = data(8);
    let _guard = inspect::detect_anomaly();
    model.fit(&x, &y).batch_size(4).verbose(0).run().expect("nothing is wrong yet");

    // a bias so low that the sigmoid is 0
    for (path, param) in model.params_mut() {
        if path == "dense/bias" {
            param.value.set_(&Tensor::full([8], -1e4, DType::F32));
        }
    }
    let before: Vec<Vec<f32>> = model.params().map(|(_, p)| p.value.to_vec()).collect();
    let error = model.fit(&x, &y).batch_size(4).verbose(0).run().unwrap_err().to_string();
    for part in ["epoch 1", "step 1 of 2", "training step 3, forward, layer \"log\": [ln] made 32 infinities", "in 0.0"]
    {
        assert!(error.contains(part), "{part:?} in {error}");
    }
    let after: Vec<Vec<f32>> = model.params().map(|(_, p)| p.value.to_vec()).collect();
    assert_eq!(before, after, "no parameter was changed");
}

#[test]
fn a_learning_rate_that_is_too_high_is_named_at_the_parameter() {
    let mut model = model();
    model.compile(Sgd::new(1e38), MeanSquaredError, [MeanAbsoluteError]);
    let (x, y) = data(4);
    let _guard = inspect::detect_anomaly();
    let error = model.train_step(&x, &(y * 1e3)).unwrap_err().to_string();
    assert!(error.contains("update, layer \"dense"), "{error}");
    assert!(error.contains("hint: lower the learning rate"), "{error}");
}

#[test]
fn each_layer_has_its_time_forward_and_backward() {
    let mut model = model();
    let (x, y) = data(4);
    let (values, profile) = inspect::profile(|| model.train_step(&x, &y));
    assert_eq!(values.unwrap().len(), 2);
    let has = |op: &str, phase, layer: &str| {
        let mut events = profile.events().iter();
        events.any(|e| e.op == op && e.phase == phase && e.layer.as_deref() == Some(layer))
    };
    for phase in [Phase::Forward, Phase::Backward] {
        assert!(
            has("linear", phase, "dense") && has("sigmoid", phase, "dense"),
            "{phase}: the activation is its layer's"
        );
        assert!(has("ln", phase, "log") && has("linear", phase, "dense_1"), "{phase}");
    }
    assert!(has("update", Phase::Update, "dense/kernel") && has("update", Phase::Update, "dense_1/bias"));
    assert!(profile.events().iter().all(|e| e.layer.is_some()), "nothing runs outside of layers, loss and metrics");
}

#[test]
fn a_layer_in_the_middle_says_what_it_sees() {
    let model = model();
    let (x, _) = data(3);
    let hidden = model.layer_output("dense", &x).unwrap();
    assert_eq!(hidden.dims(), [3, 8]);
    assert_eq!(model.layer_output("log", &x).unwrap().to_vec::<f32>(), hidden.ln().to_vec::<f32>());
    assert_eq!(model.layer_output("dense_1", &x).unwrap().to_vec::<f32>(), model.call(&x).to_vec::<f32>());
    let error = model.layer_output("conv2d", &x).unwrap_err().to_string();
    assert!(error.contains("no layer \"conv2d\"; there are dense, log, dense_1"), "{error}");
}

#[test]
fn a_layer_of_a_model_within_has_its_path() {
    let encoder = Sequential::new([4]).add(Dense::new(5)).add(Dense::new(3)).name("encoder");
    let model = Sequential::new([4]).add(encoder).add(Dense::new(1)).build(&Device::Cpu, Seed(0)).unwrap();
    let (x, _) = data(2);
    let inner = model.layer_output("encoder/dense", &x).unwrap();
    assert_eq!(inner.dims(), [2, 5]);
    assert_eq!(model.layer_output("encoder", &x).unwrap().dims(), [2, 3]);
    assert!(model.layer_output("encoder/dense_7", &x).is_err());
    let (_, profile) = inspect::profile(|| model.call(&x));
    assert!(profile.events().iter().any(|e| e.layer.as_deref() == Some("encoder/dense")), "{profile}");
}
