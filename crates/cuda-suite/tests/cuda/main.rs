//! The CUDA backend against the CPU's: every op, training, errors.

mod errors;
mod functions;
mod table;
mod training;
