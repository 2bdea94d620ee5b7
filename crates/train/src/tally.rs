//! [`Tally`]: the losses and the metrics as running sums, and what they make.

use crate::{Model, Score};
use cotangent_core::{Error, Result, Tensor};
use cotangent_nn::{Metric, Sums};

/// The sums of each loss and each metric over the samples seen so far, in the order of [`Model::names`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally(pub Vec<Sums>);

/// Takes what batches add to the sums.
pub(crate) trait Count {
    /// What a batch of `samples` adds to sum `i`: its columns, and the sum of its weights if it has any. For each batch, `i`
    /// counts up from 0.
    fn add(&mut self, i: usize, columns: &Tensor, weight: Option<&Tensor>, samples: usize) -> Result<()>;
}

impl Count for Tally {
    fn add(&mut self, i: usize, columns: &Tensor, weight: Option<&Tensor>, samples: usize) -> Result<()> {
        self.0[i].add_sums(&columns.to_vec::<f64>(), weight.map_or(samples as f64, Tensor::item));
        Ok(())
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
