//! Building a graph: names, shapes and parameters, each layer's input following from the calls before.

use super::Graph;
use super::names::Names;
use cotangent_core::{Device, Error, Result, Rng, Shape};

/// A model under construction: where it is to be, and its random numbers.
pub(crate) struct Site {
    pub device: Device,
    pub rng: Rng,
    layers: u32,
}

impl Site {
    pub fn new(device: Device, rng: Rng) -> Self {
        Self { device, rng, layers: 0 }
    }

    /// The random numbers of the next layer: a stream family for each, in the order in which they are built. The
    /// layers of an unbuilt model within a model count like all others, so that nesting does not change a weight.
    pub fn next_rng(&mut self) -> Rng {
        self.layers += 1;
        self.rng.fork(self.layers - 1)
    }
}

impl Graph {
    /// Names the layers, finds every shape and makes the parameters.
    pub fn build(&mut self, site: &mut Site) -> Result<()> {
        self.set_names()?;
        let mut built = vec![false; self.layers.len()];
        for i in 0..self.calls.len() {
            let call = &self.calls[i];
            let (layer, outputs) = (call.layer, call.outputs.clone());
            let inputs: Vec<Shape> = call.inputs.iter().map(|&value| self.shape(value)).collect();
            let entry = &mut self.layers[layer];
            let shapes = match std::mem::replace(&mut built[layer], true) {
                false => Device::attempt(|| entry.block.build(&inputs, site)).and_then(|built| built),
                true => entry.block.shapes(&inputs), // shared: its parameters are made
            };
            let shapes = shapes.map_err(|e| refuse(&entry.name, &inputs).because(e))?;
            self.shapes[outputs].copy_from_slice(&shapes);
        }
        Ok(())
    }

    fn set_names(&mut self) -> Result<()> {
        let given = self.inputs.iter().filter_map(|x| x.given.as_deref());
        let mut names = Names::around(given.chain(self.layers.iter().filter_map(|e| e.block.name())))?;
        self.inputs.iter_mut().for_each(|x| x.name = names.name("InputLayer", x.given.as_deref()));
        self.layers.iter_mut().for_each(|e| e.name = names.name(e.block.kind(), e.block.name()));
        Ok(())
    }
}

fn refuse(name: &str, inputs: &[Shape]) -> Error {
    let message = match inputs {
        [input] => format!("cannot take an input of shape {input} (without the batch axis)"),
        _ => {
            format!(
                "cannot take inputs of shapes {}",
                inputs.iter().map(Shape::of_batch).collect::<Vec<_>>().join(", ")
            )
        }
    };
    Error::new(format!("build: {name}"), message)
}
