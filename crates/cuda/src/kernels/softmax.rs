//! Softmax and the cross-entropy that follows it, made of maps over broadcast views and reductions.

use super::elementwise::{Elementwise, whole};
use super::index::gather;
use super::pointwise::map;
use super::reduce::reduce;
use crate::Buffer;
use crate::emit::{Arg, Class, Real, Sym, parameter, value};
use cotangent_base::{Axes, DType, Lane, Layout, Map, Reduce, Result, Shape, View};
use std::any::TypeId;

/// `e^(x − greatest)`.
#[derive(Clone, Copy)]
struct Exponential;
impl Map<2> for Exponential {
    fn eval<L: Lane>(self, [x, greatest]: [L; 2]) -> L {
        (x - greatest).exp()
    }
}

/// `e / sum`.
#[derive(Clone, Copy)]
struct Share;
impl Map<2> for Share {
    fn eval<L: Lane>(self, [e, sum]: [L; 2]) -> L {
        e * sum.recip()
    }
}

/// `x − greatest − ln sum`.
#[derive(Clone, Copy)]
struct Log;
impl Map<3> for Log {
    fn eval<L: Lane>(self, [x, greatest, sum]: [L; 3]) -> L {
        x - greatest - sum.ln()
    }
}

/// `ln sum − (x[label] − greatest)`.
#[derive(Clone, Copy)]
struct Loss;
impl Map<3> for Loss {
    fn eval<L: Lane>(self, [of_label, greatest, sum]: [L; 3]) -> L {
        sum.ln() - (of_label - greatest)
    }
}

/// What softmax needs of each row: its greatest element, e^(x − greatest), and their sum.
struct Rows {
    shape: Shape,
    greatest: Buffer,
    exponentials: Buffer,
    sum: Buffer,
}

impl Rows {
    fn new(x: View<Buffer>) -> Result<Self> {
        let (shape, device) = (x.shape(), x.buffer.device());
        let last = Axes::from_iter([shape.rank() - 1]);
        let greatest = reduce(Reduce::Max, x, last)?;
        let exponentials = map(device, Exponential, [x, per_row(&greatest, &shape)])?;
        let sum = reduce(Reduce::Sum, whole(&exponentials, shape), last)?;
        Ok(Self { shape, greatest, exponentials, sum })
    }

    fn softmax(&self) -> Result<Buffer> {
        let exponentials = whole(&self.exponentials, self.shape);
        map(self.sum.device(), Share, [exponentials, per_row(&self.sum, &self.shape)])
    }
}

/// One number for each row, the same along the last axis of `shape`.
fn per_row<'a>(buffer: &'a Buffer, shape: &Shape) -> View<'a, Buffer> {
    let rows = shape.without(shape.rank() - 1);
    let layout = Layout::contiguous(rows).unsqueeze(rows.rank()).expand(*shape);
    View { buffer, layout: layout.expect("an axis of size 1 stretches") }
}

/// Softmax over the last axis, or its logarithm.
pub fn softmax(x: View<Buffer>, log: bool) -> Result<Buffer> {
    let rows = Rows::new(x)?;
    match log {
        false => rows.softmax(),
        true => {
            let [greatest, sum] = [&rows.greatest, &rows.sum].map(|b| per_row(b, &rows.shape));
            map(x.buffer.device(), Log, [x, greatest, sum])
        }
    }
}

/// The loss of each row, and the softmax.
pub fn softmax_cross_entropy(x: View<Buffer>, labels: View<Buffer>) -> Result<(Buffer, Buffer)> {
    let rows = Rows::new(x)?;
    let of_label = gather(x, 1, View { buffer: labels.buffer, layout: labels.layout.unsqueeze(1) })?;
    let count = labels.shape();
    let operands = [&of_label, &rows.greatest, &rows.sum].map(|b| whole(b, count));
    Ok((map(x.buffer.device(), Loss, operands)?, rows.softmax()?))
}

/// `dx = (softmax − one_hot(labels))·dy`.
pub fn softmax_cross_entropy_dx(softmax: View<Buffer>, labels: View<Buffer>, dy: View<Buffer>) -> Result<Buffer> {
    let (shape, device, dtype) = (softmax.shape(), softmax.buffer.device(), softmax.buffer.dtype());
    let wide = |x: View<Buffer>| x.layout.unsqueeze(1).expand(shape).expect("an axis of size 1 stretches");
    let dx = Buffer::uninit(device, dtype, shape.count())?;
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "softmax_cross_entropy_dx",
        variant: 0,
        keep: false,
        outputs: &[whole(&dx, shape)],
        inputs: &[
            softmax,
            View { buffer: labels.buffer, layout: wide(labels) },
            View { buffer: dy.buffer, layout: wide(dy) },
        ],
    };
    kernel.run(device, |body| {
        let columns = parameter(shape[1] as u64);
        let columns = Arg::Value(value("ld.param", "u32", Class::B32, &[Arg::Slot(columns)]));
        let column = Arg::Value(value("rem", "u32", Class::B32, &[body.index, columns]));
        let column = Arg::Value(value("cvt.s64", "u32", Class::B64, &[column]));
        let is_label = Arg::Value(value("setp.eq", "s64", Class::Pred, &[column, body.x[1]]));
        vec![match dtype {
            DType::F32 => cotangent::<f32>(body.x[0], is_label, body.x[2]),
            _ => cotangent::<f64>(body.x[0], is_label, body.x[2]),
        }]
    })?;
    Ok(dx)
}

fn cotangent<T: Real>(p: Arg, is_label: Arg, dy: Arg) -> Arg {
    let op = |op, args: &[Arg]| Arg::Value(value(op, T::TYPE, T::CLASS, args));
    let less = op("sub.rn", &[p, Sym::<T>::one().arg()]);
    op("mul.rn", &[op("selp", &[less, p, is_label]), dy])
}
