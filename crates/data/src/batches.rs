//! Which examples make up each batch of an epoch.

use cotangent_base::{Error, Result, Rng};

/// The batches of one epoch, each a list of example indices; the last one holds what is left.
///
/// With a generator the order is a random permutation of `0..n`, without one it is `0..n` itself.
///
/// ```
/// use cotangent_base::Rng;
/// use cotangent_data::Batches;
///
/// let in_order: Vec<Vec<usize>> = Batches::new(5, 2, None)?.collect();
/// assert_eq!(in_order, [vec![0, 1], vec![2, 3], vec![4]]);
///
/// let shuffled = Batches::new(60_000, 128, Some(&mut Rng::new(0)))?;
/// assert_eq!(shuffled.len(), 469);
/// # Ok::<(), cotangent_base::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches {
    order: Option<Vec<usize>>,
    examples: usize,
    batch_size: usize,
    start: usize,
}

impl Batches {
    /// Batches of `batch_size` over `examples` examples, shuffled if there is an `rng`, of which it takes one stream.
    ///
    /// # Errors
    /// If `batch_size` is 0.
    pub fn new(examples: usize, batch_size: usize, rng: Option<&mut Rng>) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::new("batches", "batch_size is 0").hint("use at least 1; Keras's default is 32"));
        }
        let order = rng.map(|rng| rng.permutation(examples));
        Ok(Self { order, examples, batch_size, start: 0 })
    }
}

impl Iterator for Batches {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        if self.start == self.examples {
            return None;
        }
        let batch = self.start..self.examples.min(self.start.saturating_add(self.batch_size));
        self.start = batch.end;
        Some(match &self.order {
            Some(order) => order[batch].to_vec(),
            None => batch.collect(),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.examples - self.start).div_ceil(self.batch_size);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batches {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_comes_once_and_the_last_batch_is_what_is_left() {
        for (n, size) in [(0, 4), (1, 4), (8, 4), (9, 4), (9, usize::MAX)] {
            let batches = Batches::new(n, size, Some(&mut Rng::new(3))).unwrap();
            let (promised, batches) = (batches.len(), batches.collect::<Vec<_>>());
            assert_eq!(batches.len(), promised);
            assert!(batches.iter().rev().skip(1).all(|b| b.len() == size));
            let mut seen: Vec<usize> = batches.concat();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..n), "n = {n}, batch_size = {size}");
        }
    }

    #[test]
    fn the_seed_decides_the_order_and_each_epoch_has_its_own() {
        let mut rng = Rng::new(5);
        let epoch = |rng: &mut Rng| Batches::new(100, 32, Some(rng)).unwrap().collect::<Vec<_>>();
        let (first, second) = (epoch(&mut rng), epoch(&mut rng));
        assert_ne!(first, second);
        assert_eq!(first, epoch(&mut Rng::new(5)));
        assert_ne!(first, epoch(&mut Rng::new(6)));
    }

    #[test]
    fn batch_size_zero_is_refused() {
        let e = Batches::new(10, 0, None).unwrap_err().to_string();
        assert_eq!(e, "[batches] batch_size is 0\n  hint: use at least 1; Keras's default is 32");
    }
}
