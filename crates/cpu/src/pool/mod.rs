//! Pooling over windows of images, in both data formats.

mod avg;
mod gather;
mod max;
#[cfg(test)]
mod tests;
mod windows;

pub use avg::{avg_pool2d, avg_pool2d_dx};
pub use max::{max_pool2d, max_pool2d_dx};
