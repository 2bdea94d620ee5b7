//! [`Tally`]: the losses and the metrics as running sums, and what they make.

use crate::{Model, Score};
use cotangent_core::{Error, Result, Tensor};
use cotangent_nn::{Metric, Sums};

/// The sums of each loss and each metric over the samples seen so far, in the order of [`Model::names`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally(pub Vec<Sums>);

impl Tally {
    /// Adds the mean losses of a batch of `samples`: each batch counts by its size, as in Keras. Gives the sums of the
    /// metrics.
    pub fn add_losses(&mut self, means: &[f64], samples: usize) -> &mut [Sums] {
        let (losses, metrics) = self.0.split_at_mut(means.len());
        for (sums, mean) in losses.iter_mut().zip(means) {
            sums.columns.resize(1, 0.0);
            sums.columns[0] += mean * samples as f64;
            sums.weight += samples as f64;
        }
        metrics
    }
}

impl Model {
    /// Nothing counted yet.
    pub(crate) fn tally(&self) -> Result<Tally> {
        Ok(Tally(vec![Sums::default(); self.names()?.len()]))
    }

    /// What each loss and metric makes of its sums, by name.
    fn results(&self, tally: &Tally) -> Result<Vec<(String, Tensor)>> {
        let names = self.names()?;
        let metrics: Vec<&dyn Metric> = self.all_metrics()?;
        let losses = names.len() - metrics.len();
        let value = |(i, sums): (usize, &Sums)| match i.checked_sub(losses) {
            None => Tensor::scalar(sums.mean()),
            Some(metric) => metrics[metric].value(sums),
        };
        Ok(names.into_iter().zip(tally.0.iter().enumerate().map(value)).collect())
    }

    /// The losses and those metrics that are numbers, by name: as many as [`Model::reports`].
    pub(crate) fn values(&self, tally: &Tally) -> Result<Vec<(String, f64)>> {
        let numbers = self.results(tally)?.into_iter().filter(|(_, value)| value.rank() == 0);
        Ok(numbers.map(|(name, value)| (name, value.item())).collect())
    }

    /// Everything, tables too.
    pub(crate) fn score(&self, tally: &Tally) -> Result<Score> {
        if tally.0[0].weight == 0.0 {
            return Err(Error::new("evaluate", "there are no samples").hint("x has 0 rows"));
        }
        Ok(Score::new(self.results(tally)?))
    }
}
