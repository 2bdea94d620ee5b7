//! Softmax and the cross-entropy that follows it, each in one kernel.

use super::elementwise::{Elementwise, whole};
use super::memory::dense;
use super::{BLOCK, launch, start};
use crate::Buffer;
use crate::emit::{Arg, Class, Real, Sym, parameter, value};
use cotangent_base::{DType, Lane, Result, View};
use cotangent_kernels::SOFTMAX;
use std::any::TypeId;

/// The parameter of the kernels.
#[repr(C)]
struct Rows {
    x: u64,
    y: u64,
    labels: u64,
    loss: u64,
    rows: i32,
    n: i32,
}

/// Rows up to this length are each the work of a warp, longer ones of a block.
const SHORT: usize = 512;

/// Runs kernel `what` on the rows of `x`, perhaps with labels and the losses to write; its other result.
fn by_rows(what: &str, x: View<Buffer>, with: Option<(&Buffer, &Buffer)>) -> Result<Buffer> {
    let (shape, device, dtype) = (x.shape(), x.buffer.device(), x.buffer.dtype());
    let (n, mut space) = (shape[shape.rank() - 1], None);
    let x = dense(x, &mut space)?;
    let y = Buffer::uninit(device, dtype, shape.count())?;
    if y.is_empty() {
        return Ok(y);
    }
    let rows = shape.count() / n;
    let (labels, loss) = with.map_or((0, 0), |(labels, loss)| (start(labels), start(loss)));
    let params = Rows { x: start(x), y: start(&y), labels, loss, rows: rows as i32, n: n as i32 };
    let (length, blocks) = if n <= SHORT { ("short", rows.div_ceil(BLOCK / 32)) } else { ("long", rows) };
    // SAFETY: x and y have rows·n elements; labels and losses, where the kernel wants them, one for each row.
    unsafe { launch(device, SOFTMAX, &format!("{what}_{length}"), dtype, [blocks, 1, 1], &params)? };
    Ok(y)
}

/// Softmax over the last axis, or its logarithm.
pub fn softmax(x: View<Buffer>, log: bool) -> Result<Buffer> {
    by_rows(if log { "log_softmax" } else { "softmax" }, x, None)
}

/// The loss of each row, and the softmax.
pub fn softmax_cross_entropy(x: View<Buffer>, labels: View<Buffer>) -> Result<(Buffer, Buffer)> {
    let loss = Buffer::uninit(x.buffer.device(), x.buffer.dtype(), labels.shape().count())?;
    let mut space = None;
    let labels = dense(labels, &mut space)?;
    let softmax = by_rows("cross_entropy", x, Some((labels, &loss)))?;
    Ok((loss, softmax))
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
    kernel.run(device, move |body| {
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
