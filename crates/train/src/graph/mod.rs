//! [`Graph`]: which layer is applied to what. Every model is one; a [`Sequential`](crate::Sequential)'s is a chain.

mod block;
mod build;
mod names;
mod run;

pub(crate) use block::Block;
pub(crate) use build::Site;
pub(crate) use run::Lazy;

use cotangent_core::Shape;
use cotangent_nn::Param;
use std::ops::Range;

/// Layers, and the calls of them in an order in which each comes after what it needs.
///
/// An input, or an output of a call, is a *value* and known by its number: the inputs are the first values, then
/// come the outputs of each call.
pub(crate) struct Graph {
    pub inputs: Vec<Input>,
    pub layers: Vec<Entry>,
    pub calls: Vec<Call>,
    /// The values that the model gives.
    pub outputs: Vec<usize>,
    /// The shape of each value, without the batch axis; a scalar's for all but the inputs until the graph is built.
    shapes: Vec<Shape>,
}

/// An input: its name, once the graph is built, or the one that it was given.
pub(crate) struct Input {
    pub name: String,
    pub given: Option<String>,
}

/// A layer with its name, once the graph is built. Its parameters are there once, however often it is called.
pub(crate) struct Entry {
    pub name: String,
    pub block: Block,
}

/// One application of a layer.
pub(crate) struct Call {
    /// The place of the layer among the entries.
    pub layer: usize,
    /// The values it is applied to.
    pub inputs: Vec<usize>,
    /// The values it gives.
    pub outputs: Range<usize>,
}

impl Graph {
    /// A graph of inputs alone, each with its shape and perhaps a name.
    pub fn new(inputs: impl IntoIterator<Item = (Option<String>, Shape)>) -> Self {
        let (inputs, shapes) =
            inputs.into_iter().map(|(given, shape)| (Input { name: String::new(), given }, shape)).unzip();
        Self { inputs, layers: Vec::new(), calls: Vec::new(), outputs: Vec::new(), shapes }
    }

    /// Adds a layer; gives its place.
    pub fn add(&mut self, block: Block) -> usize {
        self.layers.push(Entry { name: String::new(), block });
        self.layers.len() - 1
    }

    /// Adds a call of a layer; gives the values that come of it.
    pub fn apply(&mut self, layer: usize, inputs: Vec<usize>) -> Range<usize> {
        let first = self.shapes.len();
        let outputs = first..first + self.layers[layer].block.output_count();
        self.shapes.resize(outputs.end, Shape::SCALAR);
        self.calls.push(Call { layer, inputs, outputs: outputs.clone() });
        outputs
    }

    /// The shape of a value, without the batch axis.
    pub fn shape(&self, value: usize) -> Shape {
        self.shapes[value]
    }

    /// The most numbers that a value has, for one sample.
    pub fn largest_value(&self) -> usize {
        let within = self.layers.iter().map(|entry| match &entry.block {
            Block::Model(model) => model.graph.largest_value(),
            _ => 0,
        });
        self.shapes.iter().map(Shape::count).chain(within).max().unwrap_or(0)
    }

    /// The shapes of the inputs, without the batch axis.
    pub fn input_shapes(&self) -> &[Shape] {
        &self.shapes[..self.inputs.len()]
    }

    /// The shapes of the outputs, without the batch axis.
    pub fn output_shapes(&self) -> Vec<Shape> {
        self.outputs.iter().map(|&value| self.shapes[value]).collect()
    }

    /// The names of the outputs, Keras's: that of the layer that gives it, with a number if it is not the first of that
    /// name; those of a model of several outputs by their own names behind it.
    pub fn output_names(&self) -> Vec<String> {
        let layers: Vec<String> = self.outputs.iter().map(|&value| self.value_name(value)).collect();
        let before = |i: usize| layers[..i].iter().filter(|name| **name == layers[i]).count();
        let numbered = |i| match before(i) {
            0 => layers[i].clone(),
            count => format!("{}_{count}", layers[i]),
        };
        (0..layers.len()).map(numbered).collect()
    }

    fn value_name(&self, value: usize) -> String {
        let Some((call, output)) = self.source(value) else { return self.inputs[value].name.clone() };
        let entry = &self.layers[call.layer];
        match &entry.block {
            Block::Model(model) if call.outputs.len() > 1 => {
                format!("{}_{}", entry.name, model.graph.output_names()[output])
            }
            _ => entry.name.clone(),
        }
    }

    /// Whether each layer is applied to what the one before gives, and to nothing else.
    pub fn is_chain(&self) -> bool {
        let next = |(i, call): (usize, &Call)| call.inputs == [i] && call.outputs == (i + 1..i + 2);
        let sizes = self.inputs.len() == 1 && self.calls.len() == self.layers.len();
        sizes && self.outputs == [self.calls.len()] && self.calls.iter().enumerate().all(next)
    }

    /// The call that gives a value, and which of its outputs the value is; none for an input.
    pub fn source(&self, value: usize) -> Option<(&Call, usize)> {
        let at = self.calls.partition_point(|call| call.outputs.end <= value);
        (value >= self.inputs.len()).then(|| (&self.calls[at], value - self.calls[at].outputs.start))
    }

    /// Every parameter, in the order of [`params`](Graph::params): what each step asks for, which has no use for paths.
    pub fn weights(&self) -> Vec<&Param> {
        self.layers.iter().flat_map(|e| e.block.weights()).collect()
    }

    /// Every parameter, to change.
    pub fn weights_mut(&mut self) -> Vec<&mut Param> {
        self.layers.iter_mut().flat_map(|e| e.block.weights_mut()).collect()
    }

    /// Every parameter with its path, `layer/name`, in the order of the layers.
    pub fn params(&self) -> Vec<(String, &Param)> {
        self.layers.iter().flat_map(|e| within(&e.name, e.block.params())).collect()
    }

    /// Every parameter, to change, with its path.
    pub fn params_mut(&mut self) -> Vec<(String, &mut Param)> {
        self.layers.iter_mut().flat_map(|e| within(&e.name, e.block.params_mut())).collect()
    }
}

/// Paths from a layer on as paths from the graph on.
fn within<P>(layer: &str, params: Vec<(String, P)>) -> impl Iterator<Item = (String, P)> {
    params.into_iter().map(move |(path, param)| (format!("{layer}/{path}"), param))
}
