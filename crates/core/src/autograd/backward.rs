//! The backward pass: cotangents flow from the loss to the leaves, latest node first.

use super::grads::Grads;
use super::mode::with_tracking;
use super::node::{Kind, Node, Rule};
use crate::{Tensor, inspect, kernels};
use cotangent_base::Shape;
use std::collections::HashMap;
use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt;
use std::sync::Arc;

/// How often the result of [`grad`] can be differentiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Not again: the graph gives up what it saved, as early as it can.
    First,
    /// Again: the gradients are computed by recorded ops, and the graph stays.
    Second,
}

/// Why there is no gradient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GradError {
    /// The loss depends on a tracked tensor through an op that has no derivative.
    NoDerivative {
        /// The op.
        op: &'static str,
    },
    /// The op's rule cannot be differentiated in turn.
    NoSecondOrder {
        /// The op.
        op: &'static str,
    },
    /// An earlier backward pass has used the graph up.
    Spent {
        /// The first op that has given up what it saved.
        op: &'static str,
    },
    /// The loss is not tracked: nothing it was computed from is.
    Untracked,
    /// The loss has more than one element.
    NotScalar {
        /// Its shape.
        shape: Shape,
    },
    /// The loss does not depend on this tensor.
    Unreached {
        /// Which of the tensors asked for.
        index: usize,
        /// Its shape.
        shape: Shape,
    },
}

impl fmt::Display for GradError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoDerivative { op } => write!(
                f,
                "[{op}] has no derivative, and the loss depends on a tracked tensor through it; \
                 call `.detach()` on its operand if a constant is meant"
            ),
            Self::NoSecondOrder { op } => write!(f, "[{op}] has no second derivative"),
            Self::Spent { op } => write!(
                f,
                "[{op}] has given up what it saved: backward has already run through this graph; \
                 compute the loss again, or use `grad` with `Order::Second`"
            ),
            Self::Untracked => write!(
                f,
                "[backward] the loss is not tracked: nothing it was computed from is `.tracked()`, \
                 or it was computed under `no_grad`"
            ),
            Self::NotScalar { shape } => {
                write!(
                    f,
                    "[backward] the loss has shape {shape}, not one element; reduce it with `.sum(..)` or `.mean(..)`"
                )
            }
            Self::Unreached { index, shape } => {
                write!(f, "[grad] the loss does not depend on tensor {index}, of shape {shape}")
            }
        }
    }
}

impl std::error::Error for GradError {}

impl From<GradError> for cotangent_base::Error {
    fn from(e: GradError) -> Self {
        cotangent_base::Error::new("backward", e.to_string())
    }
}

impl Tensor {
    /// The gradients of this scalar with respect to every tracked leaf it depends on. The graph is used up.
    ///
    /// # Panics
    /// With the text of a [`GradError`].
    #[track_caller]
    pub fn backward(&self) -> Grads {
        self.backward_from(None)
    }

    /// As [`backward`](Tensor::backward), for a result of any shape, weighted by the cotangent `dy`: the gradient
    /// of `Σ dy·y`.
    ///
    /// # Panics
    /// If `dy` has another shape or dtype, or with the text of a [`GradError`].
    #[track_caller]
    pub fn backward_with(&self, dy: &Tensor) -> Grads {
        assert_eq!(self.spec(), dy.spec(), "[backward_with] the cotangent has another shape or dtype");
        self.backward_from(Some(dy.detach()))
    }

    #[track_caller]
    fn backward_from(&self, dy: Option<Tensor>) -> Grads {
        let result = seed(self, dy).and_then(|(node, dy)| Pass::new(Order::First, &[]).run(node, dy));
        match result {
            Ok(pass) => Grads(pass.leaves),
            Err(e) => panic!("{e}"),
        }
    }
}

/// The gradients of the scalar `y` with respect to each of `x`, which may be leaves or anything on the way.
///
/// With [`Order::Second`] the gradients are tracked and can be differentiated again.
///
/// ```
/// use cotangent_core::{grad, Order, Tensor};
/// let x = Tensor::scalar(2.0_f64).tracked();
/// let dy = grad(&(&x * &x * &x), &[&x], Order::Second)?.remove(0); // 3x²
/// let ddy = grad(&dy, &[&x], Order::First)?.remove(0);             // 6x
/// assert_eq!((dy.item(), ddy.item()), (12.0, 12.0));
/// # Ok::<(), cotangent_core::GradError>(())
/// ```
pub fn grad(y: &Tensor, x: &[&Tensor], order: Order) -> Result<Vec<Tensor>, GradError> {
    let ids: Vec<Option<u64>> = x.iter().map(|x| x.node.as_ref().map(|n| n.seq)).collect();
    let wanted: Vec<u64> = ids.iter().copied().flatten().collect();
    let (node, dy) = seed(y, None)?;
    let pass = Pass::new(order, &wanted).run(node, dy)?;
    let find = |(index, id): (usize, &Option<u64>)| {
        let found = id.and_then(|id| pass.wanted.get(&id).cloned().flatten());
        found.ok_or(GradError::Unreached { index, shape: x[index].shape() })
    };
    ids.iter().enumerate().map(find).collect()
}

