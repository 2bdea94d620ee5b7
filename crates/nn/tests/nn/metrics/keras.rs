//! Metrics of several sums against values recorded from Keras 3.15 (`keras.metrics`, the JAX backend): each seen whole
//! and in batches, and with weights.

use crate::assert_close;
use cotangent_core::{DType, Tensor};
use cotangent_nn::*;

/// 24 yes-or-no targets, predictions and weights.
fn binary() -> [Tensor; 3] {
    let column = |f: fn(usize) -> f32| Tensor::from_vec((0..24).map(f).collect());
    [
        column(|i| if (i * 7) % 5 < 2 { 1.0 } else { 0.0 }),
        column(|i| ((i * 37) % 101) as f32 / 100.0),
        column(|i| 1.0 + (i % 3) as f32),
    ]
}

/// Ten labels of four classes, predictions and weights.
fn classes() -> [Tensor; 3] {
    let numbers = (0..40).map(|n| ((n / 4 * 31 + n % 4 * 17) % 23 + 1) as f32).collect();
    let numbers = Tensor::from_vec(numbers).reshape([10, 4]);
    let weights = (0..10).map(|i| 1.0 + (i % 3) as f32).collect();
    let labels = Tensor::from([1_i64, 2, 0, 1, 3, 3, 1, 2, 0, 0]);
    [labels, &numbers / &numbers.sum_keepdim(1), Tensor::from_vec(weights)]
}

/// The metric over `data` in batches of `size`.
fn measured(metric: &dyn Metric, [y_true, y_pred, weights]: &[Tensor; 3], size: usize, weighted: bool) -> Vec<f64> {
    metric.check(y_true, y_pred.spec()).unwrap();
    let mut sums = Sums::default();
    let count = y_true.shape()[0];
    for start in (0..count).step_by(size) {
        let [t, p, w] = [y_true, y_pred, weights].map(|x| x.narrow(0, start, size.min(count - start)));
        sums.add(&metric.per_sample(&t, &p), weighted.then_some(&w));
    }
    metric.value(&sums).cast(DType::F64).to_vec()
}

/// Fails unless the metric has Keras's values, without weights and with them.
#[track_caller]
fn check(metric: impl Metric, data: &[Tensor; 3], plain: &[f64], weighted: &[f64]) {
    for size in [100, 7, 1] {
        assert_close(&measured(&metric, data, size, false), plain, 3e-6);
        assert_close(&measured(&metric, data, size, true), weighted, 3e-6);
    }
}

#[test]
fn area_under_curves() {
    let data = binary();
    check(Auc::default(), &data, &[0.5857142806053162], &[0.6571428179740906]);
    check(Auc::default().thresholds(20), &data, &[0.5857142806053162], &[0.6580357551574707]);
    let precision_recall = Auc::default().curve(Curve::PrecisionRecall);
    check(precision_recall, &data, &[0.46255114674568176], &[0.5092320442199707]);
    assert_close(&measured(&Auc::default(), &classes(), 4, false), &[0.8483333587646484], 3e-6);
}

#[test]
fn precision_and_recall() {
    let data = binary();
    check(Precision::default(), &data, &[0.5], &[0.523809552192688]);
    check(Recall::default(), &data, &[0.5], &[0.550000011920929]);
    check(Precision::default().threshold(0.3), &data, &[0.5], &[0.5454545617103577]);
    check(Recall::default().threshold(0.3), &data, &[0.800000011920929], &[0.8999999761581421]);
    let of_class_two = measured(&Precision::default().class(2).threshold(0.25), &classes(), 3, false);
    assert_close(&of_class_two, &[0.2857142984867096], 3e-6);
    assert_close(&measured(&Recall::default().class(2).threshold(0.25), &classes(), 3, false), &[1.0], 3e-6);
}

#[test]
fn f1_scores() {
    let data = classes();
    let per_class = [0.4999999701976776, 0.8571428060531616, 0.7999999523162842, 0.4999999403953552];
    let weighted = [0.5999999642372131, 0.8571428060531616, 0.7999999523162842, 0.5454545021057129];
    check(F1Score::default().average(Averaging::PerClass), &data, &per_class, &weighted);
    check(F1Score::default(), &data, &[0.6642856597900391], &[0.7006493210792542]);
    check(F1Score::default().average(Averaging::Micro), &data, &[0.6999999284744263], &[0.684210479259491]);
    check(F1Score::default().average(Averaging::Weighted), &data, &[0.6671428084373474], &[0.6683526635169983]);
    assert_close(&measured(&F1Score::default().threshold(0.25), &data, 4, false), &[0.6081348657608032], 3e-6);
}

#[test]
fn the_right_class_among_the_first() {
    let data = classes();
    let plain = [0.699999988079071, 0.8999999761581421, 0.8999999761581421];
    let weighted = [0.6842105388641357, 0.9473684430122375, 0.9473684430122375];
    for k in 1..=3 {
        check(SparseTopKCategoricalAccuracy { k }, &data, &[plain[k - 1]], &[weighted[k - 1]]);
        let [labels, y_pred, weights] = data.clone();
        let one_hot = [labels.one_hot(4, DType::F32), y_pred, weights];
        check(TopKCategoricalAccuracy { k }, &one_hot, &[plain[k - 1]], &[weighted[k - 1]]);
    }
}

#[test]
fn root_mean_squared_error_and_a_threshold() {
    let [labels, y_pred, weights] = classes();
    let data = [labels.one_hot(4, DType::F32), y_pred, weights];
    check(RootMeanSquaredError, &data, &[0.37694722414016724], &[0.37294086813926697]);
    assert_close(&measured(&BinaryAccuracy { threshold: 0.25 }, &data, 4, false), &[0.699999988079071], 3e-6);
}
