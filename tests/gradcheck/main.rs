//! The gradient suite: `cargo test --release --test gradcheck`.
//!
//! Every op of the case table (`crates/cases/src/`) against differences of its values, in f64, at rtol 1e-6
//! and atol 1e-7; random geometries, shapes and compositions; rules that are wrong on purpose, each of which must be
//! refused by name; and the check that no op is missing from the table.

mod complete;
mod kinks;
mod random;
mod table;
mod windows;
mod wrong;
