//! [`Block`]: what a graph is made of.

use super::{Lazy, Site};
use crate::{Model, Sequential};
use cotangent_core::{Error, Result, Rng, Shape, Tensor};
use cotangent_nn::{Activation, Affine, Behind, Build, Layer, MaxPooling, Merge, Param, Pass};

/// A layer in the wide sense: all that can be applied to something.
pub(crate) enum Block {
    Layer(Box<dyn Layer>),
    Merge(Box<dyn Merge>),
    Model(Box<Model>),
    /// Becomes a model when it is built.
    Sequential(Box<Sequential>),
}

impl Block {
    /// The type that `summary` shows.
    pub fn kind(&self) -> &'static str {
        match self {
            Block::Layer(layer) => layer.kind(),
            Block::Merge(merge) => merge.kind(),
            Block::Model(model) => model.kind,
            Block::Sequential(_) => Sequential::KIND,
        }
    }

    /// The name that it was given.
    pub fn name(&self) -> Option<&str> {
        match self {
            Block::Layer(layer) => layer.name(),
            Block::Merge(merge) => merge.name(),
            Block::Model(model) => model.name.as_deref(),
            Block::Sequential(sequential) => sequential.name.as_deref(),
        }
    }

    pub fn output_count(&self) -> usize {
        match self {
            Block::Model(model) => model.graph.outputs.len(),
            _ => 1,
        }
    }

    /// Makes the parameters for inputs of these shapes and gives the shapes of the outputs, all without the batch
    /// axis.
    pub fn build(&mut self, inputs: &[Shape], site: &mut Site) -> Result<Vec<Shape>> {
        if let Block::Sequential(sequential) = self {
            *self = Block::Model(Box::new(sequential.build_at(site)?));
        }
        match self {
            Block::Layer(_) | Block::Merge(_) => self.make(inputs, &mut Build::new(&mut site.next_rng())),
            Block::Model(_) | Block::Sequential(_) => self.shapes(inputs),
        }
    }

    /// The shapes of the outputs for inputs of these shapes. Parameters that there are keep their values.
    ///
    /// Fails also if the layer's parameters would have other shapes than those that it has.
    pub fn shapes(&mut self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        match self {
            Block::Model(model) => model.accepts(inputs).map(|()| model.graph.output_shapes()),
            Block::Sequential(sequential) => sequential.shape(one(Sequential::KIND, inputs)?).map(|shape| vec![shape]),
            Block::Layer(_) | Block::Merge(_) => {
                let before: Vec<(String, Param)> = self.params().into_iter().map(|(n, p)| (n, p.clone())).collect();
                let shapes = self.make(inputs, &mut Build::shapes(&mut Rng::new(0)))?;
                if before.is_empty() {
                    return Ok(shapes);
                }
                let mut agree = Ok(());
                for ((path, was), (_, param)) in before.into_iter().zip(self.params_mut()) {
                    if was.value.shape() != param.value.shape() {
                        agree = Err(differs(&path, was.value.shape(), param.value.shape()));
                    }
                    *param = was;
                }
                agree.map(|()| shapes)
            }
        }
    }

    fn make(&mut self, inputs: &[Shape], build: &mut Build) -> Result<Vec<Shape>> {
        let shape = match self {
            Block::Layer(layer) => layer.build(one(layer.kind(), inputs)?, build)?,
            Block::Merge(merge) => merge.build(inputs, build)?,
            Block::Model(_) | Block::Sequential(_) => unreachable!("models make their layers"),
        };
        Ok(vec![shape])
    }

    /// The outputs for a batch of each input. What `pass` keeps is by the place in [`params`](Block::params).
    pub fn call(&self, x: &[&Tensor], pass: &mut Pass) -> Vec<Lazy> {
        match self {
            Block::Layer(layer) => vec![match self.call_with(x, &Tail::of(&**layer), pass) {
                Some(output) => output,
                None => Lazy { logits: layer.call(x[0], pass), activation: layer.activation() },
            }],
            Block::Merge(merge) => vec![Lazy { logits: merge.call(x, pass), activation: merge.activation() }],
            Block::Model(model) => model.graph.run(x, pass),
            Block::Sequential(_) => unreachable!("a model, once it is built"),
        }
    }

    /// What the layer and all of `tail` give, if the layer has a faster way to it. An activation other than a ReLU comes
    /// behind the pooling then.
    pub fn call_with(&self, x: &[&Tensor], tail: &Tail, pass: &mut Pass) -> Option<Lazy> {
        let Block::Layer(layer) = self else { return None };
        let &Tail { affine, activation, pooling } = tail;
        let relu = activation == Activation::Relu;
        let helps = affine.is_some() || relu || pooling.is_some();
        let logits = helps.then(|| layer.call_with(x[0], &Behind { affine, pooling, relu }, pass)).flatten()?;
        Some(Lazy { logits, activation: if relu { Activation::Linear } else { activation } })
    }

    /// The layer's own activation, for a graph to go on from; none where there is no `call_with`.
    pub fn tail(&self) -> Option<Tail<'_>> {
        match self {
            Block::Layer(layer) => Some(Tail::of(&**layer)),
            _ => None,
        }
    }

    /// The parameters.
    pub fn weights(&self) -> Vec<&Param> {
        match self {
            Block::Layer(layer) => layer.params(),
            Block::Merge(merge) => merge.params(),
            Block::Model(model) => model.graph.weights(),
            Block::Sequential(_) => Vec::new(),
        }
    }

    /// The parameters, to change.
    pub fn weights_mut(&mut self) -> Vec<&mut Param> {
        match self {
            Block::Layer(layer) => layer.params_mut(),
            Block::Merge(merge) => merge.params_mut(),
            Block::Model(model) => model.graph.weights_mut(),
            Block::Sequential(_) => Vec::new(),
        }
    }

    /// The parameters with their paths from here on.
    pub fn params(&self) -> Vec<(String, &Param)> {
        match self {
            Block::Model(model) => model.graph.params(),
            _ => self.weights().into_iter().map(|p| (p.name.to_owned(), p)).collect(),
        }
    }

    /// The parameters, to change, with their paths from here on.
    pub fn params_mut(&mut self) -> Vec<(String, &mut Param)> {
        match self {
            Block::Model(model) => model.graph.params_mut(),
            _ => self.weights_mut().into_iter().map(|p| (p.name.to_owned(), p)).collect(),
        }
    }
}

