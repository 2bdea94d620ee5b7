//! The losses against Keras's formulas, behind an activation and before it, and what they refuse.

use crate::{assert_close, assert_says};
use cotangent_core::{DType, Spec, Tensor};
use cotangent_nn::{Activation::*, *};

fn logits() -> Tensor {
    Tensor::from([[0.5_f64, -1.0, 2.0], [3.0, 0.0, -2.0], [0.1, 0.2, 0.3]])
}

fn one_hot() -> Tensor {
    Tensor::from([[0.0_f64, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
}

const LABELS: [i64; 3] = [2, 1, 0];

/// −ln softmax of the right class, row by row.
fn cross_entropies() -> Vec<f64> {
    let rows = logits().to_vec::<f64>();
    let row = |i: usize| &rows[3 * i..3 * i + 3];
    (0..3).map(|i| row(i).iter().map(|z| z.exp()).sum::<f64>().ln() - row(i)[LABELS[i] as usize]).collect()
}

fn predictions(shape: impl Into<cotangent_core::Shape>) -> Spec {
    Spec::new(shape, DType::F32)
}

#[test]
fn categorical_crossentropy_is_the_same_from_both_sides_of_softmax() {
    let loss = CategoricalCrossentropy;
    let want = cross_entropies();
    assert_close(&loss.per_sample(&one_hot(), &Softmax.apply(&logits())).to_vec::<f64>(), &want, 1e-12);
    assert_close(&loss.from_logits(&one_hot(), &logits(), Softmax).unwrap().to_vec::<f64>(), &want, 1e-12);
    assert_close(&FromLogits(loss).per_sample(&one_hot(), &logits()).to_vec::<f64>(), &want, 1e-12);
    assert!(loss.from_logits(&one_hot(), &logits(), Sigmoid).is_none());
    assert_eq!(FromLogits(loss).name(), "categorical_crossentropy");
}

#[test]
fn predictions_that_do_not_sum_to_1_are_normalised() {
    let p = Tensor::from([[2.0_f64, 6.0]]);
    let loss = CategoricalCrossentropy.per_sample(&Tensor::from([[0_i64, 1]]), &p);
    assert_close(&loss.to_vec::<f64>(), &[-(0.75_f64.ln())], 1e-12);
}

#[test]
fn sparse_categorical_crossentropy_is_the_same_from_both_sides_of_softmax() {
    let loss = SparseCategoricalCrossentropy;
    let want = cross_entropies();
    let column = Tensor::from([[2_u8], [1], [0]]);
    for labels in [Tensor::from(LABELS), Tensor::from([2_u32, 1, 0]), column] {
        loss.check(&labels, predictions([3, 3])).unwrap();
        assert_close(&loss.per_sample(&labels, &Softmax.apply(&logits())).to_vec::<f64>(), &want, 1e-12);
        assert_close(&loss.from_logits(&labels, &logits(), Softmax).unwrap().to_vec::<f64>(), &want, 1e-12);
    }
}

#[test]
fn clipped_probabilities_bound_the_loss_and_end_its_gradient() {
    let p = Tensor::from([[1.0_f64, 0.0], [0.25, 0.75]]).tracked();
    let one_hot = Tensor::from([[0.0_f64, 1.0], [0.0, 1.0]]);
    let loss = Clipped(CategoricalCrossentropy);
    let losses = loss.per_sample(&one_hot, &p);
    assert_close(&losses.to_vec::<f64>(), &[-(1e-7_f64.ln()), -(0.75_f64.ln())], 1e-12);
    let gradient = losses.sum(..).backward().wrt(&p).to_vec::<f64>();
    assert_eq!(gradient[..2], [0.0, 0.0]);
    // −ln(p₁ / (p₀ + p₁)), by p₀ and p₁
    assert_close(&gradient[2..], &[1.0, 1.0 - 1.0 / 0.75], 1e-12);
    assert!(loss.from_logits(&one_hot, &p, Softmax).is_none());

    let losses = Clipped(SparseCategoricalCrossentropy).per_sample(&Tensor::from([1_i64, 1]), &p);
    assert_close(&losses.to_vec::<f64>(), &[-(1e-7_f64.ln()), -(0.75_f64.ln())], 1e-9);
}

#[test]
fn from_logits_stays_exact_where_softmax_saturates() {
    let logits = Tensor::from([[200.0_f32, 0.0]]).tracked();
    let loss = SparseCategoricalCrossentropy.from_logits(&Tensor::from([1_i64]), &logits, Softmax).unwrap();
    assert_eq!(loss.item(), 200.0);
    assert_eq!(loss.sum(..).backward().wrt(&logits).to_vec::<f32>(), [1.0, -1.0]);
}

#[test]
fn binary_crossentropy_is_the_same_from_both_sides_of_sigmoid() {
    let z = Tensor::from([[0.3_f64, -2.0], [1.5, 4.0]]);
    let t = Tensor::from([[1.0_f64, 0.0], [0.0, 0.5]]);
    let term = |z: f64, t: f64| (1.0 + z.exp()).ln() - t * z;
    let want = [(term(0.3, 1.0) + term(-2.0, 0.0)) / 2.0, (term(1.5, 0.0) + term(4.0, 0.5)) / 2.0];
    assert_close(&BinaryCrossentropy.per_sample(&t, &Sigmoid.apply(&z)).to_vec::<f64>(), &want, 1e-12);
    assert_close(&BinaryCrossentropy.from_logits(&t, &z, Sigmoid).unwrap().to_vec::<f64>(), &want, 1e-12);
    assert!(BinaryCrossentropy.from_logits(&t, &z, Softmax).is_none());
    let far = BinaryCrossentropy.from_logits(&Tensor::from([0_i64]), &Tensor::from([[1000.0_f64]]), Sigmoid);
    assert_eq!(far.unwrap().to_vec::<f64>(), [1000.0]);
}

/// A loss, and its value and slope for one error.
type Case = (Box<dyn Loss>, fn(f64) -> [f64; 2]);

#[test]
fn regression_losses_have_their_values_and_gradients() {
    let t = Tensor::from([[0.0_f64, 0.0], [1.0, 1.0]]);
    let errors = [[0.5, -3.0], [0.0, 2.0]];
    let cases: [Case; 4] = [
        (Box::new(MeanSquaredError), |e| [e * e, 2.0 * e]),
        (Box::new(MeanAbsoluteError), |e| [e.abs(), if e == 0.0 { 0.0 } else { e.signum() }]),
        (Box::new(Huber::default()), |e| if e.abs() <= 1.0 { [e * e / 2.0, e] } else { [e.abs() - 0.5, e.signum()] }),
        (Box::new(Huber { delta: 2.5 }), |e| {
            if e.abs() <= 2.5 { [e * e / 2.0, e] } else { [2.5 * e.abs() - 3.125, 2.5 * e.signum()] }
        }),
    ];
    for (loss, f) in cases {
        let p = (&t + Tensor::from(errors)).tracked();
        let losses = loss.per_sample(&t, &p);
        let want = errors.map(|row| row.map(|e| f(e)[0]).iter().sum::<f64>() / 2.0);
        assert_close(&losses.to_vec::<f64>(), &want, 1e-12);
        let slopes: Vec<f64> = errors.as_flattened().iter().map(|&e| f(e)[1] / 2.0).collect();
        assert_close(&losses.sum(..).backward().wrt(&p).to_vec::<f64>(), &slopes, 1e-12);
    }
}

#[test]
fn targets_without_an_axis_go_with_columns() {
    let (t, p) = (Tensor::from([1_u8, 2]), Tensor::from([[1.5_f32], [4.0]]));
    MeanSquaredError.check(&t, p.spec()).unwrap();
    assert_eq!(MeanSquaredError.per_sample(&t, &p).to_vec::<f32>(), [0.25, 4.0]);
}

#[test]
fn targets_of_another_shape_are_refused() {
    let y = Tensor::zeros([5, 3]);
    assert_says(
        CategoricalCrossentropy.check(&y, predictions([5, 10])),
        &["[categorical_crossentropy] targets [5, 3], predictions [5, 10]", "as many units"],
    );
    assert_says(
        CategoricalCrossentropy.check(&Tensor::from([1_i64; 5]), predictions([5, 10])),
        &["targets [5], predictions [5, 10]", "`SparseCategoricalCrossentropy`"],
    );
    assert_says(
        CategoricalCrossentropy.check(&y, predictions([5, 2, 3])),
        &["predictions [5, 2, 3], wants [N, classes]", "Flatten"],
    );
    assert_says(
        SparseCategoricalCrossentropy.check(&y, predictions([5, 3])),
        &["[sparse_categorical_crossentropy] targets [5, 3], predictions [5, 3]", "`CategoricalCrossentropy`"],
    );
    for loss in [&MeanSquaredError as &dyn Loss, &MeanAbsoluteError, &Huber::default(), &BinaryCrossentropy] {
        let place = format!("[{}] targets [5, 3], predictions [5, 1]", loss.name());
        assert_says(loss.check(&y, predictions([5, 1])), &[&place, "same shape"]);
    }
}

#[test]
fn targets_of_other_values_are_refused() {
    let sparse = SparseCategoricalCrossentropy;
    for (labels, row, label) in [([0_i64, 10, 3], 1, 10), ([0, 3, -1], 2, -1)] {
        let message =
            format!("[sparse_categorical_crossentropy] label {label} in row {row}; there are 10 classes, from 0 on");
        assert_says(sparse.check(&Tensor::from(labels), predictions([3, 10])), &[&message, "hint"]);
    }
    assert_says(
        sparse.check(&Tensor::from([1.0_f32, 2.0]), predictions([2, 10])),
        &["the targets are f32, not integers", "y.cast(DType::I64)"],
    );
    let beyond = Tensor::from([[0.0_f32, 1.0], [1.5, 0.0]]);
    assert_says(
        CategoricalCrossentropy.check(&beyond, predictions([2, 2])),
        &["[categorical_crossentropy] the targets [2, 2] hold 1.5 in row 1", "0 to 1"],
    );
    assert_says(
        BinaryCrossentropy.check(&Tensor::from([[1.0_f32], [-1.0]]), predictions([2, 1])),
        &["[binary_crossentropy] the targets [2, 1] hold -1 in row 1"],
    );
    assert_says(BinaryCrossentropy.check(&Tensor::from([f32::NAN]), predictions([1, 1])), &["hold NaN in row 0"]);
    assert_says(Huber { delta: 0.0 }.check(&beyond, predictions([2, 2])), &["[huber] delta is 0", "above 0"]);
}

#[test]
fn a_loss_can_be_chosen_at_run_time() {
    let loss: Box<dyn Loss> = Box::new(SparseCategoricalCrossentropy);
    let fused = Metric::from_logits(&loss, &Tensor::from(LABELS), &logits(), Softmax).unwrap();
    assert_close(&fused.to_vec::<f64>(), &cross_entropies(), 1e-12);
    assert_eq!(Metric::name(&loss), "sparse_categorical_crossentropy");
}
