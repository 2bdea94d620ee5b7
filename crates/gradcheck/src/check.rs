//! [`Check`]: what is compared, and how closely.

use crate::failure::{Failure, Kind};
use crate::problem::{Function, Problem, Weights, device, host};
use crate::{Outputs, direction, jacobian, numeric, sample};
use cotangent_core::{DType, GradError, Order, Shape, Tensor, grad};

/// Which derivatives are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The Jacobian if it is small, else two directions.
    Auto,
    /// Every output element's derivative by every input element.
    Jacobian,
    /// ⟨u, Jv⟩ against ⟨Jᵀu, v⟩ for so many random pairs of u and v for each input. Where they differ, bisection
    /// over v finds an element that is wrong.
    Directions(usize),
}

/// A gradient check with its knobs.
///
/// ```
/// use cotangent_gradcheck::{Check, Method, sample};
/// let [x, w] = [sample::uniform([64, 30], -1.0, 1.0, 1), sample::uniform([30, 50], -1.0, 1.0, 2)];
/// Check::new("matmul").method(Method::Directions(4)).first(&|x| vec![x[0].matmul(&x[1])], &[x, w])?;
/// # Ok::<(), cotangent_gradcheck::Failure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Check {
    op: String,
    tolerance: Option<Tolerance>,
    step: f64,
    seed: u64,
    method: Method,
}

/// `|analytic − numeric| ≤ atol + rtol·|numeric|`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    pub rtol: f64,
    pub atol: f64,
}

impl Tolerance {
    /// What the differences can resolve: for f64 a thousand times closer than PyTorch's default.
    fn of(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Self { rtol: 2e-3, atol: 2e-3 },
            _ => Self { rtol: 1e-6, atol: 1e-7 },
        }
    }

    /// How far a derivative may be from `numeric`.
    pub fn at(self, numeric: f64) -> f64 {
        self.atol + self.rtol * numeric.abs()
    }
}

/// A check that passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// How many derivatives were compared.
    pub compared: usize,
    /// The greatest error as a share of what was allowed.
    pub worst: f64,
}

impl Check {
    /// The check of `op` with the tolerances of the inputs' dtype: rtol 1e-6 and atol 1e-7 in f64.
    pub fn new(op: impl Into<String>) -> Self {
        Self { op: op.into(), tolerance: None, step: numeric::STEP, seed: 0, method: Method::Auto }
    }

    /// With these tolerances: `|analytic − numeric| ≤ atol + rtol·|numeric|`.
    pub fn tolerance(mut self, rtol: f64, atol: f64) -> Self {
        self.tolerance = Some(Tolerance { rtol, atol });
        self
    }

    /// With this step instead of 1e-3. The function must be smooth within three steps of the point.
    pub fn step(mut self, step: f64) -> Self {
        self.step = step;
        self
    }

    /// With other random weights and directions.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Compares the gradients of `f` at `inputs` with differences of its values. Integer inputs are constants; the
    /// rule runs on the inputs as they lie in memory, the differences on contiguous copies.
    pub fn first(&self, f: &Function, inputs: &[Tensor]) -> Result<Passed, Failure> {
        let problem = Problem::new(&self.op, f, inputs, self.step)?;
        let tolerance = self.tolerance.unwrap_or(Tolerance::of(problem.dtype()));
        linear(&problem, tolerance, self.seed)?;
        let inputs: usize = problem.differentiable().map(|i| problem.inputs[i].count()).sum();
        let outputs: usize = problem.outputs.iter().map(|(_, shape)| shape.count()).sum();
        match self.method {
            Method::Jacobian => jacobian::check(&problem, tolerance, self.seed),
            Method::Auto if inputs <= 64 && outputs <= 64 => jacobian::check(&problem, tolerance, self.seed),
            Method::Auto => direction::check(&problem, tolerance, self.seed, 2),
            Method::Directions(n) => direction::check(&problem, tolerance, self.seed, n),
        }
    }

    /// Compares the second derivatives: [`Check::first`] on the gradients of `f` as functions of the inputs and of
    /// the cotangents, after a check that they are the same gradients whether they are recorded or not. [`Failure::refusal`] tells which op has no second derivative.
    pub fn second(&self, f: &Function, inputs: &[Tensor]) -> Result<Passed, Failure> {
        let problem = Problem::new(&self.op, f, inputs, self.step)?;
        let outputs = problem.outputs.clone();
        let cotangents = outputs.iter().zip(weights(&problem, self.seed.wrapping_add(1)));
        let cotangents = cotangents.map(|(&(_, shape), u)| device(&u, shape, problem.dtype()));
        let point: Vec<Tensor> = inputs.iter().cloned().chain(cotangents).collect();
        let gradients = Gradients { f, outputs, inputs: inputs.len(), asked: problem.differentiable().collect() };
        let gradients = gradients.reached(&point).map_err(|e| Failure::new(&self.op, Kind::Refused(e)))?;
        if gradients.asked.is_empty() {
            return Err(Failure::new(&self.op, Kind::Nothing("no gradient depends on anything")));
        }
        gradients.agree(&problem, &point)?;
        let g = |x: &[Tensor]| gradients.at(x).expect("it was computed before");
        Check { op: format!("{}, second order", self.op), ..self.clone() }.first(&g, &point)
    }
}

/// The gradients of a function as a function of its inputs and cotangents.
struct Gradients<'a> {
    f: &'a Function<'a>,
    outputs: Vec<(usize, Shape)>,
    inputs: usize,
    asked: Vec<usize>,
}

