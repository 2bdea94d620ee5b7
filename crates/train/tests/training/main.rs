//! What `fit` can be asked for: weights, splits, callbacks, files.

mod callbacks;
mod files;
#[cfg(unix)]
mod interrupt;
mod options;

use cotangent_core::{DType, Device, Rng, Tensor};
use cotangent_nn::{Activation::*, *};
use cotangent_train::{Model, Seed, Sequential};

/// A softmax regression of four numbers to three classes.
fn regression(optimizer: impl Optimizer + 'static) -> Model {
    let layer = Dense::new(3).activation(Softmax);
    let mut model = Sequential::new([4]).add(layer).build(&Device::Cpu, Seed(0)).unwrap();
    model.compile(optimizer, SparseCategoricalCrossentropy, [Accuracy]);
    model
}

/// Points whose class is the place of their greatest coordinate among the first three.
fn points(count: usize) -> (Tensor, Tensor) {
    let x = Tensor::uniform([count, 4], -1.0, 1.0, DType::F32, &mut Rng::new(9));
    let y = x.narrow(1, 0, 3).argmax(1);
    (x, y)
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.params().map(|(_, p)| p.value.to_vec()).collect()
}

#[track_caller]
fn refused<T>(result: cotangent_core::Result<T>, parts: &[&str]) {
    let Err(e) = result else { panic!("not refused") };
    let text = e.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[track_caller]
fn close(got: f64, want: f64) {
    if !((got - want).abs() <= 1e-6 * want.abs().max(1.0)) {
        panic!("{got} is not {want}");
    }
}
