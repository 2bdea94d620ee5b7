//! Optimizer rules, over all tensors in one launch.

use super::BLOCK;
use super::memory::dense;
use super::pointwise::sym;
use crate::Buffer;
use crate::capture;
use crate::device::CudaDevice;
use crate::emit::{self, Arg, Real, Sym, Table, UNUSED, table};
use crate::module::Key;
use cotangent_base::{DType, Moved, Result, Update};
use std::any::TypeId;

/// A tensor that is moved: its number of elements, and where they are.
struct Row {
    count: usize,
    addresses: Vec<u64>,
}

/// `(p, state) = op(p, g, state)` for each, in place.
pub fn update_all<const S: usize, U: Update<S>>(device: CudaDevice, op: U, moved: Vec<Moved<Buffer, S>>) -> Result<()> {
    let Some(dtype) = moved.first().map(|m| m.p.dtype()) else { return Ok(()) };
    debug_assert!(moved.iter().all(|m| m.p.dtype() == dtype), "one dtype");
    let mut copies: Vec<Option<Buffer>> = moved.iter().map(|_| None).collect();
    let mut rows = Vec::with_capacity(moved.len());
    for (m, copy) in moved.iter().zip(&mut copies).filter(|(m, _)| !m.p.is_empty()) {
        let g = dense(m.g, copy)?.address(0);
        let state = m.state.iter().map(|s| s.address(0));
        // what is written comes first
        let addresses = [m.p.address(0)].into_iter().chain(state).chain([g]).collect();
        rows.push(Row { count: m.p.len(), addresses });
    }
    let live = capture::numbers(TypeId::of::<U>(), dtype, || constants::<S, U>(op, dtype));
    let frame = Table::for_tensors(rows.len(), 2 + S);
    rows.chunks(frame.capacity).try_for_each(|rows| launch(device, op, dtype, frame, rows, live))
}

fn launch<const S: usize, U: Update<S>>(
    device: CudaDevice,
    op: U,
    dtype: DType,
    frame: Table,
    rows: &[Row],
    live: Option<u64>,
) -> Result<()> {
    let key = Key {
        formula: (TypeId::of::<U>(), if live.is_some() { "update with live numbers" } else { "update" }),
        variant: (frame.capacity * 8) as u64 + dtype as u64,
        rank: 0,
    };
    let graph = || {
        table(frame, 1 + S, dtype, live.is_some(), |x| match dtype {
            DType::F32 => step::<f32, S, U>(op, x),
            DType::F64 => step::<f64, S, U>(op, x),
            other => panic!("[update] is for floats, not for {other}"),
        })
    };
    let (function, constants) = device.emitted(key, size_of::<U>() == 0, frame.slots(), graph)?;
    let mut slots = Vec::with_capacity(frame.slots() + constants.len());
    let mut blocks = 0;
    for row in rows {
        slots.extend([blocks as u64, row.count as u64]);
        slots.extend(&row.addresses);
        blocks += row.count.div_ceil(BLOCK);
    }
    for _ in rows.len()..frame.capacity {
        slots.push(UNUSED);
        slots.resize(slots.len() + frame.width() - 1, 0);
    }
    match live {
        Some(address) => slots.push(address),
        None => slots.extend(constants),
    }
    // SAFETY: the slots are those of the frame that was emitted, and every row's buffers are as long as it says.
    unsafe { device.launch(function, [blocks, 1, 1], BLOCK as u32, &slots[..]) }
}

/// The new parameter and state, from the parameter, the state and the gradient.
fn step<T: Real, const S: usize, U: Update<S>>(op: U, x: &[Arg]) -> Vec<Arg> {
    let (p, state) = op.step(sym::<T>(x[0]), sym(x[1 + S]), std::array::from_fn(|k| sym(x[1 + k])));
    std::iter::once(p).chain(state).map(Sym::arg).collect()
}

/// The numbers of a rule, in the order in which its kernel reads them.
pub fn constants<const S: usize, U: Update<S>>(op: U, dtype: DType) -> Vec<u64> {
    let graph = emit::record(0, || match dtype {
        DType::F32 => drop(step::<f32, S, U>(op, &vec![placeholder::<f32>(); 2 + S])),
        _ => drop(step::<f64, S, U>(op, &vec![placeholder::<f64>(); 2 + S])),
    });
    graph.constants().to_vec()
}

fn placeholder<T: Real>() -> Arg {
    Arg::Value(emit::value("mov", T::TYPE, T::CLASS, &[T::literal(1.0)]))
}
