//! Do the fast kernels agree with the definition? f32 at every SIMD level that this CPU has against f64 and plain
//! loops, whatever the layout, the number of threads and the values.

mod functions;
mod levels;
mod products;
mod sizes;
mod table;
mod threads;
mod windows;
