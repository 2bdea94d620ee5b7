//! [`Model::new`]: from symbols to a graph.

use super::{Node, Origin, Symbol, Symbols};
use crate::graph::{Graph, Site};
use crate::{Model, Seed};
use cotangent_core::{Device, Error, Result, Rng};
use std::collections::HashMap;
use std::rc::Rc;

impl Model {
    /// The model that makes `outputs` of `inputs`, with the parameters of all layers between them.
    ///
    /// Takes the layers with it: they cannot be part of another model afterwards, but this model can. (Give a model
    /// that is built for that another seed than the one around it, lest both begin with the same numbers.)
    ///
    /// Fails if a layer cannot take what it is applied to, an output depends on an input that is not listed, no output
    /// depends on one that is, two layers have the same name, or a layer belongs to another model.
    pub fn new(inputs: impl Symbols, outputs: impl Symbols, device: &Device, seed: Seed) -> Result<Self> {
        let mut graph = assemble(&inputs.symbols(), &outputs.symbols())?;
        let mut site = Site::new(*device, Rng::new(seed.0));
        graph.build(&mut site)?;
        Model::built("Functional", None, graph, &site)
    }
}

/// A place in memory, which tells a node or a layer from others.
type Id = *const ();

fn id(symbol: &Symbol) -> Id {
    Rc::as_ptr(&symbol.node).cast()
}

/// The graph, not yet built, that leads from `inputs` to `outputs`.
fn assemble(inputs: &[Symbol], outputs: &[Symbol]) -> Result<Graph> {
    if inputs.is_empty() || outputs.is_empty() {
        return Err(Error::new("Model::new", "a model needs at least one input and one output"));
    }
    let order = order(outputs);
    check(inputs, &order)?;
    let port = |x: &Symbol| match &x.node.origin {
        Origin::Input { name } => (name.clone(), x.shape()),
        Origin::Call { .. } => unreachable!("checked"),
    };
    let mut graph = Graph::new(inputs.iter().map(port));
    // the first value of each node, the place of each layer
    let mut values: HashMap<Id, usize> = inputs.iter().enumerate().map(|(i, x)| (id(x), i)).collect();
    let mut layers: HashMap<Id, usize> = HashMap::new();
    for symbol in &order {
        let Origin::Call { layer, inputs } = &symbol.node.origin else { continue };
        let place = match layers.get(&layer.id()) {
            Some(&place) => place,
            None => graph.add(layer.take()?),
        };
        layers.insert(layer.id(), place);
        let operands = inputs.iter().map(|x| values[&id(x)] + x.output).collect();
        values.insert(id(symbol), graph.apply(place, operands).start);
    }
    graph.outputs = outputs.iter().map(|x| values[&id(x)] + x.output).collect();
    Ok(graph)
}

/// A symbol of every node that the outputs depend on, each after those that it depends on.
fn order(outputs: &[Symbol]) -> Vec<Symbol> {
    let mut order = Vec::new();
    let mut seen: HashMap<Id, bool> = HashMap::new(); // whether it is in the order already
    let mut open: Vec<Symbol> = outputs.iter().rev().cloned().collect();
    while let Some(symbol) = open.last().cloned() {
        match seen.insert(id(&symbol), true) {
            None => {
                seen.insert(id(&symbol), false);
                if let Origin::Call { inputs, .. } = &symbol.node.origin {
                    open.extend(inputs.iter().rev().filter(|x| !seen.contains_key(&id(x))).cloned());
                }
            }
            Some(done) => {
                open.pop();
                if !done {
                    order.push(symbol);
                }
            }
        }
    }
    order
}

/// Whether `inputs` are the inputs of what is in `order`, and the layers there are still to be had.
fn check(inputs: &[Symbol], order: &[Symbol]) -> Result<()> {
    let refuse = |message: String, hint: &str| Err(Error::new("Model::new", message).hint(hint));
    for (i, input) in inputs.iter().enumerate() {
        let what = format!("inputs[{i}], {}", describe(&input.node));
        if !matches!(input.node.origin, Origin::Input { .. }) {
            return refuse(format!("{what}, is no input"), "list what `Input::new` gave");
        }
        if inputs[..i].iter().any(|other| id(other) == id(input)) {
            return refuse(format!("{what}, is listed twice"), "list each input once");
        }
        if !order.iter().any(|x| id(x) == id(input)) {
            return refuse(format!("no output depends on {what}"), "leave it out, or apply a layer to it");
        }
    }
    for symbol in order {
        match &symbol.node.origin {
            Origin::Input { .. } if !inputs.iter().any(|x| id(x) == id(symbol)) => {
                let message = format!("the outputs depend on an input that is not listed: {}", describe(&symbol.node));
                return refuse(message, "list every input: `Model::new([&a, &b], …)`");
            }
            Origin::Call { layer, .. } if layer.is_taken() => {
                layer.take().map_err(|e| Error::new("Model::new", describe(&symbol.node)).because(e))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a node is, and where it was written.
fn describe(node: &Node) -> String {
    let shape = node.shapes.as_ref().map_or("of unknown shape".into(), |shapes| shapes[0].of_batch());
    match &node.origin {
        Origin::Input { name: Some(name) } => format!("`{name}` {shape} (made at {})", node.at),
        Origin::Input { name: None } => format!("{shape} (made at {})", node.at),
        Origin::Call { .. } => format!("{shape} (applied at {})", node.at),
    }
}
