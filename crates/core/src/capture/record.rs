//! From the first call of a captured step to its record.

use super::{Carry, Ledger};
use crate::device::Device;
use crate::inspect::is_watched;
use cotangent_base::Result;
use cotangent_cuda::{CudaDevice, capture};

/// How often a step is recorded that always leaves what it carries in another place.
const ATTEMPTS: u32 = 4;

/// How far a step is.
#[derive(Default)]
pub(super) enum Stage<R> {
    /// It has not been called.
    #[default]
    First,
    /// It is to be recorded; it was so many times to no avail.
    Next(u32),
    Recorded(Box<Record<R>>),
    Refused(String),
}

/// A step as a graph.
pub(super) struct Record<R> {
    graph: capture::Graph,
    /// What was carried.
    carried: Ledger,
    /// How many streams the step draws from each generator.
    drawn: Vec<u64>,
    result: R,
}

impl Ledger {
    fn of<C: Carry + ?Sized>(carried: &mut C) -> Self {
        let mut ledger = Self::default();
        carried.carry(&mut ledger);
        ledger
    }

    /// The GPU that all tensors are on.
    fn gpu(&self) -> Option<CudaDevice> {
        let device = self.tensors.first()?.device;
        let Device::Cuda { ordinal, precision } = device else { return None };
        self.tensors.iter().all(|x| x.device == device).then(|| CudaDevice::opened(ordinal, precision))
    }

    /// Whether all is as it was, but for the generators, which move.
    fn is_as(&self, before: &Ledger) -> bool {
        let seeds = |ledger: &Ledger| ledger.generators.iter().map(|rng| rng.seed).collect::<Vec<_>>();
        self.refused.is_none()
            && self.tensors.iter().all(|x| x.sole)
            && self.tensors == before.tensors
            && self.settings == before.settings
            && seeds(self) == seeds(before)
    }
}

impl<R: Clone> Stage<R> {
    pub fn run<C: Carry + ?Sized>(&mut self, carried: &mut C, step: impl FnOnce(&mut C) -> Result<R>) -> Result<R> {
        // a step within a step is part of it; and whoever looks on wants to see it computed
        if capture::is_recording() || is_watched() {
            return step(carried);
        }
        match std::mem::take(self) {
            Self::Refused(why) => *self = Self::Refused(why),
            Self::First => *self = Self::Next(0),
            Self::Next(attempts) => return self.record(attempts, carried, step),
            Self::Recorded(mut record) => {
                let now = Ledger::of(carried);
                if now.is_as(&record.carried) && !record.graph.is_stale() {
                    record.run(carried, &now)?;
                    let result = record.result.clone();
                    *self = Self::Recorded(record);
                    return Ok(result);
                }
                *self = Self::Next(0);
            }
        }
        step(carried)
    }

    fn record<C: Carry + ?Sized>(
        &mut self,
        attempts: u32,
        carried: &mut C,
        step: impl FnOnce(&mut C) -> Result<R>,
    ) -> Result<R> {
        let before = Ledger::of(carried);
        *self = Self::Next(attempts);
        let Some(device) = before.gpu() else { return step(carried) };
        if let Some(why) = before.refused {
            *self = Self::Refused(why.to_owned());
            return step(carried);
        }
        capture::begin(device, before.generators.clone())?;
        let end = EndOnPanic;
        let result = step(carried);
        std::mem::forget(end);
        let ended = capture::end()?;
        let (result, after) = (result?, Ledger::of(carried));
        *self = match ended {
            Err(why) => Self::Refused(why),
            Ok(graph) if after.is_as(&before) && !graph.is_stale() => {
                let moved = after.generators.iter().zip(&before.generators);
                let drawn = moved.map(|(after, before)| after.next - before.next).collect();
                Self::Recorded(Box::new(Record { graph, carried: before, drawn, result: result.clone() }))
            }
            Ok(_) if attempts + 1 < ATTEMPTS => Self::Next(attempts + 1),
            Ok(_) => Self::Refused("what it carries is never where it was before".to_owned()),
        };
        Ok(result)
    }
}

/// Ends the recording if the step panics, so that the device works on.
struct EndOnPanic;

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        let _ = capture::end(); // the panic says more
    }
}

impl<R> Record<R> {
    fn run<C: Carry + ?Sized>(&mut self, carried: &mut C, now: &Ledger) -> Result<()> {
        let drawn = Some(self.drawn.clone());
        self.graph.run(&now.generators, || carried.carry(&mut Ledger { drawn, ..Ledger::default() }))
    }
}
