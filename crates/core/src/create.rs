//! Making tensors from nothing, and getting numbers out of them.

use crate::autograd::barrier;
use crate::device::Device;
use crate::kernels;
use crate::{Spec, Tensor};
use cotangent_base::{DType, Draw, Element, Result, Rng, Shape, ShapeError};

impl Tensor {
    /// The numbers in `values`, row-major, as a tensor of `shape`.
    ///
    /// ```
    /// # use cotangent_core::Tensor;
    /// let x = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0], [2, 2]);
    /// assert_eq!(x.to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// If the number of values is not the shape's count.
    #[track_caller]
    pub fn from_slice<T: Element>(values: &[T], shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        if values.len() != shape.count() {
            let message = format!("{} values do not fill {shape}, which has {}", values.len(), shape.count());
            ShapeError::new("from_slice", message).panic();
        }
        kernels::upload(&Device::Cpu, values, shape).expect("the CPU's memory takes a copy")
    }

    /// The numbers in `values` as a tensor with one axis.
    pub fn from_vec<T: Element>(values: Vec<T>) -> Self {
        Self::from_slice(&values, [values.len()])
    }

    /// One number as a tensor without axes.
    pub fn scalar<T: Element>(value: T) -> Self {
        Self::from_slice(&[value], Shape::SCALAR)
    }

    /// `value` everywhere.
    pub fn full(shape: impl Into<Shape>, value: f64, dtype: DType) -> Self {
        kernels::fill(&Device::Cpu, Spec::new(shape, dtype), value)
    }

