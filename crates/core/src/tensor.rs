//! [`Tensor`]: a cheap handle on an immutable buffer, a layout, and perhaps a place in a graph.

use crate::autograd::Node;
use crate::device::{Device, Storage};
use crate::inspect;
use cotangent_base::{DType, Layout, Shape, ShapeError};
use std::sync::Arc;

/// An n-dimensional array of numbers.
///
/// Cloning is cheap: the memory is shared and never changes while it is. Views (`reshape`, `transpose`,
/// `narrow`, …) share it too. A tensor that was [tracked](Tensor::tracked), or computed from one, carries its
/// place in the graph that [`backward`](Tensor::backward) walks.
///
/// Operations panic at the caller's line when shapes, dtypes or devices do not fit; each op's `infer` says the
/// same as a `Result` beforehand.
#[derive(Clone)]
pub struct Tensor {
    pub(crate) storage: Arc<Storage>,
    pub(crate) layout: Layout,
    pub(crate) dtype: DType,
    pub(crate) node: Option<Arc<Node>>,
}

/// What an op knows of an operand before computing: its shape and dtype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The sizes of the axes.
    pub shape: Shape,
    /// The element type.
    pub dtype: DType,
}

impl Spec {
    /// A spec of this shape and dtype.
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Self {
        Self { shape: shape.into(), dtype }
    }
}

impl Tensor {
    /// A contiguous tensor over the whole of `storage`.
    pub(crate) fn from_storage(storage: Storage, spec: Spec) -> Self {
        let storage = Arc::new(storage);
        inspect::born(&storage, spec);
        Self { storage, layout: Layout::contiguous(spec.shape), dtype: spec.dtype, node: None }
    }

    /// The same memory under another layout, outside any graph.
    pub(crate) fn with_layout(&self, layout: Layout) -> Self {
        Self { storage: self.storage.clone(), layout, dtype: self.dtype, node: None }
    }

    /// The sizes of the axes.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// The sizes of the axes, as many as there are names for.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let [rows, columns] = Tensor::zeros([2, 3]).dims();
    /// assert_eq!((rows, columns), (2, 3));
    /// ```
    ///
    /// # Panics
    /// If the rank is not `N`.
    #[track_caller]
    pub fn dims<const N: usize>(&self) -> [usize; N] {
        match (*self.shape()).try_into() {
            Ok(dims) => dims,
            Err(_) => ShapeError::new("dims", format!("{} does not have {N} axes", self.shape())).panic(),
        }
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }

    /// The number of elements.
    pub fn count(&self) -> usize {
        self.shape().count()
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where the memory is.
    pub fn device(&self) -> Device {
        self.storage.device()
    }

    /// Shape and dtype.
    pub fn spec(&self) -> Spec {
        Spec { shape: self.shape(), dtype: self.dtype }
    }

    /// Whether the elements lie in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// Strides and offset of this view, in elements.
    pub fn layout(&self) -> Layout {
        self.layout
    }
}
