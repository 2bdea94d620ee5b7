//! The case table: every op, with the shapes, the domain and what else the suites need to check it.
//!
//! A new op is one row here. A pointwise op is a row of one line, such as `unary(Exp, Tensor::exp, UNIT)`; any other is
//! [`Op::new`] with one [`at`](Op::at) for each way to call it:
//!
//! ```
//! use cotangent_cases::{Op, UNIT};
//! let row = Op::new("matmul")
//!     .at("2-D", &[(&[3, 4], UNIT), (&[4, 2], UNIT)], |x| x[0].matmul(&x[1]))
//!     .at("batched", &[(&[2, 3, 4], UNIT), (&[4, 2], UNIT)], |x| x[0].matmul(&x[1]));
//! assert_eq!(row.cases.len(), 2);
//! ```
//!
//! Three suites in the repository's `tests/` read the table: gradcheck (derivatives in f64), agree (f32 and every
//! SIMD level against f64) and fixtures. An op of `cotangent-core` that is not in it fails the first.

mod binary;
mod image;
mod index;
mod linear;
mod norm;
mod reduce;
mod unary;
mod view;
mod without;

use cotangent_base::Unary;
use cotangent_core::{Shape, Tensor};
use cotangent_gradcheck::sample::Domain;
use cotangent_gradcheck::{Check, Failure, pointwise};

/// [-1, 1).
pub const UNIT: Domain = Domain::Range(-1.0, 1.0);
/// [-2, 2), away from 0.
pub const NONZERO: Domain = Domain::Away(-2.0, 2.0, &[0.0]);
/// [0.3, 2).
pub const POSITIVE: Domain = Domain::Range(0.3, 2.0);

/// ±[0.4, 2): where 1/x is tame.
pub const POLE: Domain = Domain::Outer(0.4, 2.0);

/// A call of an op.
pub type Call = Box<dyn Fn(&[Tensor]) -> Vec<Tensor> + Send + Sync>;

/// One way to call an op.
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// The function.
    pub f: Call,
    /// The operands: shapes, and where their elements may lie.
    pub inputs: Vec<(Shape, Domain)>,
    /// Whether operands are far enough from kinks, where the domains cannot see to that.
    pub clear: Option<Clear>,
}

/// Says whether operands will do.
pub type Clear = Box<dyn Fn(&[Tensor]) -> bool + Send + Sync>;

impl Case {
    /// Operands drawn from the domains, f64, i64 or bool; drawn anew until they are clear of kinks.
    ///
    /// # Panics
    /// If they are not after many draws.
    pub fn sample(&self, seed: u64) -> Vec<Tensor> {
        let draw = |seed: u64| -> Vec<Tensor> {
            let operands = self.inputs.iter().enumerate();
            operands.map(|(i, &(shape, domain))| domain.sample(shape, seed * 16 + i as u64)).collect()
        };
        let mut draws = (0..10_000).map(|i| draw(seed + (i << 32)));
        let found = draws.find(|x| self.clear.as_ref().is_none_or(|clear| clear(x)));
        found.unwrap_or_else(|| panic!("{}: no draw is clear of kinks: make the operands smaller", self.name))
    }
}

/// How far f32 may be from f64: what the suite `agree` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// No arithmetic: equal to the bit.
    Exact,
    /// Each element for itself: so many units in the last place of f32.
    Ulps(u8),
    /// Sums: 4·√n·u of the greatest result, n being the number of elements of the largest operand.
    Sums,
}

/// Whether ReLU's kink is far from all elements.
fn off_zero(x: &Tensor) -> bool {
    x.to_vec::<f64>().iter().all(|x| x.abs() >= 5e-2)
}

/// A row of the table.
pub struct Op {
    /// The op's name: its `NAME`, or the tensor method for those that are made of other ops.
    pub name: &'static str,
    /// The names of the ops that its rule is made of and that have no method.
    pub rules: &'static [&'static str],
    /// The ways to call it.
    pub cases: Vec<Case>,
    /// Whether it has a derivative.
    pub first: bool,
    /// Whether its derivative has one.
    pub second: bool,
    /// rtol and atol of the derivatives, if not the usual ones.
    pub tolerance: Option<(f64, f64)>,
    /// How far f32 may be from f64.
    pub rounding: Rounding,
    /// For pointwise ops: the check against exact derivatives.
    pub exact: Option<Exact>,
}

