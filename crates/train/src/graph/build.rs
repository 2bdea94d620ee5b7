//! Building a graph: names, shapes and parameters, each layer's input following from the calls before.

use super::Graph;
use super::names::Names;
use cotangent_core::{DType, Error, Result, Rng};
use cotangent_nn::Build;

impl Graph {
    /// Names the layers, finds every shape and makes the parameters, with random numbers that follow from `rng`.
    pub fn build(&mut self, rng: &Rng) -> Result<()> {
        let mut names = Names::default();
        for entry in &mut self.layers {
            entry.name = names.name(entry.layer.kind(), entry.layer.name());
        }
        for call in 0..self.calls.len() {
            self.build_call(call, rng)?;
        }
        Ok(())
    }

    fn build_call(&mut self, call: usize, rng: &Rng) -> Result<()> {
        let input = self.shape(self.calls[call].inputs[0]);
        let layer = self.calls[call].layer;
        // a stream family for each layer: inserting a layer leaves the others' initial weights as they were drawn
        let mut build = Build { rng: &mut rng.fork(layer as u32), dtype: DType::F32 };
        let entry = &mut self.layers[layer];
        self.calls[call].output = entry.layer.build(input, &mut build).map_err(|e| {
            let message = format!("cannot take an input of shape {input} (without the batch axis)");
            Error::new(format!("build: {}", entry.name), message).because(e)
        })?;
        Ok(())
    }
}
