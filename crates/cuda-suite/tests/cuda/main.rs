//! The CUDA backend against the CPU's: every op, training, errors.

mod capture;
mod chain_costs;
mod chains;
mod errors;
mod fit;
mod functions;
mod index;
mod norms;
mod precision;
mod products;
mod reductions;
mod refusals;
mod same;
mod table;
mod tiles;
mod training;
mod wgmma;
mod windows;
