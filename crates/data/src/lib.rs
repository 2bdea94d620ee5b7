//! What goes into training and what comes out: the IDX, NumPy and safetensors formats, MNIST, the order of the batches.
//!
//! Every reader streams: a size that a file claims is never allocated before its bytes have arrived. Every writer
//! replaces its file in one step.

mod array;
mod atomic;
mod batches;
mod digits;
mod elements;
mod file;
mod idx;
mod mnist;
mod npy;
mod npz;
mod safetensors;
mod zip;

pub use array::{Array, ArrayData};
pub use atomic::replace_file;
pub use batches::Batches;
pub use elements::checksum;
pub use idx::{read_idx, read_idx_images, read_idx_labels};
pub use mnist::{Mnist, MnistLoader, Source};
pub use npy::read_npy;
pub use npz::{Npz, write_npz};
pub use safetensors::Safetensors;
