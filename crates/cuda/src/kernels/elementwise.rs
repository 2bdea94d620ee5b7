//! Element-by-element computations: launched when they are asked for or, while a step is recorded, joined to
//! [chains](crate::chain).

use super::BLOCK;
use crate::device::CudaDevice;
use crate::emit::{self, Arg, Body, Plan};
use crate::module::Key;
use crate::{Buffer, capture};
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

/// The elements of the outputs, recorded as those of the inputs are worked on.
pub type Formula = Box<dyn Fn(Body) -> Vec<Arg>>;

impl Elementwise<'_, '_> {
    /// Computes the outputs by `formula`, which looks at each input's element and no other. While a step is recorded it may
    /// be done later, in one kernel with others.
    pub fn run(&self, device: CudaDevice, formula: impl Fn(Body) -> Vec<Arg> + 'static) -> Result<()> {
        let link = self.link(Box::new(formula));
        match capture::records_on(device) {
            true => capture::wait(device, link),
            false => link.launch(device),
        }
    }

    /// The same for a formula that reads an input where it likes: at once, by itself.
    pub fn run_alone(&self, device: CudaDevice, formula: impl Fn(Body) -> Vec<Arg> + 'static) -> Result<()> {
        self.outputs.iter().chain(self.inputs).for_each(|x| _ = x.buffer.address(0));
        capture::settle(device)?;
        self.link(Box::new(formula)).launch(device)
    }

    fn link(&self, formula: Formula) -> Link {
        let operands = |views: &[View<Buffer>]| views.iter().map(Operand::new).collect();
        let (outputs, inputs) = (operands(self.outputs), operands(self.inputs));
        Link { name: (self.formula, self.name), variant: self.variant, keep: self.keep, outputs, inputs, formula }
    }
}

/// Elements in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operand {
    /// The address of the memory.
    pub block: u64,
    pub dtype: DType,
    /// Where in it the elements are.
    pub layout: Layout,
}

impl Operand {
    fn new(x: &View<Buffer>) -> Self {
        debug_assert!(x.layout.end() <= x.buffer.len(), "a view lies in its buffer");
        Self { block: x.buffer.block(), dtype: x.buffer.dtype(), layout: x.layout }
    }
}

/// An [`Elementwise`] that holds nobody's buffers, only addresses.
pub struct Link {
    pub name: (TypeId, &'static str),
    pub variant: u64,
    pub keep: bool,
    /// At least one.
    pub outputs: Vec<Operand>,
    pub inputs: Vec<Operand>,
    pub formula: Formula,
}

impl Link {
    /// Of all operands.
    pub fn shape(&self) -> Shape {
        self.outputs[0].layout.shape
    }

    /// All operands: what is written, then what is read.
    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        self.outputs.iter().chain(&self.inputs)
    }

    /// The kernel for operands of so many axes.
    pub fn graph(&self, rank: usize) -> emit::Graph {
        let dtypes = |operands: &[Operand]| operands.iter().map(|x| x.dtype).collect::<Vec<DType>>();
        emit::elementwise(rank, &dtypes(&self.outputs), &dtypes(&self.inputs), &self.formula)
    }

    /// Computes it.
    pub fn launch(&self, device: CudaDevice) -> Result<()> {
        let plan = Plan::new(&self.operands().map(|x| x.layout).collect::<Vec<_>>());
        if plan.count == 0 {
            return Ok(());
        }
        let dtypes = self.operands().map(|x| x.dtype as u64);
        let variant = dtypes.fold(self.variant, |v, dtype| v.wrapping_mul(8).wrapping_add(dtype));
        let key = Key { formula: self.name, variant, rank: plan.rank() };
        let (function, constants) = device.emitted(key, self.keep, plan.slots(), || self.graph(plan.rank()))?;

        let mut slots = Vec::with_capacity(plan.slots() + constants.len());
        slots.push(plan.count as u64);
        slots.extend(plan.sizes.iter().map(|&n| n as u64));
        for (x, (offset, strides)) in self.operands().zip(&plan.operands) {
            slots.push(x.block + (offset * x.dtype.bytes()) as u64);
            slots.extend(strides.iter().map(|&s| s as i64 as u64));
        }
        slots.extend(constants);
        // SAFETY: the slots are those of the frame that was emitted, and every operand lies in its memory.
        unsafe { device.enqueue(function, [plan.count.div_ceil(BLOCK), 1, 1], BLOCK as u32, &slots[..]) }
    }
}
