//! Cotangent's tensors and reverse-mode differentiation. Users find all of it in the crate `cotangent`.

mod autograd;
mod capture;
mod create;
mod device;
mod display;
pub mod inspect;
mod kernels;
pub mod ops;
mod tensor;
mod update;

pub use autograd::{GradError, Grads, Node, Op, Order, Saved, apply, apply_variadic, grad, is_tracking, no_grad};
pub use capture::{Capture, Carry, Ledger};
pub use cotangent_base::{
    Axes, Binary, DType, DataFormat, Element, Error, IntegerOp, Lane, Layout, MatmulPrecision, Padding, Result, Rng,
    Saves, Shape, ShapeError, Stream, Unary, Update, WindowSpec,
};
pub use device::Device;
pub use ops::{Conv2dSpec, IntoAxes, Operand, binary, unary};
pub use tensor::{Spec, Tensor};
pub use update::Move;