impl Gradients<'_> {
    /// The gradients are the same recorded as not: a rule may compute them in two ways.
    fn agree(&self, problem: &Problem, point: &[Tensor]) -> Result<(), Failure> {
        let u: Weights = point[self.inputs..].iter().map(host).collect();
        let plain = problem.analytic(&u)?;
        let recorded = self.at(point).map_err(|e| Failure::new(problem.op, Kind::Refused(e)))?;
        let share = if problem.dtype() == DType::F32 { 1e-4 } else { 1e-9 };
        for (&input, recorded) in self.asked.iter().zip(&recorded) {
            let greatest = plain[input].iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            for (element, (&plain, recorded)) in plain[input].iter().zip(host(recorded)).enumerate() {
                if !((plain - recorded).abs() <= share * (greatest + 1e-2)) {
                    let kind = Kind::OrdersDiffer { input, element, plain, recorded };
                    return Err(Failure::new(problem.op, kind));
                }
            }
        }
        Ok(())
    }

    /// Without the inputs that the outputs do not depend on.
    fn reached(mut self, point: &[Tensor]) -> Result<Self, GradError> {
        loop {
            match self.at(point) {
                Ok(_) => return Ok(self),
                Err(GradError::Unreached { index, .. }) if self.asked.len() > 1 => {
                    self.asked.remove(index);
                }
                Err(e) => return Err(e),
            }
        }
    }

    fn at(&self, point: &[Tensor]) -> Result<Vec<Tensor>, GradError> {
        let outside = !point.iter().any(Tensor::is_tracked);
        let (x, dy) = point.split_at(self.inputs);
        let track = |x: &Tensor| if outside && x.dtype().is_float() { x.tracked() } else { x.clone() };
        let x: Vec<Tensor> = x.iter().map(track).collect();
        let y = (self.f)(&x);
        let tracked = self.outputs.iter().zip(dy).filter(|((k, _), _)| y[*k].is_tracked());
        let terms = tracked.map(|((k, _), dy)| (&y[*k] * &dy.cast(y[*k].dtype())).sum(..).cast(DType::F64));
        let loss = terms.reduce(|a, b| a + b).ok_or(GradError::Untracked)?;
        let grads = grad(&loss, &self.asked.iter().map(|&i| &x[i]).collect::<Vec<_>>(), Order::Second)?;
        Ok(if outside { grads.iter().map(Tensor::detach).collect() } else { grads })
    }
}

/// A random weight for each element of each output.
pub(crate) fn weights(problem: &Problem, seed: u64) -> Weights {
    let one = |(k, shape): (usize, &Shape)| sample::directions(shape.count(), seed.wrapping_mul(31) + k as u64);
    problem.outputs.iter().map(|(_, shape)| shape).enumerate().map(one).collect()
}

/// Jᵀ(a + b) = Jᵀa + Jᵀb, within rounding: much closer than differences could tell.
fn linear(problem: &Problem, tolerance: Tolerance, seed: u64) -> Result<(), Failure> {
    let [a, b] = [weights(problem, seed.wrapping_add(101)), weights(problem, seed.wrapping_add(202))];
    let add = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a + b).collect();
    let sum: Weights = a.iter().zip(&b).map(|(a, b)| add(a, b)).collect();
    let [a, b, sum] = [problem.analytic(&a)?, problem.analytic(&b)?, problem.analytic(&sum)?];
    for input in problem.differentiable() {
        let greatest = a[input].iter().chain(&b[input]).fold(0.0, |m: f64, x| m.max(x.abs()));
        for element in 0..sum[input].len() {
            let (whole, parts) = (sum[input][element], a[input][element] + b[input][element]);
            let finite = whole.is_finite() && parts.is_finite(); // else the comparison with the values tells
            if finite && !((whole - parts).abs() <= 1e-2 * tolerance.rtol * greatest + 1e-4 * tolerance.atol) {
                let kind = Kind::NotLinear { input, element, whole, parts };
                return Err(Failure::new(problem.op, kind));
            }
        }
    }
    Ok(())
}

/// Compares the gradients of `f` at `x` with differences of its values, with the defaults of [`Check`].
///
/// ```
/// use cotangent_gradcheck::{gradcheck, sample};
/// let [a, b] = [sample::uniform([3, 2], -1.0, 1.0, 1), sample::uniform([2, 4], -1.0, 1.0, 2)];
/// gradcheck("matmul", |[a, b]| a.matmul(b), [&a, &b])?;
/// # Ok::<(), cotangent_gradcheck::Failure>(())
/// ```
pub fn gradcheck<const N: usize, Y: Outputs>(
    op: &str,
    f: impl Fn([&Tensor; N]) -> Y,
    x: [&Tensor; N],
) -> Result<Passed, Failure> {
    Check::new(op).first(&|x| f(std::array::from_fn(|i| &x[i])).tensors(), &x.map(Tensor::clone))
}

/// Compares the second derivatives of `f` at `x` with differences of its gradients, with the defaults of [`Check`].
pub fn gradgradcheck<const N: usize, Y: Outputs>(
    op: &str,
    f: impl Fn([&Tensor; N]) -> Y,
    x: [&Tensor; N],
) -> Result<Passed, Failure> {
    Check::new(op).second(&|x| f(std::array::from_fn(|i| &x[i])).tensors(), &x.map(Tensor::clone))
}
