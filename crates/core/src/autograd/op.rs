//! [`Op`]: what an op must say to be part of Cotangent, built in or a user's own.

use super::mode::{Tracking, is_tracking};
use super::node::{Inputs, Kind, Node, Rule};
use crate::device::different;
use crate::inspect::{self, Origin, Phase, Watched, watch};
use crate::{Spec, Tensor};
use cotangent_base::{Saves, ShapeError};
use std::sync::{Arc, Mutex};

/// A differentiable operation on `N` tensors.
///
/// The built-in ops and a user's own implement the same trait; [`apply`] computes and records.
///
/// ```
/// use cotangent_core::{apply, Op, Saved, Saves, ShapeError, Spec, Tensor};
///
/// /// `y = x³`, `dx = 3x²·dy`.
/// #[derive(Clone, Copy)]
/// struct Cube;
///
/// impl Op<1> for Cube {
///     const NAME: &'static str = "cube";
///     const SAVES: Saves = Saves::Inputs;
///     const SECOND_ORDER: bool = true; // the rule below is made of ops
///     type Aux = ();
///     fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
///         Ok(x)
///     }
///     fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
///         (x * x * x, ())
///     }
///     fn vjp(&self, saved: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
///         let [x] = saved.x();
///         [Some(dy * x.square() * 3.0)]
///     }
/// }
///
/// let x = Tensor::from([2.0_f32, -1.0]).tracked();
/// let grads = apply(Cube, [&x]).sum(..).backward();
/// assert_eq!(grads.wrt(&x).to_vec::<f32>(), [12.0, 3.0]);
/// ```
pub trait Op<const N: usize>: Send + Sync + 'static {
    /// The op's name in the graph and in messages.
    const NAME: &'static str;
    /// Which of its tensors the rule reads; the graph keeps those alive and no others.
    const SAVES: Saves;
    /// Whether the rule is made of differentiable ops alone, so that it can be differentiated in turn.
    const SECOND_ORDER: bool = false;
    /// What else forward leaves for the rule: indices, statistics. Must hold no tracked tensor.
    type Aux: Send + Sync;

    /// [`NAME`](Self::NAME), unless one type stands for several ops.
    fn name(&self) -> &'static str {
        Self::NAME
    }
    /// [`SAVES`](Self::SAVES), unless one type stands for several ops.
    fn saves(&self) -> Saves {
        Self::SAVES
    }

    /// The result's shape and dtype, or why the operands do not fit. Pure: touches no data.
    fn infer(&self, x: [Spec; N]) -> Result<Spec, ShapeError>;
    /// The result, of spec `y`, and what to keep. The operands come outside any graph.
    fn forward(&self, x: [&Tensor; N], y: Spec) -> (Tensor, Self::Aux);
    /// The vector-Jacobian product: the cotangent of each operand that `need` asks for, of that operand's shape,
    /// from the result's cotangent `dy`. Linear in `dy`.
    fn vjp(&self, saved: Saved<N, Self::Aux>, dy: Tensor, need: [bool; N]) -> [Option<Tensor>; N];
}

/// What an op's rule can read.
pub struct Saved<'a, const N: usize, A> {
    x: Option<&'a [Tensor; N]>,
    y: Option<Tensor>,
    /// What forward left.
    pub aux: &'a A,
}

impl<'a, const N: usize, A> Saved<'a, N, A> {
    /// The operands.
    ///
    /// # Panics
    /// If [`Op::saves`] does not say `Inputs` or `Both`.
    pub fn x(&self) -> [&'a Tensor; N] {
        self.x.expect("an op that reads its operands in vjp declares SAVES = Inputs or Both").each_ref()
    }

    /// The result.
    ///
    /// # Panics
    /// If [`Op::saves`] does not say `Output` or `Both`.
    pub fn y(&self) -> &Tensor {
        self.y.as_ref().expect("an op that reads its result in vjp declares SAVES = Output or Both")
    }
}

/// Computes `op` on `x` and, if any operand is tracked, records it.
///
/// # Panics
/// At the caller's line, if [`Op::infer`] refuses the operands.
#[track_caller]
pub fn apply<const N: usize, O: Op<N>>(op: O, x: [&Tensor; N]) -> Tensor {
    let spec = match op.infer(x.map(Tensor::spec)) {
        Ok(spec) => spec,
        Err(e) => e.panic(),
    };
    let call = Call::begin(op.name(), &x);
    let (y, aux) = op.forward(x, spec);
    match call.end(&y, spec) {
        None => y.detach(),
        Some(origin) => {
            let (name, saves) = (op.name(), op.saves());
            let kept = saves.inputs().then(|| x.map(Tensor::clone));
            let rule = Recorded { x: kept, y: saves.output().then(|| y.detach()), aux, op };
            attach(y, name, &x, Arc::new(rule), origin)
        }
    }
}

