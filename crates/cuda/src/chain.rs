//! Chains: element-by-element computations that become one kernel.
//!
//! While a step is recorded, such computations wait to be launched, joined to chains. What one of them writes, the next finds
//! in a register, and what nobody holds any more when the chain is launched is never written to memory. The bits are those of
//! one launch each: every operation rounds by itself, and a register holds what memory would.
//!
//! A chain is launched before anything that its memory matters to: a kernel that is given the address of a block which the
//! chain reads or writes, or a computation on such a block that cannot join it. So chains that wait have nothing to do with one
//! another, nor with what is launched before them. A thread sees only its own element, hence memory that a chain
//! writes is used there through one layout alone. What takes over memory that was given up meanwhile is one more use of that block.

use crate::emit::{Arg, Body, Class, value};
use crate::kernels::elementwise::{Link, Operand};
use cotangent_base::{DType, Shape};
use std::any::TypeId;

/// The most memory operands of a chain, so that its addresses stay few among the registers.
pub const OPERANDS: usize = 24;
/// The most instructions, before those that nobody needs are left out.
const INSTRUCTIONS: usize = 3000;
/// The most numbers of formulas: with all else they must fit the 4 KiB of a kernel's parameters.
const CONSTANTS: usize = 256;
/// The most chains that wait.
const CHAINS: usize = 8;

/// Elements that a chain works on.
#[derive(Debug)]
struct Cell {
    place: Operand,
    /// Whether they are read from memory, as they were before the chain.
    loaded: bool,
    /// Whether they are computed in the chain.
    written: bool,
    /// Whether a buffer holds the memory still.
    held: bool,
}

impl Cell {
    /// Whether the chain's kernel will write them.
    fn stored(&self) -> bool {
        self.written && self.held
    }

    fn in_memory(&self) -> bool {
        self.loaded || self.stored()
    }

    /// Whether it counts if the chain's kernel runs before or after another that uses the block.
    fn depends(&self, block: u64, writes: bool) -> bool {
        self.place.block == block && (self.stored() || (self.loaded && writes))
    }
}

/// Computations that wait for being launched together.
#[derive(Default)]
pub struct Chain {
    cells: Vec<Cell>,
    /// With the cells of the inputs and of the outputs.
    links: Vec<(Link, Vec<usize>, Vec<usize>)>,
    instructions: usize,
    constants: usize,
}

/// The operands of a link, and whether it writes them.
fn uses(link: &Link) -> impl Iterator<Item = (&Operand, bool)> {
    link.outputs.iter().map(|x| (x, true)).chain(link.inputs.iter().map(|x| (x, false)))
}

fn operands(link: &mut Link) -> impl Iterator<Item = &mut Operand> {
    link.outputs.iter_mut().chain(&mut link.inputs)
}

/// Sees the operands in a shape of as many elements, each layout in its plainest form. Whether that can be.
fn reshape<'a>(operands: impl Iterator<Item = &'a mut Operand>, shape: Shape) -> bool {
    let reshaped = operands.map(|x| x.layout.reshape(shape).map(|layout| (x, layout)));
    let Some(all) = reshaped.collect::<Option<Vec<_>>>() else { return false };
    all.into_iter().for_each(|(x, layout)| x.layout = layout);
    true
}

impl Chain {
    fn shape(&self) -> Shape {
        self.links[0].0.shape()
    }

    /// Whether the chain's kernel reads or writes the block.
    fn touches(&self, block: u64) -> bool {
        self.cells.iter().any(|cell| cell.place.block == block && cell.in_memory())
    }

    /// Whether the order of the chain and the link counts.
    fn depends(&self, link: &Link) -> bool {
        uses(link).any(|(x, writes)| self.cells.iter().any(|cell| cell.depends(x.block, writes)))
    }

    /// Whether the link can be the next of the chain, which has its shape then: no block that is written is used through
    /// two layouts.
    fn fits(&mut self, link: &mut Link) -> bool {
        let (mine, its) = (self.shape(), link.shape());
        if mine.count() != its.count() {
            return false;
        }
        if mine != its && !reshape(operands(link), mine) {
            let mine = self.links.iter_mut().flat_map(|(link, ..)| operands(link));
            if !reshape(mine.chain(self.cells.iter_mut().map(|cell| &mut cell.place)), its) {
                return false;
            }
        }
        uses(link).all(|(x, writes)| self.cells.iter().all(|cell| !cell.depends(x.block, writes) || cell.place == *x))
    }

    /// Whether the chain with this link is still of a size that a kernel should have.
    fn has_room(&self, link: &Link, instructions: usize, constants: usize) -> bool {
        let in_memory = self.cells.iter().filter(|cell| cell.in_memory()).count();
        in_memory + link.operands().count() <= OPERANDS
            && self.instructions + instructions <= INSTRUCTIONS
            && self.constants + constants <= CONSTANTS
    }

