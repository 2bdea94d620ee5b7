//! Running a graph on a batch.

use super::{Call, Graph};
use cotangent_core::{DType, Tensor};
use cotangent_nn::{Activation, Pass};

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

/// A layer's new value for a parameter that it keeps itself: the place of the parameter among the graph's, the value.
pub(crate) type Kept = (usize, Tensor);

impl Graph {
    /// The outputs for a batch of each input, and what the layers want kept.
    pub fn run(&self, x: &[Tensor], pass: &mut Pass) -> (Vec<Lazy>, Vec<Kept>) {
        let mut values: Vec<Option<Lazy>> = x.iter().map(|x| Some(Lazy::of(x))).collect();
        let mut kept = Vec::new();
        let (last_use, offsets) = (self.last_use(), self.offsets());
        for (i, call) in self.calls.iter().enumerate() {
            let y = self.call(call, &mut values, pass);
            kept.extend(pass.kept.drain(..).map(|(p, value)| (offsets[call.layer] + p, value)));
            values.push(Some(y));
            for &value in call.inputs.iter().filter(|&&value| last_use[value] == i) {
                values[value] = None;
            }
        }
        let outputs = self.outputs.iter().map(|&value| values[value].clone().expect("outputs are never dropped"));
        (outputs.collect(), kept)
    }

    /// One layer at work: here, and nowhere else, it is called, and its name is known.
    fn call(&self, call: &Call, values: &mut [Option<Lazy>], pass: &mut Pass) -> Lazy {
        let entry = &self.layers[call.layer];
        let x = values[call.inputs[0]].as_ref().expect("kept until its last use").value();
        Lazy { logits: entry.layer.call(&x, pass), activation: entry.layer.activation() }
    }

    /// For each value the last call that uses it; no call's number for those that are outputs, or that nobody uses.
    fn last_use(&self) -> Vec<usize> {
        let mut last = vec![usize::MAX; self.inputs.len() + self.calls.len()];
        for (i, call) in self.calls.iter().enumerate() {
            call.inputs.iter().for_each(|&value| last[value] = i);
        }
        self.outputs.iter().for_each(|&value| last[value] = usize::MAX);
        last
    }

    /// For each layer, how many parameters the layers before it have.
    fn offsets(&self) -> Vec<usize> {
        let counts = self.layers.iter().map(|e| e.layer.params().len());
        counts.scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count))).collect()
    }

    /// Puts what the layers wanted kept in its place.
    pub fn keep(&mut self, kept: Vec<Kept>) {
        let mut params: Vec<_> = self.params_mut().map(|(_, param)| param).collect();
        for (param, value) in kept {
            params[param].value.set_(&value);
        }
    }
}
