//! Do all parameters of a layer learn?

use crate::failure::{Failure, Kind};
use crate::problem::host;
use cotangent_core::Tensor;

/// Runs `loss` backward and checks that every parameter gets a gradient of its own shape that is finite and not 0
/// everywhere. `Err` lists those that do not, with the reason.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_gradcheck::{reach, sample};
/// let w = sample::uniform([3, 2], -1.0, 1.0, 1).tracked();
/// let b = sample::uniform([2], -1.0, 1.0, 2).tracked();
/// let x = sample::uniform([4, 3], -1.0, 1.0, 3);
/// let y = x.matmul(&w) + &b;
/// reach::all("dense", &(&y * &y).sum(..), &[("kernel", &w), ("bias", &b)])?;
///
/// let failure = reach::all("dense", &x.matmul(&w).sum(..), &[("kernel", &w), ("bias", &b)]).unwrap_err();
/// assert!(failure.to_string().contains("bias [2]: the loss does not depend on it"));
/// # Ok::<(), cotangent_gradcheck::Failure>(())
/// ```
///
/// # Panics
/// As [`Tensor::backward`] does.
#[track_caller]
pub fn all(layer: &str, loss: &Tensor, parameters: &[(&str, &Tensor)]) -> Result<(), Failure> {
    let grads = loss.backward();
    let problem = |p: &Tensor| match grads.get(p) {
        None if p.leaf_id().is_none() => Some("it is not a tracked leaf"),
        None => Some("the loss does not depend on it"),
        Some(g) if g.spec() != p.spec() => Some("its gradient has another shape or dtype"),
        Some(g) if host(g).iter().any(|g| !g.is_finite()) => Some("its gradient is not finite"),
        Some(g) if host(g).iter().all(|&g| g == 0.0) => Some("its gradient is 0 everywhere"),
        Some(_) => None,
    };
    let found: Vec<String> = parameters
        .iter()
        .filter_map(|(name, p)| problem(p).map(|why| format!("{name} {}: {why}", p.shape())))
        .collect();
    if found.is_empty() { Ok(()) } else { Err(Failure::new(layer, Kind::Parameters(found))) }
}
