//! [`Problem`]: the function under check and the point, and its two ways to a derivative.

use crate::failure::{Failure, Kind};
use crate::numeric::{self, Slope};
use cotangent_core::{DType, GradError, Order, Shape, Tensor, grad};

/// A function from tensors to tensors.
pub type Function<'a> = dyn Fn(&[Tensor]) -> Vec<Tensor> + 'a;

/// A function under check, at a point.
pub struct Problem<'a> {
    pub op: &'a str,
    pub f: &'a Function<'a>,
    pub inputs: &'a [Tensor],
    pub step: f64,
    /// The shapes of the outputs that can have a gradient, and their numbers.
    pub outputs: Vec<(usize, Shape)>,
}

/// One number for each element of each output: a cotangent, or a value.
pub type Weights = Vec<Vec<f64>>;

impl<'a> Problem<'a> {
    /// Evaluates the function twice: for the outputs' shapes, and to see that it is a function.
    pub fn new(op: &'a str, f: &'a Function<'a>, inputs: &'a [Tensor], step: f64) -> Result<Self, Failure> {
        let refuse = |kind| Err(Failure::new(op, kind));
        if !inputs.iter().any(|x| x.dtype().is_float()) {
            return refuse(Kind::Nothing("no input is a float tensor"));
        }
        let values: Vec<Tensor> = inputs.iter().map(Tensor::detach).collect();
        let (once, again) = (f(&values), f(&values));
        let float = |y: &(usize, &Tensor)| y.1.dtype().is_float();
        let outputs: Vec<(usize, Shape)> = once.iter().enumerate().filter(float).map(|(k, y)| (k, y.shape())).collect();
        if outputs.is_empty() {
            return refuse(Kind::Nothing("no output is a float tensor"));
        }
        let bits = |y: &[Tensor]| -> Vec<Vec<u64>> {
            y.iter().map(|y| host(y).iter().map(|x| x.to_bits()).collect()).collect()
        };
        if bits(&once) != bits(&again) {
            return refuse(Kind::NotAFunction);
        }
        Ok(Self { op, f, inputs, step, outputs })
    }

    /// The inputs that have a gradient.
    pub fn differentiable(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.inputs.len()).filter(|&i| self.inputs[i].dtype().is_float())
    }

    /// The coarser of the floats' precisions.
    pub fn dtype(&self) -> DType {
        let narrow = self.inputs.iter().any(|x| x.dtype() == DType::F32);
        if narrow { DType::F32 } else { DType::F64 }
    }

    /// The outputs when input `i` is moved by `t` along `v` (over all its elements).
    fn moved(&self, i: usize, v: &[f64], t: f64) -> Weights {
        let moved: Vec<f64> = host(&self.inputs[i]).iter().zip(v).map(|(x, v)| x + t * v).collect();
        let mut inputs: Vec<Tensor> = self.inputs.iter().map(Tensor::detach).collect();
        inputs[i] = device(&moved, self.inputs[i].shape(), self.inputs[i].dtype());
        let y = (self.f)(&inputs);
        self.outputs.iter().map(|&(k, _)| host(&y[k])).collect()
    }

    /// The slope of all output elements, one after the other, along `v` in input `i`.
    pub fn numeric(&self, i: usize, v: &[f64]) -> Slope {
        numeric::slope(self.step, |t| self.moved(i, v, t).concat())
    }

    /// The slope of all output elements in one element of input `i`.
    pub fn numeric_in(&self, i: usize, element: usize) -> Slope {
        let mut v = vec![0.0; self.inputs[i].count()];
        v[element] = 1.0;
        self.numeric(i, &v)
    }

    /// The vector-Jacobian product Jᵀu by backward: one gradient for each input, zeros where none arrives.
    pub fn analytic(&self, u: &Weights) -> Result<Vec<Vec<f64>>, Failure> {
        let mut unreached = vec![false; self.inputs.len()];
        // an input that the loss does not depend on is an error of `grad`: ask again without it
        loop {
            let track = |x: &Tensor| if x.dtype().is_float() { x.tracked() } else { x.clone() };
            let x: Vec<Tensor> = self.inputs.iter().map(track).collect();
            let asked: Vec<usize> = self.differentiable().filter(|&i| !unreached[i]).collect();
            let Some(loss) = weighted(&(self.f)(&x), &self.outputs, u) else { return self.collect(&[], vec![]) };
            match grad(&loss, &asked.iter().map(|&i| &x[i]).collect::<Vec<_>>(), Order::First) {
                Ok(grads) => return self.collect(&asked, grads),
                Err(GradError::Unreached { index, .. }) => unreached[asked[index]] = true,
                Err(e) => return Err(Failure::new(self.op, Kind::Refused(e))),
            }
        }
    }

    fn collect(&self, asked: &[usize], grads: Vec<Tensor>) -> Result<Vec<Vec<f64>>, Failure> {
        let mut all: Vec<Vec<f64>> = self.inputs.iter().map(|x| vec![0.0; x.count()]).collect();
        for (&input, g) in asked.iter().zip(&grads) {
            let x = &self.inputs[input];
            if g.spec() != x.spec() {
                let kind = Kind::Shape { input, wanted: x.spec(), got: g.spec() };
                return Err(Failure::new(self.op, kind));
            }
            all[input] = host(g);
        }
        Ok(all)
    }
}

/// Σ u·y over the tracked outputs; `None` if no output is tracked.
fn weighted(y: &[Tensor], outputs: &[(usize, Shape)], u: &Weights) -> Option<Tensor> {
    let terms = outputs.iter().zip(u).filter(|((k, _), _)| y[*k].is_tracked()).map(|((k, shape), u)| {
        let u = device(u, *shape, y[*k].dtype());
        (&y[*k] * &u).sum(..).cast(DType::F64)
    });
    terms.reduce(|a, b| a + b)
}

/// The elements on the host, as f64.
pub fn host(x: &Tensor) -> Vec<f64> {
    x.detach().cast(DType::F64).to_vec()
}

/// A tensor of these elements.
pub fn device(values: &[f64], shape: Shape, dtype: DType) -> Tensor {
    Tensor::from_slice(values, shape).cast(dtype)
}
