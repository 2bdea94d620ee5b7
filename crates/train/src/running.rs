//! [`Running`]: a [`Tally`] on the device, so that a step needs no numbers on the host.

use crate::tally::{Count, Tally};
use cotangent_core::{Carry, Device, Lane, Ledger, Result, Tensor, Update};

/// The sums of each loss and each metric since [`begin`](Running::begin), as tensors on the device that computes them. The same
/// numbers as a [`Tally`]'s, added in the same order.
#[derive(Default)]
pub(crate) struct Running {
    base: Tally,
    parts: Vec<Part>,
    /// The samples since the begin.
    samples: f64,
}

struct Part {
    columns: Tensor,
    /// The sum of the weights, where samples have any.
    weight: Option<Tensor>,
}

/// `sum ← sum + x`.
#[derive(Clone, Copy)]
struct Add;

impl Update<0> for Add {
    #[inline(always)]
    fn step<L: Lane>(self, sum: L, x: L, _: [L; 0]) -> (L, [L; 0]) {
        (sum + x, [])
    }
}

/// These numbers on the device and in the shape of `like`; zeros if there are none yet.
fn there(numbers: &[f64], like: &Tensor) -> Result<Tensor> {
    match numbers {
        [] => Ok(like.zeros_like()),
        _ => Tensor::from_slice(numbers, like.shape()).to_device(&like.device()),
    }
}

impl Running {
    /// Goes on from these sums.
    pub fn begin(&mut self, tally: &Tally) -> Result<()> {
        self.base = tally.clone();
        self.samples = 0.0;
        for (part, sums) in self.parts.iter_mut().zip(&tally.0) {
            part.columns.assign_(&there(&sums.columns, &part.columns)?);
            if let Some(weight) = &mut part.weight {
                weight.assign_(&weight.new_full([], sums.weight));
            }
        }
        Ok(())
    }

    /// A step over so many samples was made.
    pub fn count_samples(&mut self, samples: usize) {
        self.samples += samples as f64;
    }

    /// The sums so far. The only time that the host waits for the device.
    pub fn read(&self, tally: &mut Tally) -> Result<()> {
        Device::attempt(|| {
            for ((part, sums), base) in self.parts.iter().zip(&mut tally.0).zip(&self.base.0) {
                sums.columns = part.columns.to_vec();
                sums.weight = part.weight.as_ref().map_or(base.weight + self.samples, Tensor::item);
            }
        })
    }
}

impl Count for Running {
    fn add(&mut self, i: usize, columns: &Tensor, weight: Option<&Tensor>, _: usize) -> Result<()> {
        if i == self.parts.len() {
            let base = self.base.0.get(i);
            let columns = there(base.map_or(&[], |sums| &sums.columns), columns)?;
            let weight = weight.map(|weight| weight.new_full([], base.map_or(0.0, |sums| sums.weight)));
            self.parts.push(Part { columns, weight });
        }
        let part = &mut self.parts[i];
        part.columns.update(Add, columns, []);
        if let (Some(sum), Some(weight)) = (&mut part.weight, weight) {
            sum.update(Add, weight, []);
        }
        Ok(())
    }
}

impl Carry for Running {
    fn carry(&mut self, ledger: &mut Ledger) {
        ledger.setting(self.parts.len());
        for part in &mut self.parts {
            (&mut part.columns, &mut part.weight).carry(ledger);
        }
    }
}
