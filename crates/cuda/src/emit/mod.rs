//! PTX for element-by-element kernels, from the same text over [`Lane`](cotangent_base::Lane) that the CPU's loops are
//! compiled from: [`Sym`] is a lane whose numbers are registers and whose arithmetic records instructions.
//!
//! Every operation is emitted with its rounding (`add.rn`, `fma.rn`), so that the assembler fuses nothing and the results
//! are those of the CPU's lanes with fused multiply-add, to the last bit.

mod bits;
mod convert;
mod double;
mod elementwise;
mod graph;
mod lane;
mod philox;
mod table;
mod text;

pub use convert::{cast, from_truth, is_true};
pub use elementwise::{Body, Plan, class, elementwise, load};
pub use graph::{Arg, Class, Graph, parameter, record, value};
pub use lane::{Real, Sym};
pub use philox::{unit_f32, unit_f64, words};
pub use table::{Table, UNUSED, WORDS, table, words as store_words};
pub use text::{ENTRY, ptx};

#[cfg(test)]
mod tests;
