//! Making buffers and moving elements.

use super::elementwise::{Elementwise, whole};
use crate::Buffer;
use crate::device::CudaDevice;
use crate::emit::{Arg, Class, cast as cast_element, class, parameter, value};
use cotangent_base::{DType, Element, Layout, Result, Shape, View};
use std::any::TypeId;

/// The elements in row-major order.
pub fn download<T: Element>(x: View<Buffer>) -> Result<Vec<T>> {
    if x.layout == Layout::contiguous(x.shape()) && x.shape().count() == x.buffer.len() {
        return x.buffer.to_vec();
    }
    copy(x)?.to_vec()
}

fn parameter_of(bits: u64, dtype: DType) -> Arg {
    let ty = match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I64 => "s64",
        DType::U32 | DType::U8 | DType::Bool => "u32",
    };
    Arg::Value(value("ld.param", ty, class(dtype), &[Arg::Slot(parameter(bits))]))
}

/// The bits of `value` as an element.
fn bits(value: f64, dtype: DType) -> u64 {
    match dtype {
        DType::F32 => f32::from_f64(value).to_bits() as u64,
        DType::F64 => value.to_bits(),
        DType::U32 => u32::from_f64(value) as u64,
        DType::I64 => i64::from_f64(value) as u64,
        DType::U8 => u8::from_f64(value) as u64,
        DType::Bool => bool::from_f64(value) as u64,
    }
}

/// A kernel whose name, dtypes and variant say it all.
fn run(
    name: &'static str,
    keep: bool,
    output: View<Buffer>,
    inputs: &[View<Buffer>],
    body: impl Fn(Arg, &[Arg]) -> Arg + 'static,
) -> Result<()> {
    let kernel = Elementwise { formula: TypeId::of::<()>(), name, variant: 0, keep, outputs: &[output], inputs };
    kernel.run(output.buffer.device(), move |x| vec![body(x.index, x.x)])
}

/// `count` times `value`.
pub fn fill(device: CudaDevice, dtype: DType, count: usize, value: f64) -> Result<Buffer> {
    let y = Buffer::uninit(device, dtype, count)?;
    run("fill", false, whole(&y, Shape::from([count])), &[], move |_, _| parameter_of(bits(value, dtype), dtype))?;
    Ok(y)
}

/// `start + i·step`, computed in f64.
pub fn arange(device: CudaDevice, dtype: DType, count: usize, start: f64, step: f64) -> Result<Buffer> {
    let y = Buffer::uninit(device, dtype, count)?;
    run("arange", false, whole(&y, Shape::from([count])), &[], move |index, _| {
        let double = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::F64, args));
        let i = double("cvt.rn.f64", "u32", &[index]);
        let [start, step] = [start, step].map(|x| parameter_of(x.to_bits(), DType::F64));
        let x = double("add.rn", "f64", &[start, double("mul.rn", "f64", &[i, step])]);
        cast_element(x, DType::F64, dtype)
    })?;
    Ok(y)
}

/// The elements in row-major order without gaps.
pub fn copy(x: View<Buffer>) -> Result<Buffer> {
    let y = Buffer::uninit(x.buffer.device(), x.buffer.dtype(), x.shape().count())?;
    run("copy", true, whole(&y, x.shape()), &[x], |_, x| x[0])?;
    Ok(y)
}

/// Writes the elements of `x` into the places that `places` names, each of them once.
pub fn assign(out: &mut Buffer, places: Layout, x: View<Buffer>) -> Result<()> {
    run("copy", true, View { buffer: out, layout: places }, &[x], |_, x| x[0])
}

/// The elements as another dtype.
pub fn cast(x: View<Buffer>, dtype: DType) -> Result<Buffer> {
    let from = x.buffer.dtype();
    let y = Buffer::uninit(x.buffer.device(), dtype, x.shape().count())?;
    run("cast", true, whole(&y, x.shape()), &[x], move |_, x| cast_element(x[0], from, dtype))?;
    Ok(y)
}

/// The view's buffer if it is row-major from its start, else a copy in `space`.
pub fn dense<'a>(x: View<'a, Buffer>, space: &'a mut Option<Buffer>) -> Result<&'a Buffer> {
    if x.layout.is_contiguous() && x.layout.offset == 0 {
        return Ok(x.buffer);
    }
    Ok(space.insert(copy(x)?))
}