/// Where the pass starts: the result's node and its cotangent, 1 for a scalar.
fn seed(y: &Tensor, dy: Option<Tensor>) -> Result<(Arc<Node>, Tensor), GradError> {
    let node = y.node.clone().ok_or(GradError::Untracked)?;
    match dy {
        Some(dy) => Ok((node, dy)),
        None if y.count() == 1 => Ok((node, y.ones_like())),
        None => Err(GradError::NotScalar { shape: y.shape() }),
    }
}

/// The state of one backward pass.
struct Pass {
    order: Order,
    /// Nodes that a cotangent has reached, by their number, and the sum of what has reached them.
    pending: BTreeMap<u64, (Arc<Node>, Tensor)>,
    leaves: HashMap<u64, Tensor>,
    /// The cotangents of the nodes asked for.
    wanted: HashMap<u64, Option<Tensor>>,
}

impl Pass {
    fn new(order: Order, wanted: &[u64]) -> Self {
        Self {
            order,
            pending: BTreeMap::new(),
            leaves: HashMap::new(),
            wanted: wanted.iter().map(|&id| (id, None)).collect(),
        }
    }

    fn run(mut self, root: Arc<Node>, dy: Tensor) -> Result<Self, GradError> {
        self.add(&root, dy);
        drop(root);
        with_tracking(self.order == Order::Second, || {
            while let Some((_, (node, dy))) = self.pending.pop_last() {
                self.visit(node, dy)?;
            }
            inspect::backward_done();
            Ok(self)
        })
    }

    fn visit(&mut self, node: Arc<Node>, dy: Tensor) -> Result<(), GradError> {
        debug_assert_eq!(dy.spec(), node.spec, "the cotangent of [{}]", node.name);
        if let Some(slot) = self.wanted.get_mut(&node.seq) {
            *slot = Some(dy.clone());
        }
        match &node.kind {
            Kind::Leaf => {
                self.leaves.insert(node.seq, dy);
                Ok(())
            }
            Kind::Barrier => Err(GradError::NoDerivative { op: node.name }),
            Kind::Op { inputs, .. } => {
                let rule = self.rule(&node)?;
                let need: Vec<bool> = inputs.iter().map(Option::is_some).collect();
                let cotangents = vjp(rule, &node, dy, &need);
                for (input, dx) in inputs.iter().zip(cotangents) {
                    if let (Some(input), Some(dx)) = (input, dx) {
                        self.add(input, dx);
                    }
                }
                Ok(())
            }
        }
    }

    fn rule(&self, node: &Node) -> Result<Arc<dyn Rule>, GradError> {
        let Kind::Op { rule, .. } = &node.kind else { unreachable!("only ops have rules") };
        let mut slot = rule.lock().unwrap_or_else(|e| e.into_inner());
        match self.order {
            Order::First => slot.take().ok_or(GradError::Spent { op: node.name }),
            Order::Second => {
                let rule = slot.clone().ok_or(GradError::Spent { op: node.name })?;
                if rule.second_order() { Ok(rule) } else { Err(GradError::NoSecondOrder { op: node.name }) }
            }
        }
    }

    /// The first cotangent of a node moves in; the next adds, in the memory of either where no one else can see it.
    fn add(&mut self, node: &Arc<Node>, dx: Tensor) {
        match self.pending.entry(node.seq) {
            Entry::Vacant(place) => {
                place.insert((node.clone(), dx));
            }
            Entry::Occupied(mut place) => {
                let (_, sum) = place.get_mut();
                match self.order {
                    Order::First => accumulate(node, sum, dx),
                    Order::Second => *sum = &*sum + &dx,
                }
            }
        }
    }
}

/// The cotangents of a node's operands. What the rule saved goes before the next op computes.
fn vjp(rule: Arc<dyn Rule>, node: &Arc<Node>, dy: Tensor, need: &[bool]) -> Vec<Option<Tensor>> {
    let Some(watched) = inspect::watch_vjp(node, &dy) else {
        return rule.vjp(node, dy, need);
    };
    let kept = watched.wants_operands().then(|| dy.clone());
    let cotangents = rule.vjp(node, dy, need);
    let results: Vec<Option<&Tensor>> = cotangents.iter().map(Option::as_ref).collect();
    watched.end(&kept.iter().collect::<Vec<_>>(), &results);
    cotangents
}

/// `sum + dx`, in the memory of either where no one else can see it.
fn accumulate(node: &Node, sum: &mut Tensor, dx: Tensor) {
    let watched = inspect::watch_sum(node, [sum, &dx]);
    let kept = watched.as_ref().filter(|w| w.wants_values()).map(|_| [sum.clone(), dx.clone()]);
    kernels::accumulate(sum, dx);
    if let Some(watched) = watched {
        watched.end(&kept.iter().flatten().collect::<Vec<_>>(), &[Some(sum)]);
    }
}
