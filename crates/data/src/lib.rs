//! What goes into training: readers for the IDX and NumPy formats, MNIST, and the order of the batches.
//!
//! Every reader streams: a size that a file claims is never allocated before its bytes have arrived.

mod array;
mod batches;
mod digits;
mod file;
mod idx;
mod mnist;
mod npy;
mod npz;
mod zip;

pub use array::{Array, ArrayData};
pub use batches::Batches;
pub use idx::{read_idx, read_idx_images, read_idx_labels};
pub use mnist::{Mnist, MnistLoader, Source};
pub use npy::read_npy;
pub use npz::Npz;
