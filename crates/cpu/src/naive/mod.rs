//! The kernels as plain loops over f64 in row-major order: the specification that the fast ones agree with.
//!
//! No SIMD, no threads, no care for memory; each text is as close to its equation as it can be.

pub mod reduce;
