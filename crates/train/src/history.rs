//! What training tells afterwards: [`History`] by epoch, [`Score`] of an evaluation.

use cotangent_core::{DType, Shape, Tensor};
use std::fmt;
use std::ops::Index;

/// The loss and metrics of every epoch: `history["val_accuracy"]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    columns: Vec<(String, Vec<f64>)>,
    interrupted: bool,
}

impl History {
    /// The names, in the order they were first reported: `loss`, the metrics, then those of validation.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The values of `name` by epoch.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice())
    }

    /// Every name with its values, to draw.
    pub fn columns(&self) -> &[(String, Vec<f64>)] {
        &self.columns
    }

    /// The number of epochs.
    pub fn epochs(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// Whether Ctrl-C ended the training.
    pub fn interrupted(&self) -> bool {
        self.interrupted
    }

    pub(crate) fn set_interrupted(&mut self, interrupted: bool) {
        self.interrupted = interrupted;
    }

    pub(crate) fn push(&mut self, name: &str, value: f64) {
        match self.columns.iter_mut().find(|(n, _)| n == name) {
            Some((_, values)) => values.push(value),
            None => self.columns.push((name.to_owned(), vec![value])),
        }
    }
}

impl Index<&str> for History {
    type Output = [f64];

    /// # Panics
    /// If nothing of that name was reported.
    #[track_caller]
    fn index(&self, name: &str) -> &[f64] {
        match self.get(name) {
            Some(values) => values,
            None => panic!("[history] no {name:?}; there are {:?}", self.names().collect::<Vec<_>>()),
        }
    }
}

/// The loss and metrics of one evaluation: `score.loss`, `score["accuracy"]`, `score.table("confusion_matrix")`.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The mean loss over all samples.
    pub loss: f64,
    metrics: Vec<(String, f64)>,
    /// Name, shape and numbers of each metric that has axes.
    tables: Vec<(String, Shape, Vec<f64>)>,
}

impl Score {
    /// From the values by name, of which the loss is the first.
    pub(crate) fn new(values: Vec<(String, Tensor)>) -> Self {
        let mut score = Self { loss: 0.0, metrics: Vec::new(), tables: Vec::new() };
        for (i, (name, value)) in values.into_iter().enumerate() {
            match (i, value.rank()) {
                (0, _) => score.loss = value.item(),
                (_, 0) => score.metrics.push((name, value.item())),
                _ => score.tables.push((name, value.shape(), value.cast(DType::F64).to_vec())),
            }
        }
        score
    }

    /// Each metric that is a number: its name and its value over all samples.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.metrics
    }

    /// A metric that has axes, such as the confusion matrix.
    ///
    /// # Panics
    /// If the model was not compiled with it.
    #[track_caller]
    pub fn table(&self, name: &str) -> Tensor {
        match self.tables.iter().find(|(n, ..)| n == name) {
            Some((_, shape, numbers)) => Tensor::from_slice(numbers, *shape),
            None => {
                let names: Vec<&str> = self.tables.iter().map(|(n, ..)| n.as_str()).collect();
                panic!("[score] no table {name:?}; there are {names:?}")
            }
        }
    }
}

impl Index<&str> for Score {
    type Output = f64;

    /// # Panics
    /// If the model was not compiled with that metric.
    #[track_caller]
    fn index(&self, name: &str) -> &f64 {
        if name == "loss" {
            return &self.loss;
        }
        match self.metrics.iter().find(|(n, _)| n == name) {
            Some((_, value)) => value,
            None => panic!("[score] no {name:?}; there are \"loss\" and {:?}", self.metrics),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "loss: {:.4}", self.loss)?;
        self.metrics.iter().try_for_each(|(name, value)| write!(f, " - {name}: {value:.4}"))
    }
}
