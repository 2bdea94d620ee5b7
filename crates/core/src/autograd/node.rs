//! [`Node`]: a tensor's place in the graph.

use super::mode::is_tracking;
use crate::inspect::{self, Origin};
use crate::{Spec, Tensor};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How a node's cotangent becomes its operands' cotangents: an op and what it saved, type erased.
pub(super) trait Rule: Send + Sync {
    /// The cotangents of the operands; `None` where `need` is false. `y` is the node's own place in the graph,
    /// for rules that read the result.
    fn vjp(&self, y: &Arc<Node>, dy: Tensor, need: &[bool]) -> Vec<Option<Tensor>>;
    /// Whether the rule is made of differentiable ops.
    fn second_order(&self) -> bool;
}

/// What a node is.
pub(super) enum Kind {
    /// A tensor that the user tracks.
    Leaf,
    /// The result of an op.
    Op {
        /// The operands' nodes; `None` for an operand outside the graph.
        inputs: Inputs,
        /// The rule; taken by the first backward pass, which frees what it saved.
        rule: Mutex<Option<Arc<dyn Rule>>>,
        /// Where the op ran, if anybody looked on.
        origin: Option<Box<Origin>>,
    },
    /// The result of an op that has no derivative.
    Barrier,
}

/// The nodes of an op's operands, in place where they are few: nearly all ops have at most three.
pub(super) enum Inputs {
    Few([Option<Arc<Node>>; 3], usize),
    Many(Vec<Option<Arc<Node>>>),
}

impl Inputs {
    pub(super) fn of(x: &[&Tensor]) -> Self {
        let node = |i: usize| x.get(i).and_then(|x| x.node.clone());
        match x.len() {
            count @ 0..=3 => Self::Few(std::array::from_fn(node), count),
            count => Self::Many((0..count).map(node).collect()),
        }
    }
}

impl Deref for Inputs {
    type Target = [Option<Arc<Node>>];
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Few(nodes, count) => &nodes[..*count],
            Self::Many(nodes) => nodes,
        }
    }
}

impl DerefMut for Inputs {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Few(nodes, count) => &mut nodes[..*count],
            Self::Many(nodes) => nodes,
        }
    }
}

/// A tensor's place in the graph: made by [`Tensor::tracked`] and by every op on a tracked tensor.
pub struct Node {
    /// Later nodes have greater numbers than all that they depend on.
    pub(super) seq: u64,
    pub(super) name: &'static str,
    pub(super) spec: Spec,
    pub(super) kind: Kind,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl Node {
    pub(super) fn new(name: &'static str, spec: Spec, kind: Kind) -> Arc<Self> {
        Arc::new(Self { seq: NEXT.fetch_add(1, Ordering::Relaxed), name, spec, kind })
    }

    /// The op that made it, or "leaf".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where the op ran, if anybody looked on.
    pub(crate) fn origin(&self) -> Option<&Origin> {
        match &self.kind {
            Kind::Op { origin, .. } => origin.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}#{} {} {}", self.name, self.seq, self.spec.dtype, self.spec.shape)
    }
}

/// Frees the graph below with a list instead of recursion, so that a chain of a million ops is no problem.
impl Drop for Node {
    fn drop(&mut self) {
        let mut waiting = Vec::new();
        release(&mut self.kind, &mut waiting);
        while let Some(mut node) = waiting.pop() {
            release(&mut node.kind, &mut waiting);
        }
    }
}

/// Moves the operands that nobody else holds to `waiting`, after what was saved is gone: the saved tensors hold the same
/// nodes, and must never be the last to do so.
fn release(kind: &mut Kind, waiting: &mut Vec<Node>) {
    if let Kind::Op { inputs, rule, .. } = kind {
        drop(rule.get_mut().map(Option::take));
        waiting.extend(inputs.iter_mut().filter_map(Option::take).filter_map(Arc::into_inner));
    }
}

impl Tensor {
    /// The same values as a leaf of a new graph: what [`backward`](Tensor::backward) gives gradients for.
    ///
    /// # Panics
    /// If the dtype is not a float.
    #[track_caller]
    pub fn tracked(&self) -> Tensor {
        if !self.dtype().is_float() {
            let message = format!("a {} tensor has no gradient; cast it to f32", self.dtype());
            cotangent_base::ShapeError::new("tracked", message).panic();
        }
        Tensor { node: Some(Node::new("leaf", self.spec(), Kind::Leaf)), ..self.clone() }
    }

    /// The same values outside any graph: a constant to backward.
    pub fn detach(&self) -> Tensor {
        self.with_layout(self.layout)
    }

    /// Whether the tensor is in a graph.
    pub fn is_tracked(&self) -> bool {
        self.node.is_some()
    }

    /// The leaf's number, the same for all clones and after updates in place; `None` if this is no leaf.
    pub fn leaf_id(&self) -> Option<u64> {
        self.node.as_ref().filter(|n| matches!(n.kind, Kind::Leaf)).map(|n| n.seq)
    }
}

/// Computes `y` from `x` by `name`, which has no derivative: if a loss depends on a tracked tensor through
/// it, backward says so instead of leaving the gradient out.
#[track_caller]
pub(crate) fn barrier(name: &'static str, x: &[&Tensor], y: impl FnOnce() -> Tensor) -> Tensor {
    let mut y = inspect::observe(name, x, y);
    if is_tracking() && x.iter().any(|x| x.is_tracked()) {
        y.node = Some(Node::new(name, y.spec(), Kind::Barrier));
    }
    y
}
