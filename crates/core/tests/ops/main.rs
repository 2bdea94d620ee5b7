//! Every op: its values against plain loops or numbers worked out by hand, its derivatives against central
//! differences, its refusals word by word; and the graph itself.

mod autograd;
mod cases;
mod display;
mod gradients;
mod index;
mod infer;
mod join;
mod memory;
mod nn;
mod pointwise;
mod reduce;
mod support;
mod update;