/// A check against exact derivatives; gives the number of comparisons.
pub type Exact = Box<dyn Fn() -> Result<usize, Failure> + Send + Sync>;

impl Op {
    /// A row without cases, for an op that can be differentiated twice.
    pub fn new(name: &'static str) -> Self {
        let rounding = Rounding::Sums;
        Self { name, rules: &[], cases: vec![], first: true, second: true, tolerance: None, rounding, exact: None }
    }

    /// With one more case: what is special, the operands' shapes and domains, the call.
    pub fn at(
        self,
        name: impl Into<String>,
        inputs: &[(&[usize], Domain)],
        f: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static,
    ) -> Self {
        self.with(name.into(), inputs, Box::new(move |x| vec![f(x)]))
    }

    /// Not generic, so that it is compiled once and not for every case.
    fn with(mut self, name: String, inputs: &[(&[usize], Domain)], f: Call) -> Self {
        let inputs = inputs.iter().map(|&(shape, domain)| (Shape::from(shape), domain)).collect();
        self.cases.push(Case { name, f, inputs, clear: None });
        self
    }

    /// With operands of the last case for which this holds: that they are 1e-2 and more from any kink.
    pub fn clear(mut self, holds: impl Fn(&[Tensor]) -> bool + Send + Sync + 'static) -> Self {
        self.cases.last_mut().expect("after a case").clear = Some(Box::new(holds));
        self
    }

    /// With these ops as parts of its rule.
    pub fn rules(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }

    /// With these tolerances for the derivatives.
    pub fn tolerance(mut self, rtol: f64, atol: f64) -> Self {
        self.tolerance = Some((rtol, atol));
        self
    }

    /// Computed in this way.
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// The check of derivatives that this row asks for.
    pub fn check(&self, case: &Case) -> Check {
        let check = Check::new(format!("{}: {}", self.name, case.name));
        match self.tolerance {
            Some((rtol, atol)) => check.tolerance(rtol, atol),
            None => check,
        }
    }

    /// Without a derivative: a gradient through it is refused.
    pub fn without_derivative(mut self) -> Self {
        (self.first, self.second) = (false, false);
        self
    }
}

/// All ops.
pub fn all() -> Vec<Op> {
    let rooms = [
        unary::ops(),
        binary::ops(),
        view::ops(),
        reduce::ops(),
        linear::ops(),
        image::ops(),
        norm::ops(),
        index::ops(),
        without::ops(),
    ];
    rooms.into_iter().flatten().collect()
}

/// The shapes that every pointwise op is checked with.
const SHAPES: [&[usize]; 8] = [&[], &[1], &[5], &[17], &[3, 4], &[2, 3, 4], &[1, 5, 1], &[0, 3]];

/// The row of a pointwise op of one operand: the op, the tensor method that applies it, the domain.
pub fn unary<U: Unary>(op: U, f: fn(&Tensor) -> Tensor, domain: Domain) -> Op {
    let row = Op { rounding: Rounding::Ulps(4), ..Op::new(U::NAME) };
    let mut row =
        SHAPES.iter().fold(row, |row, shape| row.at(format!("{shape:?}"), &[(shape, domain)], move |x| f(&x[0])));
    row.exact = Some(Box::new(move || pointwise::unary(op, &domain.sample([500].into(), 99).to_vec::<f64>())));
    row
}

/// `f` at every shape of `shapes`, named after it.
fn each<const N: usize>(
    mut row: Op,
    shapes: &[[&[usize]; N]],
    domains: [Domain; N],
    f: impl Fn(&[Tensor]) -> Tensor + Copy + Send + Sync + 'static,
) -> Op {
    for shapes in shapes {
        let inputs: Vec<(&[usize], Domain)> = shapes.iter().copied().zip(domains).collect();
        row = row.at(format!("{shapes:?}"), &inputs, f);
    }
    row
}