    /// The cell of these elements.
    fn cell(&mut self, place: Operand, writes: bool) -> usize {
        let known = self.cells.iter().position(|cell| cell.held && cell.place == place);
        let index = known.unwrap_or_else(|| {
            self.cells.push(Cell { place, loaded: !writes, written: false, held: true });
            self.cells.len() - 1
        });
        self.cells[index].written |= writes;
        index
    }

    fn add(&mut self, link: Link, instructions: usize, constants: usize) {
        let inputs = link.inputs.iter().map(|&x| self.cell(x, false)).collect();
        let outputs = link.outputs.iter().map(|&x| self.cell(x, true)).collect();
        self.links.push((link, inputs, outputs));
        self.instructions += instructions;
        self.constants += constants;
    }

    /// The chain as one computation; none if nobody wants what it gives.
    pub fn joined(mut self) -> Option<Link> {
        let which = |is: fn(&Cell) -> bool| (0..self.cells.len()).filter(|&i| is(&self.cells[i])).collect::<Vec<_>>();
        let (outputs, inputs) = (which(Cell::stored), which(|cell| cell.loaded));
        if outputs.is_empty() {
            return None;
        }
        if self.links.len() == 1 && self.links[0].0.outputs.len() == outputs.len() {
            return self.links.pop().map(|(link, ..)| link);
        }
        let places = |cells: &[usize]| cells.iter().map(|&i| self.cells[i].place).collect::<Vec<_>>();
        Some(Link {
            name: (TypeId::of::<Chain>(), "chain"),
            variant: outputs.len() as u64,
            keep: false,
            outputs: places(&outputs),
            inputs: places(&inputs),
            formula: Box::new(move |body| self.compute(body, &outputs, &inputs)),
        })
    }

    /// What the cells `stored` have in the end, given what the cells `loaded` have in the beginning.
    fn compute(&self, body: Body, stored: &[usize], loaded: &[usize]) -> Vec<Arg> {
        let mut values: Vec<Option<Arg>> = vec![None; self.cells.len()];
        loaded.iter().zip(body.x).for_each(|(&cell, &x)| values[cell] = Some(x));
        for (link, inputs, outputs) in &self.links {
            let x: Vec<Arg> = inputs.iter().map(|&i| values[i].expect("loaded or computed before")).collect();
            let y = (link.formula)(Body { x: &x, ..body });
            for ((&cell, operand), y) in outputs.iter().zip(&link.outputs).zip(y) {
                values[cell] = Some(as_read(y, operand.dtype));
            }
        }
        stored.iter().map(|&i| values[i].expect("computed by a link")).collect()
    }
}

/// An element as it would come back from memory: of a byte's word, memory keeps the lower eight bits.
fn as_read(x: Arg, dtype: DType) -> Arg {
    match dtype {
        DType::U8 => Arg::Value(value("and", "b32", Class::B32, &[x, Arg::Int(255)])),
        _ => x,
    }
}

/// The chains that wait. The order of any two of them does not count.
#[derive(Default)]
pub struct Waiting(Vec<Chain>);

impl Waiting {
    /// Adds a computation. What must be launched first.
    #[must_use]
    pub fn push(&mut self, mut link: Link) -> Vec<Chain> {
        let shape = link.shape();
        reshape(operands(&mut link), shape);
        let graph = link.graph(1);
        let (instructions, constants) = (graph.size(), graph.constants().len());
        let place =
            self.0.iter_mut().position(|chain| chain.has_room(&link, instructions, constants) && chain.fits(&mut link));
        let mut chain = place.map(|i| self.0.remove(i)).unwrap_or_default();
        let mut first = self.take(|other| other.depends(&link));
        if self.0.len() == CHAINS - 1 {
            first.push(self.0.remove(0));
        }
        chain.add(link, instructions, constants);
        self.0.push(chain);
        first
    }

    fn take(&mut self, which: impl Fn(&Chain) -> bool) -> Vec<Chain> {
        self.0.extract_if(.., |chain| which(chain)).collect()
    }

    /// Takes out the chains that touch one of these blocks.
    pub fn take_users(&mut self, blocks: &[u64]) -> Vec<Chain> {
        self.take(|chain| blocks.iter().any(|&block| chain.touches(block)))
    }

    /// Takes out all.
    pub fn take_all(&mut self) -> Vec<Chain> {
        std::mem::take(&mut self.0)
    }

    /// Whether a chain will read or write the block.
    pub fn touch(&self, block: u64) -> bool {
        self.0.iter().any(|chain| chain.touches(block))
    }

    /// Nobody holds the block any more: what chains would write there nobody reads, and what is there later is something else.
    pub fn give_up(&mut self, block: u64) {
        let cells = self.0.iter_mut().flat_map(|chain| &mut chain.cells);
        cells.filter(|cell| cell.place.block == block).for_each(|cell| cell.held = false);
    }
}
