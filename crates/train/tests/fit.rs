//! Training as a user sees it: what is learnt, what is reported, what is refused.

use cotangent_core::{DType, Device, Rng, Tensor};
use cotangent_nn::{Activation::*, *};
use cotangent_train::{Model, Seed, Sequential};

fn perceptron(seed: u64) -> Model {
    let mut model = Sequential::new([4])
        .add(Dense::new(8).activation(Relu))
        .add(Dense::new(3).activation(Softmax))
        .build(&Device::Cpu, Seed(seed))
        .unwrap();
    model.compile(Adam::default(), SparseCategoricalCrossentropy, [Accuracy]);
    model
}

/// Points whose class is the place of their greatest coordinate among the first three.
fn points(count: usize) -> (Tensor, Tensor) {
    let x = Tensor::uniform([count, 4], -1.0, 1.0, DType::F32, &mut Rng::new(9));
    let y = x.narrow(1, 0, 3).argmax(1);
    (x, y)
}

fn weights(model: &Model) -> Vec<Vec<u32>> {
    model.params().map(|(_, p)| p.value.to_vec::<f32>().iter().map(|w| w.to_bits()).collect()).collect()
}

#[track_caller]
fn refused<T>(result: cotangent_core::Result<T>, parts: &[&str]) {
    let Err(e) = result else { panic!("not refused") };
    let text = e.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn classes_are_learnt() {
    let (x, y) = points(600);
    let mut model = perceptron(0);
    let history = model.fit(&x, &y).epochs(60).batch_size(32).validation(&x, &y).verbose(0).run().unwrap();
    assert_eq!(history.epochs(), 60);
    assert!(history["val_accuracy"][59] > 0.93, "{:?}", &history["val_accuracy"]);
    let score = model.evaluate(&x, &y).unwrap();
    assert_eq!(score.loss, history["val_loss"][59]);
    assert_eq!(score["accuracy"], history["val_accuracy"][59]);
}

#[test]
fn epoch_values_are_means_over_samples_with_the_last_batch_kept() {
    let (x, y) = points(10);
    let mut model = perceptron(0);
    model.compile(Sgd::new(0.0), SparseCategoricalCrossentropy, [Accuracy]); // nothing moves
    let whole = model.evaluate(&x, &y).unwrap();
    let history = model.fit(&x, &y).batch_size(4).verbose(0).run().unwrap(); // batches of 4, 4 and 2
    let difference = (history["loss"][0] - whole.loss).abs();
    assert!(difference < 1e-6, "{difference}");
    assert!((history["accuracy"][0] - whole["accuracy"]).abs() < 1e-6);
}

#[test]
fn a_seed_decides_everything() {
    let (x, y) = points(100);
    let train = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = perceptron(seed);
            model.fit(&x, &y).epochs(3).verbose(0).run().unwrap();
            weights(&model)
        })
    };
    assert_eq!(train(1, 1), train(1, 3));
    assert_ne!(train(1, 1), train(2, 1));
}

#[test]
fn predictions_do_not_depend_on_the_batches() {
    let (x, _) = points(600);
    let model = perceptron(0);
    let all = model.predict(&x).unwrap();
    assert_eq!(all.dims(), [600, 3]);
    let one = model.predict(&x.narrow(0, 300, 1)).unwrap();
    let difference = (&all.narrow(0, 300, 1) - &one).abs().max(..).item();
    assert!(difference < 1e-6, "{difference}");
    assert_eq!(model.predict(&x.narrow(0, 0, 0)).unwrap().dims(), [0, 3]);
}

#[test]
fn bytes_are_taken_as_they_are() {
    let (x, y) = points(40);
    let bytes = ((&x + 1.0) * 127.0).cast(DType::U8);
    let mut model = perceptron(0);
    let on_bytes = model.evaluate(&bytes, &y).unwrap();
    assert_eq!(on_bytes, model.evaluate(&bytes.cast(DType::F32), &y).unwrap());
    model.fit(&bytes, &y).verbose(0).run().unwrap();
}

#[test]
fn nan_is_reported_with_its_step_and_moves_nothing() {
    let (x, y) = points(64);
    let mut values = x.to_vec::<f32>();
    values[40 * 4 + 1] = f32::NAN; // sample 40: in the second batch of 32, row 8, element 1
    let x = Tensor::from_slice(&values, [64, 4]);
    let mut model = perceptron(0);
    let fit = model.fit(&x, &y).shuffle(false).verbose(0).run();
    refused(fit, &["NaN", "epoch 1", "step 2 of 2", "sample 8 of the batch, element 1"]);
    assert!(model.params().all(|(_, p)| p.value.to_vec::<f32>().iter().all(|w| w.is_finite())));
}

#[test]
fn bad_arguments_are_refused_before_the_first_step() {
    let (x, y) = points(8);
    let mut model = perceptron(0);
    let before = weights(&model);
    refused(model.fit(&x, &y).batch_size(0).run(), &["[fit]", "batch_size is 0", "hint"]);
    refused(model.fit(&x.narrow(1, 0, 3), &y).run(), &["[8, 3]", "[N, 4]"]);
    refused(model.fit(&x.reshape([8, 2, 2]), &y).run(), &["[8, 2, 2]", "the sizes fit", "x.reshape([8, 4])"]);
    refused(model.fit(&x, &y.narrow(0, 0, 7)).run(), &["8 samples", "7"]);
    refused(model.fit(&x.narrow(0, 0, 0), &y.narrow(0, 0, 0)).run(), &["no samples"]);
    let label = Tensor::from_vec(vec![0_i64, 1, 2, 3, 0, 0, 0, 0]);
    refused(model.fit(&x, &label).run(), &["label 3", "row 3", "3 classes"]);
    refused(model.fit(&x, &x).run(), &["y does not suit the model", "[8, 4]"]);
    refused(model.fit(&x, &y).validation(&x, &label).run(), &["validation"]);
    refused(model.predict(&y), &["[8]", "[N, 4]"]);
    assert_eq!(before, weights(&model));
}

#[test]
fn a_model_that_is_not_compiled_says_so() {
    let (x, y) = points(8);
    let mut model = Sequential::new([4]).add(Dense::new(3)).build(&Device::Cpu, Seed(0)).unwrap();
    refused(model.fit(&x, &y).run(), &["not compiled", "model.compile"]);
    refused(model.evaluate(&x, &y), &["not compiled"]);
    assert_eq!(model.predict(&x).unwrap().dims(), [8, 3]);
}
