//! Reverse-mode differentiation: what the graph is ([`node`](self)), what an op must say ([`Op`]), how the
//! cotangents flow back ([`grad`], [`Tensor::backward`](crate::Tensor::backward)), and how to stay outside ([`no_grad`]).
//!
//! The graph stands beside the values: a tensor that was computed from a tracked one holds a node, the node
//! holds its operands' nodes and what its op declared saved. Backward visits nodes in falling order of their
//! sequence number, so it needs no recursion and no topological sort.

mod backward;
mod grads;
mod mode;
mod node;
mod op;

pub use backward::{GradError, Order, grad};
pub use grads::Grads;
pub use mode::{is_tracking, no_grad};
pub use node::Node;
pub(crate) use node::barrier;
pub(crate) use op::same_device;
pub use op::{Op, Saved, apply, apply_variadic};
