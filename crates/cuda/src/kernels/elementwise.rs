//! Launching emitted kernels.

use super::BLOCK;
use crate::Buffer;
use crate::device::CudaDevice;
use crate::emit::{self, Arg, Body, Plan};
use crate::module::Key;
use cotangent_base::{DType, Layout, Result, Shape, View};
use std::any::TypeId;

/// One element-by-element computation.
pub struct Elementwise<'a, 'b> {
    /// The type of the formula, `()` if the name says it all.
    pub formula: TypeId,
    /// The frame that the formula is in.
    pub name: &'static str,
    /// What distinguishes kernels of one name: an operation.
    pub variant: u64,
    /// Whether formula, name, variant and dtypes alone decide the kernel and its constants.
    pub keep: bool,
    /// What is written.
    pub outputs: &'b [View<'a, Buffer>],
    /// What is read.
    pub inputs: &'b [View<'a, Buffer>],
}

/// All of a buffer in row-major order, as a tensor of this shape.
pub fn whole(buffer: &Buffer, shape: Shape) -> View<'_, Buffer> {
    View { buffer, layout: Layout::contiguous(shape) }
}

impl Elementwise<'_, '_> {
    /// Computes the outputs by `body`, which is recorded where the kernel is not known yet.
    pub fn run(&self, device: CudaDevice, body: impl FnOnce(Body) -> Vec<Arg>) -> Result<()> {
        let operands: Vec<&View<Buffer>> = self.outputs.iter().chain(self.inputs).collect();
        let plan = Plan::new(&operands.iter().map(|x| x.layout).collect::<Vec<_>>());
        if plan.count == 0 {
            return Ok(());
        }
        debug_assert!(operands.iter().all(|x| x.layout.end() <= x.buffer.len()), "a view lies in its buffer");
        let dtypes = |views: &[View<Buffer>]| views.iter().map(|x| x.buffer.dtype()).collect::<Vec<DType>>();
        let (outputs, inputs) = (dtypes(self.outputs), dtypes(self.inputs));
        let key = Key {
            formula: (self.formula, self.name),
            variant: outputs.iter().chain(&inputs).fold(self.variant, |v, &d| v * 8 + d as u64),
            rank: plan.rank(),
        };
        let graph = || emit::elementwise(plan.rank(), &outputs, &inputs, body);
        let (function, constants) = device.emitted(key, self.keep, plan.slots(), graph)?;

        let mut slots = Vec::with_capacity(plan.slots() + constants.len());
        slots.push(plan.count as u64);
        slots.extend(plan.sizes.iter().map(|&n| n as u64));
        for (x, (offset, strides)) in operands.iter().zip(&plan.operands) {
            slots.push(x.buffer.address(*offset));
            slots.extend(strides.iter().map(|&s| s as i64 as u64));
        }
        slots.extend(constants);
        // SAFETY: the slots are those of the frame that was emitted, and every view lies in its buffer.
        unsafe { device.launch(function, [plan.count.div_ceil(BLOCK), 1, 1], BLOCK as u32, &slots[..]) }
    }
}
