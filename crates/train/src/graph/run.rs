//! Running a graph on a batch.

use super::{Call, Graph};
use cotangent_core::inspect::scope;
use cotangent_core::{DType, Tensor};
use cotangent_nn::{Activation, Change, MaxPooling, Pass};

/// An output whose activation is not applied yet: losses are better computed from what is before it.
#[derive(Clone)]
pub(crate) struct Lazy {
    pub logits: Tensor,
    pub activation: Activation,
}

impl Lazy {
    fn of(x: &Tensor) -> Self {
        let logits = if x.dtype() == DType::F32 { x.clone() } else { x.cast(DType::F32) };
        Self { logits, activation: Activation::Linear }
    }

    /// With the activation applied.
    pub fn value(&self) -> Tensor {
        self.activation.apply(&self.logits)
    }

    /// The same outside any graph of derivatives.
    pub fn detach(&self) -> Self {
        Self { logits: self.logits.detach(), ..*self }
    }
}

/// A value of the graph during a run.
struct Slot {
    lazy: Lazy,
    /// With the activation applied, from the first call on that wants it.
    value: Option<Tensor>,
}

impl Slot {
    fn new(lazy: Lazy) -> Option<Self> {
        Some(Self { lazy, value: None })
    }
}

impl Graph {
    /// The outputs for a batch of each input. What the layers want kept is left in `pass`, by the place of the
    /// parameter in [`params`](Graph::params).
    pub fn run(&self, x: &[&Tensor], pass: &mut Pass) -> Vec<Lazy> {
        self.run_to(&self.outputs, x, pass)
    }

    /// The values `wanted` for a batch of each input; calls after the last of them are not made.
    pub fn run_to(&self, wanted: &[usize], x: &[&Tensor], pass: &mut Pass) -> Vec<Lazy> {
        let mut slots: Vec<Option<Slot>> = x.iter().map(|x| Slot::new(Lazy::of(x))).collect();
        let (last_use, offsets) = (self.last_use(wanted), self.offsets());
        let mut kept = std::mem::take(&mut pass.kept);
        let last = wanted.iter().copied().max().unwrap_or(0);
        let mut pooled = vec![false; self.calls.len()]; // the calls whose work the call before has done
        for (i, call) in self.calls.iter().enumerate().take_while(|(_, call)| call.outputs.start <= last) {
            let pooling = self.pooling_behind(call, &last_use);
            let outputs = match pooled[i] {
                true => vec![slots[call.inputs[0]].take().expect("stays until its last use").lazy],
                false => self.call(call, pooling, &mut slots, &mut pooled, pass),
            };
            slots.extend(outputs.into_iter().map(Slot::new));
            kept.extend(pass.kept.drain(..).map(|(param, change)| (offsets[call.layer] + param, change)));
            for &value in call.inputs.iter().filter(|&&value| last_use[value] == Some(i)) {
                slots[value] = None;
            }
        }
        pass.kept = kept;
        wanted.iter().map(|&value| slots[value].as_ref().expect("what is wanted stays").lazy.clone()).collect()
    }

    /// One layer at work: here, and nowhere else, it is called, and its name is known. If it can do the work of the
    /// pooling behind it too, that call is marked in `pooled`.
    fn call(
        &self,
        call: &Call,
        pooling: Option<(usize, MaxPooling)>,
        slots: &mut [Option<Slot>],
        pooled: &mut [bool],
        pass: &mut Pass,
    ) -> Vec<Lazy> {
        let entry = &self.layers[call.layer];
        for &source in &call.inputs {
            let Slot { lazy, value } = slots[source].as_mut().expect("stays until its last use");
            value.get_or_insert_with(|| match self.source(source) {
                Some((call, _)) => scope(&self.layers[call.layer].name, || lazy.value()),
                None => lazy.value(),
            });
        }
        let inputs = call.inputs.iter().map(|&value| slots[value].as_ref().and_then(|slot| slot.value.as_ref()));
        let inputs: Vec<&Tensor> = inputs.flatten().collect();
        scope(&entry.name, || {
            if let Some((behind, pooling)) = pooling
                && let Some(output) = entry.block.call_with(&inputs, Some(pooling), pass)
            {
                pooled[behind] = true;
                return vec![output];
            }
            entry.block.call(&inputs, pass)
        })
    }

    /// The max pooling of what `call` gives, and its call, if nobody else uses that.
    fn pooling_behind(&self, call: &Call, last_use: &[Option<usize>]) -> Option<(usize, MaxPooling)> {
        let user = last_use[call.outputs.start]?;
        let pooling = self.layers[self.calls[user].layer].block.max_pooling()?;
        let users = self.calls.iter().filter(|c| c.inputs.contains(&call.outputs.start)).count();
        (users == 1).then_some((user, pooling))
    }

    /// For each value the last call that uses it; none for those that are wanted.
    fn last_use(&self, wanted: &[usize]) -> Vec<Option<usize>> {
        let mut last = vec![None; self.shapes.len()];
        for (i, call) in self.calls.iter().enumerate() {
            call.inputs.iter().for_each(|&value| last[value] = Some(i));
        }
        wanted.iter().for_each(|&value| last[value] = None);
        last
    }

    /// For each layer, how many parameters the layers before it have.
    fn offsets(&self) -> Vec<usize> {
        let counts = self.layers.iter().map(|e| e.block.weights().len());
        counts.scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect()
    }

    /// Changes what the layers keep themselves.
    pub fn keep(&mut self, kept: Vec<(usize, Change)>) {
        let mut params = self.weights_mut();
        for (param, change) in kept {
            let value = &mut params[param].value;
            value.assign_(&change(value));
        }
    }
}
