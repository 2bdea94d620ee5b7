//! Which predictions count as right.

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
    let thirds = (BinaryAccuracy.per_sample(&one_hot, &predicted()) * 3.0).round();
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
