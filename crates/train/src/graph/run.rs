//! Running a graph on a batch.

use super::block::Tail;
use super::{Call, Graph};
use cotangent_core::inspect::scope;
use cotangent_core::{DType, Tensor};
use cotangent_nn::{Activation, Change, Pass};

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
        let mut done = vec![false; self.calls.len()]; // the calls whose work a call before has done
        for (i, call) in self.calls.iter().enumerate().take_while(|(_, call)| call.outputs.start <= last) {
            let outputs = match done[i] {
                true => vec![slots[call.inputs[0]].take().expect("stays until its last use").lazy],
                false => self.call(call, &self.behind(call, &last_use), &mut slots, &mut done, pass),
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

    /// One layer at work: here, and nowhere else, it is called, and its name is known. The calls behind it that it has
    /// done too, as many as it can, are marked in `done`.
    fn call(
        &self,
        call: &Call,
        behind: &[(usize, Tail<'_>)],
        slots: &mut [Option<Slot>],
        done: &mut [bool],
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
            for (i, (_, tail)) in behind.iter().enumerate().rev() {
                if let Some(output) = entry.block.call_with(&inputs, tail, pass) {
                    behind[..=i].iter().for_each(|&(call, _)| done[call] = true);
                    return vec![output];
                }
            }
            entry.block.call(&inputs, pass)
        })
    }

    /// The calls behind `call` that its layer may be able to do too, since nobody else uses what is between, each with all
    /// that is to be done up to there.
    fn behind(&self, call: &Call, last_use: &[Option<usize>]) -> Vec<(usize, Tail<'_>)> {
        let (mut found, mut value) = (Vec::new(), call.outputs.start);
        let Some(mut tail) = self.layers[call.layer].block.tail() else { return found };
        while let Some(user) = last_use[value]
            && let Some(longer) = tail.with(&self.layers[self.calls[user].layer].block)
            && self.calls.iter().filter(|call| call.inputs.contains(&value)).count() == 1
        {
            found.push((user, longer));
            (tail, value) = (longer, self.calls[user].outputs.start);
        }
        found
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