    /// f32 zeros.
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, 0.0, DType::F32)
    }

    /// f32 ones.
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(shape, 1.0, DType::F32)
    }

    /// `value` everywhere in a new tensor of `shape`, with the dtype of `self` and on its device.
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// let x = Tensor::zeros([2]).new_full([3], 0.5);
    /// assert_eq!((x.dtype(), x.to_vec::<f32>()), (DType::F32, vec![0.5; 3]));
    /// ```
    pub fn new_full(&self, shape: impl Into<Shape>, value: f64) -> Self {
        kernels::fill(&self.device(), Spec::new(shape, self.dtype()), value)
    }

    /// Zeros with the shape and dtype of `self`, on its device.
    pub fn zeros_like(&self) -> Self {
        self.new_full(self.shape(), 0.0)
    }

    /// Ones with the shape and dtype of `self`, on its device.
    pub fn ones_like(&self) -> Self {
        self.new_full(self.shape(), 1.0)
    }

    /// `start, start + step, …` below `end` (above, if `step` is negative).
    ///
    /// ```
    /// # use cotangent_core::{DType, Tensor};
    /// assert_eq!(Tensor::arange(0.0, 1.0, 0.25, DType::F64).to_vec::<f64>(), [0.0, 0.25, 0.5, 0.75]);
    /// ```
    ///
    /// # Panics
    /// If `step` is 0 or not finite.
    #[track_caller]
    pub fn arange(start: f64, end: f64, step: f64, dtype: DType) -> Self {
        let count = ((end - start) / step).ceil();
        if !count.is_finite() {
            ShapeError::new("arange", format!("no finite count from {start} to {end} by {step}")).panic();
        }
        kernels::arange(&Device::Cpu, count.max(0.0) as usize, start, step, dtype)
    }

    /// `count` numbers evenly spread from `start` to `end`, both included.
    pub fn linspace(start: f64, end: f64, count: usize, dtype: DType) -> Self {
        let step = if count > 1 { (end - start) / (count - 1) as f64 } else { 0.0 };
        let mut values: Vec<f64> = (0..count).map(|i| start + i as f64 * step).collect();
        if count > 1 {
            values[count - 1] = end;
        }
        Self::from_vec(values).cast(dtype)
    }

    /// The n × n identity matrix.
    pub fn eye(n: usize, dtype: DType) -> Self {
        let index = Self::arange(0.0, n as f64, 1.0, DType::I64);
        index.reshape([n, 1]).eq(&index).cast(dtype)
    }

    /// Uniform random numbers in `[low, high)`.
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64, dtype: DType, rng: &mut Rng) -> Self {
        kernels::random(&Device::Cpu, Draw::Uniform { low, high }, Spec::new(shape, dtype), rng.next_stream())
    }

    /// Normal random numbers.
    pub fn normal(shape: impl Into<Shape>, mean: f64, std: f64, dtype: DType, rng: &mut Rng) -> Self {
        kernels::random(&Device::Cpu, Draw::Normal { mean, std }, Spec::new(shape, dtype), rng.next_stream())
    }

    /// 1 with probability `p`, else 0.
    pub fn bernoulli(shape: impl Into<Shape>, p: f64, dtype: DType, rng: &mut Rng) -> Self {
        kernels::random(&Device::Cpu, Draw::Bernoulli { p }, Spec::new(shape, dtype), rng.next_stream())
    }

    /// Uniform random numbers in `[low, high)` with the shape and dtype of `self`, on its device. All devices draw the
    /// same ones.
    pub fn uniform_like(&self, low: f64, high: f64, rng: &mut Rng) -> Self {
        kernels::random(&self.device(), Draw::Uniform { low, high }, self.spec(), rng.next_stream())
    }

    /// Normal random numbers with the shape and dtype of `self`, on its device. All devices draw the same ones.
    pub fn normal_like(&self, mean: f64, std: f64, rng: &mut Rng) -> Self {
        kernels::random(&self.device(), Draw::Normal { mean, std }, self.spec(), rng.next_stream())
    }

    /// 1 with probability `p`, else 0, with the shape and dtype of `self`, on its device. All devices draw the same ones.
    pub fn bernoulli_like(&self, p: f64, rng: &mut Rng) -> Self {
        kernels::random(&self.device(), Draw::Bernoulli { p }, self.spec(), rng.next_stream())
    }

    /// The numbers 0 .. n in random order, as i64.
    pub fn permutation(n: usize, rng: &mut Rng) -> Self {
        Self::from_vec(rng.permutation(n).into_iter().map(|i| i as i64).collect())
    }

    /// A copy on `device`; the same tensor if it is there already. The copy is a constant to derivatives: move what a
    /// graph begins with, then [`track`](Tensor::tracked) it.
    ///
    /// # Errors
    /// If the device has too little memory, or fails.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        if *device == self.device() {
            return Ok(self.clone());
        }
        let moved = kernels::transfer(self, device)?;
        Ok(barrier("to_device", &[self], || moved))
    }

    /// The elements, row-major.
    ///
    /// # Panics
    /// If `T` is not the tensor's dtype: [`cast`](Tensor::cast) first.
    #[track_caller]
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        if T::DTYPE != self.dtype() {
            let message = format!("the tensor is {}, not {}; cast first", self.dtype(), T::DTYPE);
            ShapeError::new("to_vec", message).panic();
        }
        kernels::download(self)
    }

    /// The only element, as an `f64` whatever the dtype.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> f64 {
        if self.count() != 1 {
            ShapeError::new("item", format!("{} has {} elements, not one", self.shape(), self.count())).panic();
        }
        kernels::download::<f64>(&kernels::cast(self, DType::F64))[0]
    }
}

/// A tensor with one axis.
impl<T: Element> From<Vec<T>> for Tensor {
    fn from(values: Vec<T>) -> Self {
        Tensor::from_vec(values)
    }
}

/// Nested arrays as tensors with one, two and three axes.
macro_rules! from_arrays {
    ($($t:ty),*) => {$(
        impl<const N: usize> From<[$t; N]> for Tensor {
            fn from(values: [$t; N]) -> Self {
                Tensor::from_slice(&values, [N])
            }
        }
        impl<const M: usize, const N: usize> From<[[$t; N]; M]> for Tensor {
            fn from(values: [[$t; N]; M]) -> Self {
                Tensor::from_slice(values.as_flattened(), [M, N])
            }
        }
        impl<const L: usize, const M: usize, const N: usize> From<[[[$t; N]; M]; L]> for Tensor {
            fn from(values: [[[$t; N]; M]; L]) -> Self {
                Tensor::from_slice(values.as_flattened().as_flattened(), [L, M, N])
            }
        }
    )*};
}
from_arrays!(f32, f64, u32, i64, u8, bool);
