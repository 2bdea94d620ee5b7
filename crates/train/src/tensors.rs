//! [`Tensors`]: what models of several inputs or outputs are given and give.

use cotangent_core::Tensor;

/// One tensor or several, for a model's inputs or outputs in their order: `&x`, `[&a, &b]`, a `Vec`.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_train::Tensors;
/// let (a, b) = (Tensor::zeros([2, 3]), Tensor::zeros([2]));
/// assert_eq!(Tensors::from(&a).list().len(), 1);
/// assert_eq!(Tensors::from([&a, &b]).list().len(), 2);
/// assert_eq!(Tensors::from(vec![a, b]).list().len(), 2);
/// ```
#[derive(Clone)]
pub struct Tensors(Vec<Tensor>);

impl Tensors {
    /// All of them.
    pub fn list(&self) -> &[Tensor] {
        &self.0
    }
}

impl From<Vec<Tensor>> for Tensors {
    fn from(list: Vec<Tensor>) -> Self {
        Self(list)
    }
}

impl From<&[&Tensor]> for Tensors {
    fn from(list: &[&Tensor]) -> Self {
        Self(list.iter().map(|&x| x.clone()).collect())
    }
}

impl From<&[Tensor]> for Tensors {
    fn from(list: &[Tensor]) -> Self {
        Self(list.to_vec())
    }
}

impl From<&Vec<Tensor>> for Tensors {
    fn from(list: &Vec<Tensor>) -> Self {
        Self(list.clone())
    }
}

impl<const N: usize> From<[&Tensor; N]> for Tensors {
    fn from(list: [&Tensor; N]) -> Self {
        Self(list.map(Tensor::clone).into())
    }
}

impl<const N: usize> From<[Tensor; N]> for Tensors {
    fn from(list: [Tensor; N]) -> Self {
        Self(list.into())
    }
}

impl From<&Tensor> for Tensors {
    fn from(x: &Tensor) -> Self {
        Self(vec![x.clone()])
    }
}

impl From<&Tensors> for Tensors {
    fn from(list: &Tensors) -> Self {
        list.clone()
    }
}