/// What comes behind a layer's own work: its activation and, if the graph has them there, an affine map, an activation that
/// is a layer and a max pooling. An activation that stands before the pooling keeps the order of numbers.
#[derive(Clone, Copy)]
pub(crate) struct Tail<'a> {
    affine: Option<Affine<'a>>,
    activation: Activation,
    pooling: Option<MaxPooling>,
}

impl<'a> Tail<'a> {
    fn of(layer: &dyn Layer) -> Self {
        Self { affine: None, activation: layer.activation(), pooling: None }
    }

    /// With the layer `next` at its end, if there is room for that.
    pub fn with(self, next: &'a Block) -> Option<Self> {
        let Block::Layer(next) = next else { return None };
        let linear = self.activation == Activation::Linear;
        match (next.affine(), next.max_pooling()) {
            (affine @ Some(_), _) if linear && self.affine.is_none() && self.pooling.is_none() => {
                Some(Self { affine, activation: next.activation(), pooling: None })
            }
            (None, None) if linear && next.is_activation() => Some(Self { activation: next.activation(), ..self }),
            (None, pooling @ Some(_)) if self.pooling.is_none() && self.activation.keeps_order() => {
                Some(Self { pooling, ..self })
            }
            _ => None,
        }
    }
}

/// The only one of `inputs`.
fn one(kind: &'static str, inputs: &[Shape]) -> Result<Shape> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(Error::new(kind, format!("takes one input, is applied to {}", inputs.len()))
            .hint("make one of them first: `[&a, &b].apply(Concatenate::new())`")),
    }
}

fn differs(path: &str, was: Shape, would_be: Shape) -> Error {
    let message = format!("its {path} is {was} where it is applied first, and would be {would_be} here");
    Error::new("shared layer", message).hint("what shares a layer must have the sizes that its parameters follow from")
}