// Nothing from here to `attach` is generic, so that it is compiled once and not for every op.

/// An op while its forward runs, of which nothing is recorded.
struct Call<'a> {
    op: &'static str,
    x: &'a [&'a Tensor],
    /// Whether the op itself will be recorded.
    record: bool,
    watched: Option<Watched>,
    _untracked: Tracking,
}

impl<'a> Call<'a> {
    /// # Panics
    /// If the operands are not all on one device.
    #[track_caller]
    fn begin(op: &'static str, x: &'a [&'a Tensor]) -> Self {
        same_device(op, x);
        let record = records(x);
        let watched = watch(op, Phase::Forward, x);
        Self { op, x, record, watched, _untracked: Tracking::set(false) }
    }

    /// Where the op ran, as far as anybody looked on; `None` if the op is not to be recorded.
    fn end(self, y: &Tensor, spec: Spec) -> Option<Option<Box<Origin>>> {
        debug_assert_eq!(y.spec(), spec, "[{}] infer and forward disagree", self.op);
        let origin = self.watched.map(|watched| watched.end(self.x, &[Some(y)]));
        self.record.then_some(origin)
    }
}

fn records(x: &[&Tensor]) -> bool {
    is_tracking() && x.iter().any(|x| x.is_tracked())
}

/// # Panics
/// If the tensors are not all on one device.
#[track_caller]
pub(crate) fn same_device(op: &'static str, x: &[&Tensor]) {
    if let [first, rest @ ..] = x
        && let Some(other) = rest.iter().find(|other| other.device() != first.device())
    {
        different(op, first.device(), other.device()).panic();
    }
}

fn attach(y: Tensor, name: &'static str, x: &[&Tensor], rule: Arc<dyn Rule>, origin: Option<Box<Origin>>) -> Tensor {
    let kind = Kind::Op { inputs: Inputs::of(x), rule: Mutex::new(Some(rule)), origin };
    let node = Some(Node::new(name, y.spec(), kind));
    Tensor { node, ..y }
}

/// An op, and what it saved.
struct Recorded<const N: usize, O: Op<N>> {
    op: O,
    x: Option<[Tensor; N]>,
    /// Without its node, which would hold itself; `vjp` puts it back.
    y: Option<Tensor>,
    aux: O::Aux,
}

impl<const N: usize, O: Op<N>> Rule for Recorded<N, O> {
    fn vjp(&self, node: &Arc<Node>, dy: Tensor, need: &[bool]) -> Vec<Option<Tensor>> {
        let saved = Saved {
            x: self.x.as_ref(),
            y: self.y.as_ref().map(|y| Tensor { node: Some(node.clone()), ..y.clone() }),
            aux: &self.aux,
        };
        let need: [bool; N] = std::array::from_fn(|i| need[i]);
        self.op.vjp(saved, dy, need).into()
    }

    fn second_order(&self) -> bool {
        O::SECOND_ORDER
    }
}

/// Records `y`, computed from any number of tensors `x`, with the rule `vjp`: from `dy` and which operands need it,
/// the cotangent of each. For ops such as concat whose number of operands is known only at run time; the rule must
/// be made of differentiable ops and must not capture tracked tensors.
#[track_caller]
pub fn apply_variadic(
    name: &'static str,
    x: &[&Tensor],
    y: Tensor,
    vjp: impl Fn(Tensor, &[bool]) -> Vec<Option<Tensor>> + Send + Sync + 'static,
) -> Tensor {
    let y = y.detach();
    if !records(x) {
        return y;
    }
    let origin = inspect::origin();
    attach(y, name, x, Arc::new(Closure(vjp)), origin)
}

struct Closure<F>(F);

impl<F: Fn(Tensor, &[bool]) -> Vec<Option<Tensor>> + Send + Sync> Rule for Closure<F> {
    fn vjp(&self, _: &Arc<Node>, dy: Tensor, need: &[bool]) -> Vec<Option<Tensor>> {
        (self.0)(dy, need)
    }

    fn second_order(&self) -> bool {
        true
    }
}
