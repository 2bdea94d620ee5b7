//! The functional way to write a model: [`Input`], layers applied to one another, [`Model::new`].

mod assemble;
mod layers;

pub use layers::{IntoLayer, Shared};

use cotangent_core::{Error, Result, Shape};
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

/// The inputs of functional models.
pub struct Input;

impl Input {
    /// An input of this shape (the batch axis left out), to apply layers to.
    ///
    /// ```
    /// use cotangent_core::Device;
    /// use cotangent_nn::{Activation::*, Dense, Flatten};
    /// use cotangent_train::{Input, Model, Seed};
    ///
    /// let inputs = Input::new([28, 28]);
    /// let x = inputs.apply(Flatten);
    /// let x = x.apply(Dense::new(128).activation(Relu));
    /// let outputs = x.apply(Dense::new(10).activation(Softmax));
    /// let model = Model::new(&inputs, &outputs, &Device::Cpu, Seed(0))?;
    /// assert_eq!(model.param_count(), 101_770);
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self)] // Keras's word for it
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Symbol {
        Symbol::input(None, shape.into())
    }

    /// An input under a name of its own, in place of `input_layer_1`.
    #[track_caller]
    pub fn named(name: impl Into<String>, shape: impl Into<Shape>) -> Symbol {
        Symbol::input(Some(name.into()), shape.into())
    }
}

/// A tensor that is not there yet: an input, or what layers will make of it.
///
/// Clones are the same tensor.
#[derive(Clone)]
pub struct Symbol {
    node: Rc<Node>,
    /// Which of the node's outputs.
    output: usize,
}

/// An input, or a layer applied to something.
struct Node {
    origin: Origin,
    /// The shapes of the outputs, without the batch axis, or why there are none.
    shapes: Result<Vec<Shape>, Arc<Error>>,
    /// Where the user wrote it.
    at: &'static Location<'static>,
}

enum Origin {
    Input { name: Option<String> },
    Call { layer: Shared, inputs: Vec<Symbol> },
}

/// A deep model is let go of without recursion.
impl Drop for Node {
    fn drop(&mut self) {
        let Origin::Call { inputs, .. } = &mut self.origin else { return };
        let mut open = std::mem::take(inputs);
        while let Some(symbol) = open.pop() {
            if let Some(Origin::Call { inputs, .. }) = Rc::into_inner(symbol.node).as_mut().map(|n| &mut n.origin) {
                open.append(inputs);
            }
        }
    }
}

impl Symbol {
    #[track_caller]
    fn input(name: Option<String>, shape: Shape) -> Self {
        let node = Node { origin: Origin::Input { name }, shapes: Ok(vec![shape]), at: Location::caller() };
        Self { node: Rc::new(node), output: 0 }
    }

    /// What `layer` makes of this: `x.apply(Dense::new(10))`. The layer is any [`Layer`](cotangent_nn::Layer), a
    /// [`Sequential`](crate::Sequential), a [`Model`](crate::Model), or [`Shared`].
    ///
    /// A layer that cannot take this shape is an error of [`Model::new`](crate::Model::new).
    #[track_caller]
    pub fn apply<K>(&self, layer: impl IntoLayer<K>) -> Symbol {
        Symbols::apply(self, layer)
    }

    /// The shape, the batch axis left out.
    ///
    /// # Panics
    /// If the layer that makes it, or one before, cannot take its input.
    #[track_caller]
    pub fn shape(&self) -> Shape {
        match &self.node.shapes {
            Ok(shapes) => shapes[self.output],
            Err(e) => panic!("{e}"),
        }
    }
}

/// One tensor that is not there yet, or several: `x`, `[&a, &b]`, a `Vec`.
///
/// ```
/// use cotangent_core::Device;
/// use cotangent_nn::{Activation::*, Concatenate, Dense};
/// use cotangent_train::{Input, Model, Seed, Symbols};
///
/// let (left, right) = (Input::new([3]), Input::new([5]));
/// let x = [&left, &right].apply(Concatenate::new());
/// assert_eq!(*x.shape(), [8]);
/// let (y, z) = (x.apply(Dense::new(2)), x.apply(Dense::new(1)));
/// let model = Model::new([&left, &right], [&y, &z], &Device::Cpu, Seed(0))?;
/// # Ok::<(), cotangent_core::Error>(())
/// ```
pub trait Symbols {
    /// All of them, in order.
    fn symbols(&self) -> Vec<Symbol>;

    /// What `layer` makes of them: a [`Merge`](cotangent_nn::Merge), or a model of several inputs.
    ///
    /// # Panics
    /// If it is a model of several outputs.
    #[track_caller]
    fn apply<K>(&self, layer: impl IntoLayer<K>) -> Symbol {
        let mut symbols = call(self.symbols(), layer.into_layer(), Location::caller());
        match symbols.len() {
            1 => symbols.remove(0),
            count => panic!("[apply] a model of {count} outputs makes no single one of its input: use `apply_all`"),
        }
    }

    /// What a model of several outputs makes of them, one for each output.
    #[track_caller]
    fn apply_all<K>(&self, layer: impl IntoLayer<K>) -> Vec<Symbol> {
        call(self.symbols(), layer.into_layer(), Location::caller())
    }
}

fn call(inputs: Vec<Symbol>, layer: Shared, at: &'static Location<'static>) -> Vec<Symbol> {
    let shapes: Result<Vec<Shape>, Arc<Error>> =
        inputs.iter().map(|x| x.node.shapes.as_ref().map(|all| all[x.output]).map_err(Arc::clone)).collect();
    let shapes = shapes.and_then(|shapes| layer.shapes(&shapes).map_err(Arc::new));
    let count = layer.output_count();
    let node = Rc::new(Node { origin: Origin::Call { layer, inputs }, shapes, at });
    (0..count).map(|output| Symbol { node: node.clone(), output }).collect()
}

impl Symbols for Symbol {
    fn symbols(&self) -> Vec<Symbol> {
        vec![self.clone()]
    }
}

impl Symbols for [Symbol] {
    fn symbols(&self) -> Vec<Symbol> {
        self.to_vec()
    }
}

impl Symbols for [&Symbol] {
    fn symbols(&self) -> Vec<Symbol> {
        self.iter().map(|&x| x.clone()).collect()
    }
}

impl<S, const N: usize> Symbols for [S; N]
where
    [S]: Symbols,
{
    fn symbols(&self) -> Vec<Symbol> {
        self.as_slice().symbols()
    }
}

impl<S> Symbols for Vec<S>
where
    [S]: Symbols,
{
    fn symbols(&self) -> Vec<Symbol> {
        self.as_slice().symbols()
    }
}

impl<S: Symbols + ?Sized> Symbols for &S {
    fn symbols(&self) -> Vec<Symbol> {
        (**self).symbols()
    }
}
