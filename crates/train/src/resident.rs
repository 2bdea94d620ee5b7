//! [`Resident`]: training samples on the device, and the steps over them.

use crate::Model;
use crate::data::Samples;
use crate::running::Running;
use crate::tally::Tally;
use cotangent_core::inspect::is_watched;
use cotangent_core::{Capture, DType, Device, Result, Tensor};
use std::collections::BTreeMap;

/// All samples of a training run on the model's device, in the dtypes that they were given in, the order of an epoch's
/// samples, and its running sums. A step needs nothing of the host then, and is recorded ([`Capture`]).
pub(crate) struct Resident {
    samples: Samples,
    order: Tensor,
    running: Running,
    /// For each size that a batch has, the step over one: that of the last batch may differ.
    steps: BTreeMap<usize, Repeated>,
}

struct Repeated {
    /// The numbers of the batch's samples.
    index: Tensor,
    capture: Capture<()>,
}

impl Resident {
    /// The samples on the model's device; `None` where they are better left on the host: on a CPU, if they do not fit, if
    /// somebody looks on, or if a NaN is in them, which the step that meets it is to say.
    pub fn new(model: &Model, samples: &Samples) -> Option<Self> {
        if model.device() == Device::Cpu || is_watched() {
            return None;
        }
        let there = Device::attempt(|| {
            let samples = samples.to_device(&model.device())?;
            let sound = samples.x.iter().all(|x| !(x.dtype().is_float() && x.max(..).item().is_nan()));
            let order = Tensor::arange(0.0, samples.count as f64, 1.0, DType::I64).to_device(&model.device())?;
            Ok::<_, cotangent_core::Error>(sound.then_some((samples, order)))
        });
        let (samples, order) = there.and_then(|there| there).ok().flatten()?;
        Some(Self { samples, order, running: Running::default(), steps: BTreeMap::new() })
    }

    /// Begins an epoch, or what is left of it, whose sums so far are `tally`, with the samples in this order.
    pub fn begin(&mut self, order: Option<&[usize]>, tally: &Tally) -> Result<()> {
        if let Some(order) = order {
            let order = Tensor::from_vec(order.iter().map(|&i| i as i64).collect());
            self.order.assign_(&order.to_device(&self.order.device())?);
        }
        self.running.begin(tally)
    }

    /// A step over the `count` samples from `start` on, in the order of the epoch.
    pub fn step(&mut self, model: &mut Model, start: usize, count: usize) -> Result<()> {
        Device::attempt(|| self.try_step(model, start, count))?
    }

    fn try_step(&mut self, model: &mut Model, start: usize, count: usize) -> Result<()> {
        let index = self.order.narrow(0, start, count);
        let step =
            self.steps.entry(count).or_insert_with(|| Repeated { index: index.zeros_like(), capture: Capture::new() });
        step.index.assign_(&index);
        let samples = &self.samples;
        step.capture.run(&mut (model, &mut self.running, &mut step.index), |(model, running, index)| {
            let batch = samples.at(index);
            model.step(&batch, |model, losses, outputs| model.count(&batch, losses, outputs, *running))
        })?;
        self.running.count_samples(count);
        Ok(())
    }

    /// The sums so far.
    pub fn read(&self, tally: &mut Tally) -> Result<()> {
        self.running.read(tally)
    }
}
