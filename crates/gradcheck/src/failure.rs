//! [`Failure`]: what a check found, told so that the reader knows where to look.

use crate::Cause;
use cotangent_core::{GradError, Spec};
use std::fmt;

/// A check that did not pass.
pub struct Failure {
    /// The op or function, as the caller named it.
    pub op: String,
    /// What is wrong.
    pub kind: Box<Kind>,
}

/// What is wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A derivative differs from the difference of values.
    Gradient(Mismatch),
    /// Backward refuses: an op without a derivative, or without a second one.
    Refused(GradError),
    /// A gradient has another shape or dtype than its input.
    Shape {
        /// Which input.
        input: usize,
        /// The input's.
        wanted: Spec,
        /// The gradient's.
        got: Spec,
    },
    /// The rule is not linear in the cotangent.
    NotLinear {
        /// Which input.
        input: usize,
        /// Which element of it, row-major.
        element: usize,
        /// Jᵀ(a + b).
        whole: f64,
        /// Jᵀa + Jᵀb.
        parts: f64,
    },
    /// The gradient is another one where it is recorded to be differentiated again.
    OrdersDiffer {
        /// Which input.
        input: usize,
        /// Which element of it, row-major.
        element: usize,
        /// The gradient as `backward` gives it.
        plain: f64,
        /// As `grad` with `Order::Second` gives it.
        recorded: f64,
    },
    /// Two evaluations at one point differ.
    NotAFunction,
    /// There is nothing to compare.
    Nothing(&'static str),
    /// Parameters that get no gradient, or none that teaches anything.
    Parameters(Vec<String>),
}

/// The worst of the derivatives that differ.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// Which input.
    pub input: usize,
    /// The input's shape and dtype.
    pub spec: Spec,
    /// Which element of it, as an index.
    pub element: Vec<usize>,
    /// Which output and which element of it; `None` if the outputs were weighted at random.
    pub output: Option<(usize, Vec<usize>)>,
    /// What the rule gives.
    pub analytic: f64,
    /// What the values give.
    pub numeric: f64,
    /// By how much they may differ.
    pub tolerance: f64,
    /// How many derivatives differ, of how many.
    pub wrong: (usize, usize),
    /// What fits the numbers.
    pub cause: Cause,
}

impl Failure {
    pub(crate) fn new(op: &str, kind: Kind) -> Self {
        Self { op: op.to_owned(), kind: Box::new(kind) }
    }

    /// The likely cause, if a derivative is wrong.
    pub fn cause(&self) -> Option<&Cause> {
        match self.kind.as_ref() {
            Kind::Gradient(mismatch) => Some(&mismatch.cause),
            _ => None,
        }
    }

    /// The error of backward, if it refused.
    pub fn refusal(&self) -> Option<&GradError> {
        match self.kind.as_ref() {
            Kind::Refused(e) => Some(e),
            _ => None,
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Mismatch { input, spec, element, analytic, numeric, tolerance, .. } = self;
        let (wrong, all) = self.wrong;
        write!(f, "the gradient is wrong: input {input} ({} {}), element {element:?}", spec.dtype, spec.shape)?;
        match &self.output {
            Some((k, at)) => write!(f, ", seen from output {k}, element {at:?}")?,
            None => write!(f, ", seen from all outputs weighted at random")?,
        }
        write!(f, "\n  analytic {analytic:e}\n  numeric  {numeric:e}   (tolerance {tolerance:.1e})")?;
        write!(f, "\n  {wrong} of {all} derivatives compared differ")?;
        write!(f, "\n  likely cause: {}", self.cause)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{}] ", self.op)?;
        match self.kind.as_ref() {
            Kind::Gradient(mismatch) => mismatch.fmt(f),
            Kind::Refused(e) => write!(f, "backward refuses: {e}"),
            Kind::Shape { input, wanted, got } => write!(
                f,
                "the gradient of input {input} is {} {}, the input is {} {}: sum it over the broadcast axes, \
                 or undo the view",
                got.dtype, got.shape, wanted.dtype, wanted.shape
            ),
            Kind::NotLinear { input, element, whole, parts } => write!(
                f,
                "the rule is not linear in the cotangent: input {input}, element {element}: \
                 vjp(a + b) = {whole:e}, vjp(a) + vjp(b) = {parts:e}"
            ),
            Kind::OrdersDiffer { input, element, plain, recorded } => write!(
                f,
                "the rule gives another gradient where it is recorded: input {input}, element {element}: \
                 {plain:e}, recorded {recorded:e}"
            ),
            Kind::NotAFunction => {
                write!(f, "two evaluations at the same point differ: fix the seed of what is random inside the closure")
            }
            Kind::Nothing(why) => write!(f, "there is nothing to check: {why}"),
            Kind::Parameters(found) => write!(f, "parameters do not learn:\n  {}", found.join("\n  ")),
        }
    }
}

/// The same text as `Display`, so that `unwrap` in a test prints a message and not a structure.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
