//! `fit` with its data on the device and its steps from records.

use cotangent::inspect::detect_anomaly;
use cotangent::nn::{Build, Layer, Pass};
use cotangent::prelude::*;
use cotangent_cuda_suite::{device, on_device};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does nothing but count how often it is called to train.
struct Calls(Arc<AtomicUsize>);

impl Layer for Calls {
    fn kind(&self) -> &'static str {
        "Calls"
    }

    fn build(&mut self, input: Shape, _: &mut Build) -> Result<Shape> {
        Ok(input)
    }

    fn call(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        self.0.fetch_add(pass.training.into(), Ordering::Relaxed);
        x.clone()
    }
}

/// Bytes as images, and class numbers.
fn data() -> (Tensor, Tensor) {
    let x = Tensor::uniform([50, 8, 8, 1], 0.0, 4.0, DType::F32, &mut Rng::new(5)).cast(DType::U8);
    let y = Tensor::from((0..50).map(|i| i * 7 % 4).collect::<Vec<i64>>());
    (x, y)
}

fn model(device: &Device, calls: &Arc<AtomicUsize>, optimizer: impl Optimizer + 'static) -> Model {
    let mut model = Sequential::new([8, 8, 1])
        .add(Conv2d::new(4, (3, 3)).activation(Relu))
        .add(Calls(calls.clone()))
        .add(BatchNorm::new())
        .add(MaxPool2d::new((2, 2)))
        .add(Dropout::new(0.25))
        .add(Flatten)
        .add(Dense::new(8).activation(Relu))
        .add(Dropout::new(0.5))
        .add(Dense::new(4).activation(Softmax))
        .build(device, Seed(3))
        .expect("the layers fit");
    model.compile(optimizer, SparseCategoricalCrossentropy, [Accuracy]);
    model
}

struct Trained {
    history: History,
    params: Vec<Vec<f32>>,
    calls: usize,
}

const EPOCHS: usize = 4;

/// Four epochs of six steps over 8 samples and one over 2.
fn train(device: &Device, optimizer: impl Optimizer + 'static, callback: impl Callback) -> Trained {
    let ((x, y), calls) = (data(), Arc::default());
    let weights = Tensor::from((0..50).map(|i| 0.5 + f64::from(i % 3)).collect::<Vec<f64>>());
    let mut model = model(device, &calls, optimizer);
    let fit = model.fit(&x, &y).batch_size(8).epochs(EPOCHS).sample_weight(&weights).verbose(0);
    let history = fit.validation(&x, &y).callback(callback).run().expect("it trains");
    let params = model.params().map(|(_, p)| p.value.to_vec()).collect();
    Trained { history, params, calls: calls.load(Ordering::Relaxed) }
}

fn adam() -> Adam {
    Adam::new(CosineDecay::new(0.01, 20)).weight_decay(0.01).average(0.9).clip(Clip::GlobalNorm(1.0))
}

fn nothing() -> LambdaCallback<'static> {
    LambdaCallback::default()
}

/// As it is without records: they are not made while somebody looks for anomalies.
fn computed(optimizer: impl Optimizer + 'static, callback: impl Callback) -> Trained {
    let _guard = detect_anomaly();
    train(&device(), optimizer, callback)
}

on_device! {
    fn steps_from_records_are_the_steps_to_the_last_bit() {
        let (want, got) = (computed(adam(), nothing()), train(&device(), adam(), nothing()));
        assert_eq!(want.calls, 7 * EPOCHS);
        // the averages share the parameters' memory after the first step, so the second is computed too
        assert!(got.calls <= 6, "{} of {} steps were computed", got.calls, want.calls);
        assert_eq!(got.history, want.history);
        assert_eq!(got.params, want.params);
        let on_cpu = train(&Device::Cpu, adam(), nothing());
        for name in ["loss", "accuracy", "val_loss"] {
            for (got, want) in got.history[name].iter().zip(&on_cpu.history[name]) {
                assert!((got - want).abs() <= 1e-5, "{name} is {got}, on the CPU {want}");
            }
        }
    }

    fn callbacks_that_keep_weights_or_change_the_rate_change_no_bit() {
        let stopping = || EarlyStopping::new("val_loss").patience(9).restore_best_weights(true);
        let (want, got) = (computed(Sgd::new(0.05).momentum(0.9), stopping()), train(&device(), Sgd::new(0.05).momentum(0.9), stopping()));
        assert_eq!((got.history, got.params), (want.history, want.params));
        assert!(got.calls < want.calls);
        let rates = || LearningRateScheduler::new(|epoch, rate| if epoch == 2 { rate * 0.1 } else { rate });
        let (want, got) = (computed(RmsProp::new(0.01), rates()), train(&device(), RmsProp::new(0.01), rates()));
        assert_eq!((got.history, got.params), (want.history, want.params));
        assert_eq!(got.calls, 4, "two for each size of a batch");
    }

    fn a_callback_after_each_step_sees_what_it_sees_without_records() {
        let logs = |out: &mut Vec<f64>| {
            let mut seen = Vec::new();
            train(&device(), Adadelta::default(), LambdaCallback::on_batch_end(|context| {
                seen.extend(context.logs.iter().map(|(_, value)| value));
                Ok(())
            }));
            *out = seen;
        };
        let (mut want, mut got) = (Vec::new(), Vec::new());
        let guard = detect_anomaly();
        logs(&mut want);
        drop(guard);
        logs(&mut got);
        assert_eq!(want.len(), 2 * 7 * EPOCHS);
        assert_eq!(got, want);
    }

    fn a_sample_that_is_not_a_number_is_told_by_the_step_that_meets_it() {
        let (x, y) = (Tensor::full([6, 3], f64::NAN, DType::F32), Tensor::zeros([6, 1]));
        let mut model = Sequential::new([3]).add(Dense::new(1)).build(&device(), Seed(1)).unwrap();
        model.compile(Sgd::new(0.1), MeanSquaredError, [] as [Accuracy; 0]);
        let error = model.fit(&x, &y).verbose(0).run().unwrap_err().to_string();
        assert!(error.contains("x holds NaN"), "{error}");
    }
}
