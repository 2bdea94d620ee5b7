//! Checks of derivatives: does an op's rule give the derivative of the op's value?
//!
//! # How to check your own op
//!
//! Five lines, in a test of your own. The first gives numbers to check at, in `f64` and away from kinks; the second
//! compares the rule with differences of the value; the third does the same for the rule's own derivative. (In your
//! program the names are `cotangent::gradcheck::…` and `cotangent::Tensor`.)
//!
//! ```
//! use cotangent_gradcheck::{gradcheck, gradgradcheck, sample};
//! # use cotangent_core::Tensor;
//! # fn cube(x: &Tensor) -> Tensor { x * x * x }
//!
//! let x = sample::uniform([3, 4], -2.0, 2.0, 7);
//! gradcheck("cube", |[x]| cube(x), [&x])?;
//! gradgradcheck("cube", |[x]| cube(x), [&x])?;
//! # Ok::<(), cotangent_gradcheck::Failure>(())
//! ```
//!
//! A rule that is wrong is refused with the place and, where the numbers tell, the cause:
//!
//! ```
//! use cotangent_core::{Lane, Saves, Unary, unary};
//! use cotangent_gradcheck::{gradcheck, sample};
//!
//! #[derive(Clone, Copy)]
//! struct Cube;
//! impl Unary for Cube {
//!     const NAME: &'static str = "cube";
//!     const SAVES: Saves = Saves::Inputs;
//!     fn forward<L: Lane>(self, x: L) -> L {
//!         x * x * x
//!     }
//!     fn vjp<L: Lane>(self, x: L, dy: L) -> L {
//!         x * x * dy // the factor 3 is forgotten
//!     }
//! }
//!
//! let x = sample::uniform([4], 1.0, 2.0, 7);
//! let failure = gradcheck("cube", |[x]| unary(Cube, x), [&x]).unwrap_err();
//! assert!(failure.to_string().contains("3 times too small"), "{failure}");
//! ```
//!
//! [`Check`] has the knobs: tolerances, the step, the method, the seed. [`pointwise`] compares pointwise ops with
//! exact derivatives, without a step. [`reach`] finds parameters that get no gradient.

mod cause;
mod check;
pub mod compare;
mod direction;
mod failure;
mod jacobian;
mod numeric;
mod outputs;
pub mod pointwise;
mod problem;
pub mod reach;
pub mod sample;

pub use cause::Cause;
pub use check::{Check, Method, Passed, gradcheck, gradgradcheck};
pub use failure::{Failure, Kind, Mismatch};
pub use outputs::Outputs;
