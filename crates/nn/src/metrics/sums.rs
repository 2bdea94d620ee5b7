//! [`Sums`]: what a metric knows of the samples seen so far.

use cotangent_core::{DType, Tensor};

/// The sums of a [`Metric`](super::Metric) over samples, in f64: each column of what every sample gave, times the
/// sample's weight.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_nn::Sums;
/// let mut sums = Sums::default();
/// sums.add(&Tensor::from([1.0_f32, 2.0]), None);
/// sums.add(&Tensor::from([6.0_f32]), Some(&Tensor::from([2.0_f32])));
/// assert_eq!((sums.columns[0], sums.weight, sums.mean()), (15.0, 4.0, 3.75));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sums {
    /// Σ weight · number, for each number that a sample gives; empty before the first sample.
    pub columns: Vec<f64>,
    /// Σ weight; the number of samples if they have no weights.
    pub weight: f64,
}

impl Sums {
    /// Adds a batch: the numbers of its N samples, `[N]` or `[N, S]`, and perhaps their weights, `[N]`.
    ///
    /// # Panics
    /// If the batches differ in S, or the weights in N.
    #[track_caller]
    pub fn add(&mut self, numbers: &Tensor, weights: Option<&Tensor>) {
        let (columns, weight) = Self::of_batch(numbers, weights);
        self.add_sums(&columns.to_vec::<f64>(), weight.map_or(numbers.shape()[0] as f64, |weight| weight.item()));
    }

    /// What [`add`](Sums::add) adds, in f64, where the numbers are: the columns, and the weight if there are weights; without
    /// it is the number of samples.
    #[track_caller]
    pub fn of_batch(numbers: &Tensor, weights: Option<&Tensor>) -> (Tensor, Option<Tensor>) {
        let samples = numbers.shape()[0];
        let rows = numbers.detach().cast(DType::F64).reshape([samples, numbers.shape()[1..].iter().product()]);
        match weights {
            None => (rows.sum(0), None),
            Some(weights) => {
                let weights = weights.cast(DType::F64).reshape([samples, 1]);
                ((rows * &weights).sum(0), Some(weights.sum(..)))
            }
        }
    }

    /// Adds the sums of a batch.
    ///
    /// # Panics
    /// If there were other numbers of columns before.
    #[track_caller]
    pub fn add_sums(&mut self, columns: &[f64], weight: f64) {
        if self.columns.is_empty() {
            self.columns = vec![0.0; columns.len()];
        }
        assert_eq!(self.columns.len(), columns.len(), "[metric] the batches give different numbers of columns");
        self.columns.iter_mut().zip(columns).for_each(|(sum, x)| *sum += x);
        self.weight += weight;
    }

    /// The first column by the weight; 0 before the first sample.
    pub fn mean(&self) -> f64 {
        quotient(self.columns.first().copied().unwrap_or(0.0), self.weight)
    }

    /// Column `a` by column `b`; 0 where `b` is 0, as in Keras.
    pub fn ratio(&self, a: usize, b: usize) -> f64 {
        match self.columns.is_empty() {
            true => 0.0,
            false => quotient(self.columns[a], self.columns[b]),
        }
    }
}

/// a / b, and 0 where b is 0.
pub(super) fn quotient(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
