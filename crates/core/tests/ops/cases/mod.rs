//! The table: every differentiable op with operands away from its kinks.

mod nn;
mod pointwise;
mod structure;

use cotangent_core::Tensor;

type Function = Box<dyn Fn(&[Tensor]) -> Tensor>;

/// One op on some f64 operands, all of which the result depends on.
pub struct Case {
    pub name: &'static str,
    pub f: Function,
    pub x: Vec<Tensor>,
}

pub fn case<const N: usize>(name: &'static str, x: [Tensor; N], f: impl Fn(&[Tensor]) -> Tensor + 'static) -> Case {
    Case { name, f: Box::new(f), x: x.into() }
}

pub fn all() -> impl Iterator<Item = Case> {
    pointwise::cases().into_iter().chain(structure::cases()).chain(nn::cases())
}
