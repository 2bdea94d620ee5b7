//! Which predictions count as right, and what metrics make of it.

mod keras;

use crate::assert_says;
use cotangent_core::{DType, Spec, Tensor};
use cotangent_nn::*;

/// Three rows, greatest in columns 1, 0 and 2.
fn predicted() -> Tensor {
    Tensor::from([[0.1_f32, 0.7, 0.2], [0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
}

#[test]
fn accuracy_chooses_by_the_shapes() {
    let one_hot = Tensor::from([[0_u8, 1, 0], [0, 1, 0], [0, 0, 1]]);
    let cases = [
        (one_hot.clone(), predicted(), [1.0, 0.0, 1.0]),
        (one_hot.cast(DType::F32), predicted(), [1.0, 0.0, 1.0]),
        (Tensor::from([1_i64, 1, 2]), predicted(), [1.0, 0.0, 1.0]),
        (Tensor::from([[1_u8], [1], [2]]), predicted(), [1.0, 0.0, 1.0]),
        (Tensor::from([1_i64, 1, 0]), Tensor::from([[0.9_f32], [0.5], [0.1]]), [1.0, 0.0, 1.0]),
        (Tensor::from([[1.0_f32], [0.0], [0.0]]), Tensor::from([[0.9_f32], [0.6], [0.1]]), [1.0, 0.0, 1.0]),
    ];
    for (y_true, y_pred, want) in cases {
        Accuracy.check(&y_true, y_pred.spec()).unwrap();
        assert_eq!(Accuracy.per_sample(&y_true, &y_pred).to_vec::<f32>(), want, "{}", y_true.shape());
    }
    assert_eq!(Accuracy.name(), "accuracy");
}

#[test]
fn accuracies_agree_with_the_ones_they_stand_for() {
    let labels = Tensor::from([1_i64, 1, 2]);
    let sparse = SparseCategoricalAccuracy.per_sample(&labels, &predicted()).to_vec::<f32>();
    let one_hot = Tensor::from([[0_i64, 1, 0], [0, 1, 0], [0, 0, 1]]);
    assert_eq!(CategoricalAccuracy.per_sample(&one_hot, &predicted()).to_vec::<f32>(), sparse);
    let thirds = (BinaryAccuracy::default().per_sample(&one_hot, &predicted()) * 3.0).round();
    assert_eq!((sparse, thirds.to_vec::<f32>()), (vec![1.0, 0.0, 1.0], vec![3.0, 2.0, 2.0]));
}

#[test]
fn a_tracked_prediction_gives_a_plain_number() {
    assert!(!Accuracy.per_sample(&Tensor::from([1_i64, 1, 2]), &predicted().tracked()).is_tracked());
}

#[test]
fn losses_are_metrics_and_lists_can_mix_them() {
    let labels = Tensor::from([1_i64, 0, 2]);
    let metrics: Vec<Box<dyn Metric>> = vec![Box::new(Accuracy), Box::new(SparseCategoricalCrossentropy)];
    let names: Vec<&str> = metrics.iter().map(|m| m.name()).collect();
    assert_eq!(names, ["accuracy", "sparse_categorical_crossentropy"]);
    let losses = metrics[1].per_sample(&labels, &predicted()).to_vec::<f32>();
    for (loss, p) in losses.iter().zip([0.7_f32, 0.5, 0.5]) {
        assert!((loss + p.ln()).abs() < 1e-6, "{losses:?}");
    }
}

#[test]
fn targets_that_do_not_suit_are_refused() {
    let predictions = Spec::new([3, 3], DType::F32);
    assert_says(Accuracy.check(&Tensor::from([0_i64, 3, 1]), predictions), &["label 3 in row 1; there are 3 classes"]);
    assert_says(Accuracy.check(&Tensor::zeros([3, 2]), predictions), &["targets [3, 2], predictions [3, 3]"]);
    let column = Spec::new([3, 1], DType::F32);
    assert_says(Accuracy.check(&Tensor::from([0_i64, 1, 2]), column), &["hold 2 in row 2"]);
}

#[test]
fn a_confusion_matrix_counts_pairs() {
    let labels = Tensor::from([1_i64, 1, 2]);
    assert_eq!(ConfusionMatrix.of(&labels, &predicted()).dims(), [3, 3]);
    let counts = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]; // rows are the labels
    assert_eq!(ConfusionMatrix.of(&labels, &predicted()).to_vec::<f64>(), counts);
    assert_eq!(ConfusionMatrix.of(&labels.one_hot(3, DType::F32), &predicted()).to_vec::<f64>(), counts);
    let y_pred = Tensor::from([[0.9_f32], [0.2], [0.6], [0.5]]);
    let counts = ConfusionMatrix.of(&Tensor::from([1_u8, 1, 0, 0]), &y_pred).to_vec::<f64>();
    assert_eq!(counts, [1.0, 1.0, 1.0, 1.0]);
}

#[test]
fn what_cannot_be_compared_is_not_among_the_first() {
    let y_pred = Tensor::from([[f32::NAN, 0.5], [0.5, f32::NAN], [0.5, 0.5]]);
    let metric = SparseTopKCategoricalAccuracy { k: 1 };
    assert_eq!(metric.per_sample(&Tensor::from([0_i64, 0, 1]), &y_pred).to_vec::<f32>(), [0.0, 0.0, 1.0]);
}

#[test]
fn names_and_weights_go_around_a_metric() {
    let metric = Precision::default().class(1).named("ones").weighted();
    assert_eq!((metric.name(), metric.is_weighted(), Accuracy.is_weighted()), ("ones", true, false));
    assert_eq!(metric.of(&Tensor::from([1_i64, 0, 1]), &predicted()).item(), 1.0);
    let boxed: Box<dyn Metric> = Box::new(metric);
    assert!(boxed.is_weighted());
}

#[test]
fn nothing_seen_is_zero() {
    for metric in [&Accuracy as &dyn Metric, &Precision::default(), &Auc::default(), &RootMeanSquaredError] {
        assert_eq!(metric.value(&Sums::default()).item(), 0.0, "{}", metric.name());
    }
}

#[test]
fn settings_without_a_meaning_are_refused() {
    let (labels, two) = (Tensor::from([0_i64, 1]), Spec::new([2, 2], DType::F32));
    assert_says(Precision::default().threshold(1.5).check(&labels, two), &["[precision] threshold 1.5", "hint"]);
    assert_says(Recall::default().class(2).check(&labels, two), &["[recall] class 2 of 2", "from 0"]);
    assert_says(Auc::default().thresholds(1).check(&labels, two), &["[auc] 1 thresholds"]);
    assert_says(TopKCategoricalAccuracy { k: 0 }.check(&labels, two), &["[top_k_categorical_accuracy] k is 0"]);
    let one = Spec::new([2, 1], DType::F32);
    assert_says(F1Score::default().check(&labels, one), &["[f1_score]", "threshold(0.5)"]);
    F1Score::default().threshold(0.5).check(&labels, one).unwrap();
}
