//! Reading and adding by index.

use super::elementwise::{Elementwise, whole};
use super::memory::{copy, fill};
use super::{BLOCK, launch, start};
use crate::Buffer;
use crate::emit::{Arg, Class, load, parameter, value};
use cotangent_base::{DType, Layout, MAX_RANK, Result, View};
use cotangent_kernels::INDEX;
use std::any::TypeId;

/// `y[.., i, ..] = x[.., index[.., i, ..], ..]` along `axis`; index has y's shape.
pub fn gather(x: View<Buffer>, axis: usize, index: View<Buffer>) -> Result<Buffer> {
    let (device, dtype, shape) = (x.buffer.device(), x.buffer.dtype(), index.shape());
    // where the line along the axis begins that an element is taken from
    let mut strides = x.layout.strides().to_vec();
    let step = std::mem::take(&mut strides[axis]);
    let lines = View { buffer: x.buffer, layout: Layout::new(shape, &strides, x.layout.offset) };
    let y = Buffer::uninit(device, dtype, shape.count())?;
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "gather",
        variant: 0,
        keep: false,
        outputs: &[whole(&y, shape)],
        inputs: &[index, lines],
    };
    kernel.run_alone(device, move |body| {
        let bytes = step as i64 * dtype.bytes() as i64;
        let bytes = Arg::Value(value("ld.param", "s64", Class::B64, &[Arg::Slot(parameter(bytes as u64))]));
        let at = value("mad.lo", "s64", Class::B64, &[body.x[0], bytes, Arg::Value(body.at[1])]);
        vec![load(dtype, at)]
    })?;
    Ok(y)
}

/// Slices `index[0], index[1], …` of axis `axis`.
pub fn index_select(x: View<Buffer>, axis: usize, index: View<Buffer>) -> Result<Buffer> {
    gather(x, axis, View { buffer: index.buffer, layout: along(index, &x, axis) })
}

/// A list of indices as the index of whole slices: the same at every place of a slice.
fn along(index: View<Buffer>, x: &View<Buffer>, axis: usize) -> Layout {
    let shape = x.shape().with(axis, index.shape()[0]);
    let strides: Vec<isize> =
        (0..shape.rank()).map(|a| if a == axis { index.layout.strides()[0] } else { 0 }).collect();
    Layout::new(shape, &strides, index.layout.offset)
}

/// Adds slice `i` of `x` to slice `index[i]` of zeros.
pub fn index_add(x: View<Buffer>, axis: usize, index: View<Buffer>, size: usize) -> Result<Buffer> {
    let shape = x.shape().with(axis, size);
    let y = fill(x.buffer.device(), x.buffer.dtype(), shape.count(), 0.0)?;
    let index = View { buffer: index.buffer, layout: along(index, &x, axis) };
    add(y, Layout::contiguous(shape), axis, index, x)
}

/// `y = base; y[.., index[.., i, ..], ..] += x[.., i, ..]`.
pub fn scatter_add(base: View<Buffer>, axis: usize, index: View<Buffer>, x: View<Buffer>) -> Result<Buffer> {
    add(copy(base)?, Layout::contiguous(base.shape()), axis, index, x)
}

/// The axes beside the indexed one.
const OTHERS: usize = MAX_RANK - 1;

/// The parameter of the kernel.
#[repr(C)]
#[derive(Default)]
struct Spread {
    y: u64,
    x: u64,
    index: u64,
    lines: i32,
    n: i32,
    sizes: [i32; OTHERS],
    y_strides: [i32; OTHERS],
    x_strides: [i32; OTHERS],
    index_strides: [i32; OTHERS],
    y_step: i32,
    x_step: i32,
    index_step: i32,
}

fn add(y: Buffer, places: Layout, axis: usize, index: View<Buffer>, x: View<Buffer>) -> Result<Buffer> {
    let shape = index.shape();
    let lines: usize = shape.count() / shape[axis].max(1);
    if shape.count() == 0 {
        return Ok(y);
    }
    let mut params = Spread {
        y: start(&y),
        x: x.buffer.address(x.layout.offset),
        index: index.buffer.address(index.layout.offset),
        lines: lines as i32,
        n: shape[axis] as i32,
        sizes: [1; OTHERS],
        y_step: places.strides()[axis] as i32,
        x_step: x.layout.strides()[axis] as i32,
        index_step: index.layout.strides()[axis] as i32,
        ..Spread::default()
    };
    for (k, a) in (0..shape.rank()).filter(|&a| a != axis).enumerate() {
        params.sizes[k] = shape[a] as i32;
        params.y_strides[k] = places.strides()[a] as i32;
        params.x_strides[k] = x.layout.strides()[a] as i32;
        params.index_strides[k] = index.layout.strides()[a] as i32;
    }
    // SAFETY: the views lie in their buffers, x has the index's shape, and every index is within y's axis.
    unsafe { launch(y.device(), INDEX, "add", y.dtype(), [lines.div_ceil(BLOCK), 1, 1], &params)? };
    Ok(y)
}

/// The indices, those beyond `0..size` as the nearest within.
pub fn cut(index: View<Buffer>, size: usize) -> Result<Buffer> {
    let device = index.buffer.device();
    let y = Buffer::uninit(device, DType::I64, index.shape().count())?;
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "cut",
        variant: 0,
        keep: false,
        outputs: &[whole(&y, index.shape())],
        inputs: &[index],
    };
    kernel.run(device, move |body| {
        let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
        let last = long("ld.param", "s64", &[Arg::Slot(parameter(size as u64 - 1))]);
        vec![long("min", "s64", &[long("max", "s64", &[body.x[0], Arg::Int(0)]), last])]
    })?;
    Ok(y)
}
