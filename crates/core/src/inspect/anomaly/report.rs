//! [`Anomaly`]: what was found, in words.

use super::Numbers;
use crate::inspect::Phase;
use cotangent_base::Error;
use std::fmt;
use std::panic::Location;

/// Where a NaN or an infinity first arose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Anomaly {
    /// The op.
    pub op: &'static str,
    /// Whether its result, its rule or an optimizer made it.
    pub phase: Phase,
    /// The [`scope`](crate::inspect::scope) that the op ran in: a model's layer.
    pub layer: Option<String>,
    /// The training step, from 1: one more than the backward passes that ended since the search began.
    pub step: u64,
    /// Whether the op is to blame.
    pub cause: Cause,
    /// The result that is not finite: forward the op's, backward a cotangent of one of its operands.
    pub result: Numbers,
    /// Backward, which operand that cotangent is of.
    pub cotangent_of: Option<usize>,
    /// What the op was given: forward its operands, backward the cotangent of its result.
    pub operands: Vec<Numbers>,
    /// The line that called the op; `None` if nobody looked on when it ran forward.
    pub location: Option<&'static Location<'static>>,
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The op: a NaN from operands without one, or an infinity from finite ones.
    Made,
    /// Whoever made this operand, which held NaN when it came: data, a parameter, or an op that nobody looked on.
    Given {
        /// Which operand.
        operand: usize,
    },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "training step {}, {}", self.step, self.phase)?;
        if let Some(layer) = &self.layer {
            write!(f, ", layer {layer:?}")?;
        }
        match self.cause {
            Cause::Made => self.made(f)?,
            Cause::Given { operand } => self.given(f, operand)?,
        }
        self.location.iter().try_for_each(|at| write!(f, " (called at {at})"))
    }
}

impl Anomaly {
    fn made(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Numbers { spec, .. } = &self.result;
        let (op, bad) = (self.op, self.result.bad());
        match self.cotangent_of {
            None => write!(f, ": [{op}] made {bad} of its result {} {}", spec.dtype, spec.shape)?,
            Some(operand) => {
                write!(f, ": the derivative of [{op}] made {bad} of ")?;
                write!(f, "the cotangent of operand {operand}, {} {}", spec.dtype, spec.shape)?;
            }
        }
        let finite = self.operands.iter().all(Numbers::is_finite);
        f.write_str(if finite { ", from finite numbers: " } else { ", from " })?;
        for (i, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{operand}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }

    fn given(&self, f: &mut fmt::Formatter, operand: usize) -> fmt::Result {
        let what = match self.phase {
            Phase::Forward => format!("operand {operand} of [{}]", self.op),
            Phase::Backward => format!("the cotangent that came to [{}]", self.op),
            Phase::Update => (if operand == 0 { "the parameter" } else { "the gradient" }).into(),
        };
        write!(f, ": {what} held NaN before: {}", self.operands[operand])
    }
}

impl From<Anomaly> for Error {
    fn from(anomaly: Anomaly) -> Self {
        let hint = match (anomaly.cause, anomaly.phase) {
            (Cause::Given { .. }, Phase::Forward) => "look at the data and the parameters before this step",
            (Cause::Given { .. }, _) => "look at what the gradients are summed from",
            (Cause::Made, Phase::Update) => "lower the learning rate, or clip the gradients",
            (Cause::Made, _) => "keep the operands of that op inside its domain, with `clamp` or a small ε",
        };
        Error::new("detect_anomaly", anomaly.to_string()).hint(hint)
    }
}
