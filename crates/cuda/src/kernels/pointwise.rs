//! Maps, updates, comparisons and choices.

use super::elementwise::{Elementwise, whole};
use crate::Buffer;
use crate::device::CudaDevice;
use crate::emit::{Arg, Class, Real, Sym, cast, from_truth, is_true, value};
use cotangent_base::{Compare, DType, IntegerOp, Map, Result, View};
use std::any::TypeId;

/// An element as a lane.
pub fn sym<T: Real>(x: Arg) -> Sym<T> {
    match x {
        Arg::Value(id) => Sym::new(id),
        other => unreachable!("an element is a value, not {other:?}"),
    }
}

fn evaluate<T: Real, const N: usize, M: Map<N>>(op: M, x: &[Arg]) -> Vec<Arg> {
    vec![op.eval(std::array::from_fn(|k| sym::<T>(x[k]))).arg()]
}

/// `y = op(x₀, …)`.
pub fn map<const N: usize, M: Map<N>>(device: CudaDevice, op: M, x: [View<Buffer>; N]) -> Result<Buffer> {
    let dtype = x[0].buffer.dtype();
    let y = Buffer::uninit(device, dtype, x[0].shape().count())?;
    let kernel = Elementwise {
        formula: TypeId::of::<M>(),
        name: "map",
        variant: 0,
        keep: size_of::<M>() == 0,
        outputs: &[whole(&y, x[0].shape())],
        inputs: &x,
    };
    kernel.run(device, move |body| match dtype {
        DType::F32 => evaluate::<f32, N, M>(op, body.x),
        DType::F64 => evaluate::<f64, N, M>(op, body.x),
        other => panic!("[map] is for floats, not for {other}"),
    })?;
    Ok(y)
}

/// `acc += x`, in place.
pub fn accumulate(device: CudaDevice, acc: &mut Buffer, x: View<Buffer>) -> Result<()> {
    let dtype = acc.dtype();
    let acc = whole(acc, x.shape());
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "accumulate",
        variant: 0,
        keep: true,
        outputs: &[acc],
        inputs: &[acc, x],
    };
    kernel.run(device, move |body| {
        vec![match dtype {
            DType::F32 => (sym::<f32>(body.x[0]) + sym(body.x[1])).arg(),
            DType::F64 => (sym::<f64>(body.x[0]) + sym(body.x[1])).arg(),
            other => panic!("[accumulate] is for floats, not for {other}"),
        }]
    })
}

/// `a op b`, as bools.
pub fn compare(device: CudaDevice, op: Compare, a: View<Buffer>, b: View<Buffer>) -> Result<Buffer> {
    let dtype = a.buffer.dtype();
    let y = Buffer::uninit(device, DType::Bool, a.shape().count())?;
    let opcode = match op {
        Compare::Eq => "setp.eq",
        Compare::Ne if dtype.is_float() => "setp.neu",
        Compare::Ne => "setp.ne",
        Compare::Lt => "setp.lt",
        Compare::Le => "setp.le",
        Compare::Gt => "setp.gt",
        Compare::Ge => "setp.ge",
    };
    let ty = match dtype {
        DType::F32 => "f32",
        DType::F64 => "f64",
        DType::I64 => "s64",
        DType::U32 | DType::U8 | DType::Bool => "u32",
    };
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "compare",
        variant: op as u64,
        keep: true,
        outputs: &[whole(&y, a.shape())],
        inputs: &[a, b],
    };
    kernel.run(device, move |body| vec![from_truth(Arg::Value(value(opcode, ty, Class::Pred, body.x)))])?;
    Ok(y)
}

/// `mask ? a : b`.
pub fn select(device: CudaDevice, mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Result<Buffer> {
    let dtype = a.buffer.dtype();
    let y = Buffer::uninit(device, dtype, a.shape().count())?;
    let (ty, class) = match dtype {
        DType::F32 => ("f32", Class::F32),
        DType::F64 => ("f64", Class::F64),
        DType::I64 => ("b64", Class::B64),
        DType::U32 | DType::U8 | DType::Bool => ("b32", Class::B32),
    };
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "select",
        variant: 0,
        keep: true,
        outputs: &[whole(&y, a.shape())],
        inputs: &[mask, a, b],
    };
    kernel.run(device, move |body| {
        let [mask, a, b] = body.x else { unreachable!("three inputs") };
        vec![Arg::Value(value("selp", ty, class, &[*a, *b, is_true(*mask, DType::Bool)]))]
    })?;
    Ok(y)
}

/// `y = op(a, b)` for integers, computed on i64 and cut to the dtype.
pub fn map_integers(device: CudaDevice, op: IntegerOp, a: View<Buffer>, b: View<Buffer>) -> Result<Buffer> {
    let dtype = a.buffer.dtype();
    let y = Buffer::uninit(device, dtype, a.shape().count())?;
    let kernel = Elementwise {
        formula: TypeId::of::<()>(),
        name: "map_integers",
        variant: op as u64,
        keep: true,
        outputs: &[whole(&y, a.shape())],
        inputs: &[a, b],
    };
    kernel.run(device, move |body| {
        let [a, b] = [0, 1].map(|k| cast(body.x[k], dtype, DType::I64));
        vec![cast(integer(op, a, b), DType::I64, dtype)]
    })?;
    Ok(y)
}

fn integer(op: IntegerOp, a: Arg, b: Arg) -> Arg {
    let long = |op, ty, args: &[Arg]| Arg::Value(value(op, ty, Class::B64, args));
    let choose = |yes, no, truth| long("selp", "b64", &[yes, no, truth]);
    let is = |x, c| Arg::Value(value("setp.eq", "s64", Class::Pred, &[x, Arg::Int(c)]));
    match op {
        IntegerOp::Add => long("add", "s64", &[a, b]),
        IntegerOp::Sub => long("sub", "s64", &[a, b]),
        IntegerOp::Mul => long("mul.lo", "s64", &[a, b]),
        IntegerOp::Min => long("min", "s64", &[a, b]),
        IntegerOp::Max => long("max", "s64", &[a, b]),
        IntegerOp::Div => {
            // x / 0 is 0, and the least number / −1 wraps; the instruction promises neither
            let divisor = choose(Arg::Int(1), b, is(b, 0));
            let minus = is(b, -1);
            let quotient = long("div", "s64", &[a, choose(Arg::Int(1), divisor, minus)]);
            let quotient = choose(long("sub", "s64", &[Arg::Int(0), a]), quotient, minus);
            choose(Arg::Int(0), quotient, is(b, 0))
        }
    }
}
