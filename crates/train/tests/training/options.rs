//! Splits, weights, counts, penalties, averages.

use crate::{close, points, refused, regression, weights};
use cotangent_core::{DType, Device, Tensor};
use cotangent_nn::{Activation::*, *};
use cotangent_train::{LambdaCallback, Seed, Sequential, SwapAverages};

#[test]
fn a_split_takes_the_last_samples_for_validation() {
    let (x, y) = points(50);
    let mut split = regression(Sgd::new(0.1));
    let history = split.fit(&x, &y).epochs(2).validation_split(0.3).verbose(0).run().unwrap();
    let parts = [&x, &y].map(|x| [x.narrow(0, 0, 35), x.narrow(0, 35, 15)]);
    let [[x_train, x_val], [y_train, y_val]] = &parts;
    let mut given = regression(Sgd::new(0.1));
    let same = given.fit(x_train, y_train).epochs(2).validation(x_val, y_val).verbose(0).run().unwrap();
    assert_eq!((weights(&split), history), (weights(&given), same));
    refused(split.fit(&x, &y).validation_split(1.0).run(), &["validation_split 1 of 50 samples"]);
    refused(split.fit(&x, &y).validation_split(0.999).run(), &["both sides"]);
}

#[test]
fn samples_of_no_weight_might_as_well_not_be_there() {
    let (x, y) = points(30);
    let weight = Tensor::from_vec((0..30).map(|i| if i < 20 { 1.5_f32 } else { 0.0 }).collect());
    let mut weighted = regression(Sgd::new(0.1));
    let history = weighted.fit(&x, &y).batch_size(30).sample_weight(&weight).verbose(0).run().unwrap();
    // the loss is divided by all 30 samples: 20 of weight 1.5 are 20 at the same rate
    let mut fewer = regression(Sgd::new(0.1));
    let (x, y) = (x.narrow(0, 0, 20), y.narrow(0, 0, 20));
    let loss = fewer.evaluate(&x, &y).unwrap().loss;
    let doubled = fewer.evaluate_weighted(&x, &y, &Tensor::from_vec(vec![2.0_f64; 20])).unwrap().loss;
    close(doubled, 2.0 * loss);
    refused(fewer.evaluate_weighted(&x, &y, &weight), &["evaluate: sample_weight", "20 samples, weights [30]"]);
    fewer.fit(&x, &y).batch_size(20).verbose(0).run().unwrap();
    close(history["loss"][0], loss);
    for (a, b) in weights(&weighted).concat().into_iter().zip(weights(&fewer).concat()) {
        close(f64::from(a), f64::from(b));
    }
    refused(weighted.fit(&x, &y).sample_weight(&weight).run(), &["20 samples, weights [30]"]);
}

#[test]
fn class_weights_are_the_samples_weights() {
    let (x, y) = points(40);
    let by_hand: Vec<f64> = y.to_vec::<i64>().iter().map(|&class| [1.0, 3.0, 0.5][class as usize]).collect();
    let train = |y: &Tensor, weight: Option<&Tensor>| {
        let mut model = regression(Sgd::new(0.1));
        if *y.shape() == [40, 3] {
            model.compile(Sgd::new(0.1), CategoricalCrossentropy, [Accuracy]);
        }
        let fit = model.fit(&x, y).epochs(2).verbose(0);
        match weight {
            Some(weight) => fit.sample_weight(weight).run().unwrap(),
            None => fit.class_weight([(1, 3.0), (2, 0.5)]).run().unwrap(),
        };
        weights(&model)
    };
    let want = train(&y, Some(&Tensor::from_vec(by_hand)));
    assert_eq!(train(&y, None), want);
    assert_eq!(train(&y.unsqueeze(1), None), want);
    for (a, b) in train(&y.one_hot(3, DType::F32), None).concat().into_iter().zip(want.concat()) {
        close(f64::from(a), f64::from(b));
    }
}

#[test]
fn metrics_count_weights_only_if_they_are_asked_to() {
    let (x, y) = points(40);
    let mut model = regression(Sgd::new(0.0));
    let metrics: Vec<Box<dyn Metric>> =
        vec![Box::new(Accuracy), Box::new(Accuracy.weighted().named("weighted")), Box::new(Accuracy)];
    model.compile(Sgd::new(0.0), SparseCategoricalCrossentropy, metrics);
    assert_eq!(model.reports().unwrap(), ["loss", "accuracy", "weighted", "accuracy_1"]);
    let right: Vec<f64> = Accuracy.per_sample(&y, &model.predict(&x).unwrap()).cast(DType::F64).to_vec();
    let weight: Vec<f64> = (0..40).map(|i| f64::from(i % 4)).collect();
    let history = model.fit(&x, &y).batch_size(7).sample_weight(&weight.clone().into()).verbose(0).run().unwrap();
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let products: Vec<f64> = right.iter().zip(&weight).map(|(r, w)| r * w).collect();
    close(history["accuracy"][0], sum(&right) / 40.0);
    close(history["weighted"][0], sum(&products) / sum(&weight));
}

