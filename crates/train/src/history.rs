//! What training tells afterwards: [`History`] by epoch, [`Score`] of an evaluation.

use cotangent_core::{Error, Result};
use std::fmt;
use std::ops::Index;

/// The loss and metrics of every epoch: `history["val_accuracy"]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    columns: Vec<(String, Vec<f64>)>,
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

/// The loss and metrics of one evaluation: `score.loss`, `score["accuracy"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The mean loss over all samples.
    pub loss: f64,
    metrics: Vec<(String, f64)>,
}

impl Score {
    /// Each metric's name and its mean over all samples.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.metrics
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

/// Running means over samples: each batch counts by its size, as Keras counts.
pub(crate) struct Means {
    names: Vec<String>,
    sums: Vec<f64>,
    samples: usize,
}

impl Means {
    pub fn new(names: Vec<String>) -> Self {
        Self { sums: vec![0.0; names.len()], names, samples: 0 }
    }

    /// Adds a batch of `samples` samples with these means.
    pub fn add(&mut self, samples: usize, means: &[f64]) {
        self.samples += samples;
        self.sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean * samples as f64);
    }

    /// Names and means so far.
    pub fn values(&self) -> Vec<(&str, f64)> {
        self.names.iter().zip(&self.sums).map(|(name, sum)| (name.as_str(), sum / self.samples as f64)).collect()
    }

    pub fn score(self) -> Result<Score> {
        if self.samples == 0 {
            return Err(Error::new("evaluate", "there are no samples").hint("x has 0 rows"));
        }
        let mut values = self.values().into_iter().map(|(n, v)| (n.to_owned(), v));
        let loss = values.next().map_or(0.0, |(_, v)| v);
        Ok(Score { loss, metrics: values.collect() })
    }
}