#[test]
fn tables_stand_in_the_score_alone() {
    let (x, y) = points(40);
    let mut model = regression(Sgd::new(0.1));
    let metrics: Vec<Box<dyn Metric>> = vec![Box::new(ConfusionMatrix), Box::new(Accuracy), Box::new(Auc::default())];
    model.compile(Sgd::new(0.1), SparseCategoricalCrossentropy, metrics);
    let history = model.fit(&x, &y).validation(&x, &y).verbose(0).run().unwrap();
    assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc"]);
    let score = model.evaluate(&x, &y).unwrap();
    let counts = score.table("confusion_matrix");
    assert_eq!((counts.dims(), counts.sum(..).item()), ([3, 3], 40.0));
    close((0..3).map(|i| counts.select(0, i).select(0, i).item()).sum::<f64>() / 40.0, score["accuracy"]);
    assert_eq!(score["auc"], history["val_auc"][0]);
    assert_eq!(model.train_step(&x, &y).unwrap().len(), model.reports().unwrap().len());
}

#[test]
fn what_weights_cost_is_in_every_loss() {
    let (x, y) = points(40);
    let layer = Dense::new(3).activation(Softmax).kernel_regularizer(Regularizer::l2(0.1));
    let mut model = Sequential::new([4]).add(layer).build(&Device::Cpu, Seed(0)).unwrap();
    model.compile(Sgd::new(0.0), SparseCategoricalCrossentropy, [SparseCategoricalCrossentropy]);
    let squares: f64 = weights(&model)[0].iter().map(|w| f64::from(w * w)).sum();
    let score = model.evaluate(&x, &y).unwrap();
    close(score.loss, score["sparse_categorical_crossentropy"] + 0.1 * squares);
    let history = model.fit(&x, &y).batch_size(7).verbose(0).run().unwrap();
    close(history["loss"][0], score.loss);

    // w ← w − rate · 2 · 0.1 · w, besides the loss's gradient
    let before = weights(&model)[0].clone();
    let mut plain = regression(Sgd::new(0.5));
    model.compile(Sgd::new(0.5), SparseCategoricalCrossentropy, [Accuracy]);
    model.train_step(&x, &y).unwrap();
    plain.train_step(&x, &y).unwrap();
    for ((with, without), w) in weights(&model)[0].iter().zip(&weights(&plain)[0]).zip(before) {
        close(f64::from(*with), f64::from(without - 0.5 * 0.2 * w));
    }
}

#[test]
fn epochs_go_on_from_an_initial_one() {
    let (x, y) = points(20);
    let mut model = regression(Sgd::new(0.1));
    let mut seen = Vec::new();
    let count = LambdaCallback::on_epoch_end(|context| {
        seen.push((context.epoch(), context.epochs(), context.history().epochs()));
        Ok(())
    });
    let history = model.fit(&x, &y).initial_epoch(3).epochs(5).callback(count).verbose(0).run().unwrap();
    assert_eq!((history.epochs(), seen), (2, vec![(3, 5, 0), (4, 5, 1)]));
    assert_eq!(model.fit(&x, &y).initial_epoch(5).epochs(5).verbose(0).run().unwrap().epochs(), 0);
}

#[test]
fn averages_can_be_validated_and_are_what_remains() {
    let (x, y) = points(40);
    let mut model = regression(Sgd::new(0.5).average(0.9));
    let history = model.fit(&x, &y).epochs(3).validation(&x, &y).callback(SwapAverages).verbose(0).run().unwrap();
    assert_eq!(model.evaluate(&x, &y).unwrap().loss, history["val_loss"][2]);
    let average = weights(&model);
    model.swap_averages();
    assert_eq!(weights(&model), average);

    let mut model = regression(Sgd::new(0.5).average(0.9));
    let history = model.fit(&x, &y).epochs(3).validation(&x, &y).verbose(0).run().unwrap();
    assert_ne!(model.evaluate(&x, &y).unwrap().loss, history["val_loss"][2]);
    assert_eq!(weights(&model), average);
}
