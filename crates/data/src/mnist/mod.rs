//! MNIST: 70,000 handwritten digits, from a folder, the cache, the network, or the library's own pen.
//!
//! LeCun, Bottou, Bengio, Haffner: *Gradient-based learning applied to document recognition*, 1998.

mod cache;
#[cfg(feature = "download")]
mod download;
mod folder;
mod loader;
mod source;

use std::path::Path;

use cotangent_base::{DType, Result, Rng};
use cotangent_core::Tensor;

use crate::digits::{self, SIDE};
pub use loader::MnistLoader;
pub use source::Source;

/// Images of digits and their labels, to train on and to test with.
///
/// ```
/// use cotangent_core::DType;
/// use cotangent_data::Mnist;
///
/// let mnist = Mnist::synthetic(60, 10, 0);
/// assert_eq!(mnist.x_train.shape(), [60, 28, 28].into());
/// assert_eq!((mnist.x_train.dtype(), mnist.y_train.dtype()), (DType::U8, DType::I64));
/// ```
#[derive(Clone)]
pub struct Mnist {
    /// Images to train on, u8 `[count, 28, 28]`: 0 is the background, 255 full ink.
    pub x_train: Tensor,
    /// Their labels, i64 `[count]`, 0 to 9.
    pub y_train: Tensor,
    /// Images to test with, u8 `[count, 28, 28]`.
    pub x_test: Tensor,
    /// Their labels, i64 `[count]`.
    pub y_test: Tensor,
    source: Source,
}

/// Images, one after another, and their labels, as files have them.
struct Split {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Split {
    fn tensors(self) -> (Tensor, Tensor) {
        let labels: Vec<i64> = self.labels.into_iter().map(i64::from).collect();
        (Tensor::from_slice(&self.pixels, [labels.len(), SIDE, SIDE]), Tensor::from_vec(labels))
    }
}

impl Mnist {
    /// MNIST from wherever there is one: the folder `MNIST_DIR`; the cache; with the feature `download` the network
    /// (once: the files stay in the cache); else 60,000 + 10,000 digits that the library draws itself.
    ///
    /// It never fails for lack of data, so show the user [`source`](Self::source), which says what the digits are.
    ///
    /// # Errors
    /// If `MNIST_DIR` is set, and the folder is missing, empty or broken.
    pub fn load() -> Result<Self> {
        Self::loader().load()
    }

    /// [`load`](Self::load) with settings: folders, mirrors, progress.
    pub fn loader() -> MnistLoader {
        MnistLoader::from_environment()
    }

    /// Reads the four IDX files (raw or gzipped) or `mnist.npz` in `dir`.
    ///
    /// # Errors
    /// If the folder is missing, empty or broken: with what was looked for.
    pub fn from_dir(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        Self::read(dir, Source::Folder(dir.to_path_buf()))
    }

    fn read(dir: &Path, source: Source) -> Result<Self> {
        let (train, test) = folder::read(dir)?;
        Ok(Self::new(train, test, source))
    }

    fn new(train: Split, test: Split, source: Source) -> Self {
        let ((x_train, y_train), (x_test, y_test)) = (train.tensors(), test.tensors());
        Self { x_train, y_train, x_test, y_test, source }
    }

    /// `train` + `test` digits drawn by the library, of balanced classes in random order.
    ///
    /// The same seed gives the same pixels on any machine with any number of threads.
    ///
    /// ```
    /// use cotangent_data::Mnist;
    /// let mnist = Mnist::synthetic(100, 20, 0);
    /// assert_eq!(mnist.source().to_string(), "MNIST: 100 synthetic digits drawn by Cotangent");
    /// ```
    pub fn synthetic(train: usize, test: usize, seed: u64) -> Self {
        let rng = Rng::new(seed);
        let split = |count, mut rng: Rng| {
            let labels = digits::labels(count, &mut rng);
            Split { pixels: digits::draw(&labels, &rng), labels }
        };
        let source = Source::Synthetic { train, reason: None };
        Self::new(split(train, rng.fork(0)), split(test, rng.fork(1)), source)
    }

    /// Where the digits came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// At most the first `count` examples of each part, as views.
    pub fn first(mut self, count: usize) -> Self {
        for tensor in [&mut self.x_train, &mut self.y_train, &mut self.x_test, &mut self.y_test] {
            *tensor = tensor.narrow(0, 0, count.min(tensor.shape()[0]));
        }
        self
    }

    /// Images as f32 `[count, 28, 28, 1]` from 0 to 1, what a convolution takes, and the labels:
    /// `((x_train, y_train), (x_test, y_test))`.
    pub fn images_nhwc(&self) -> ((Tensor, Tensor), (Tensor, Tensor)) {
        let scaled = |x: &Tensor| (x.cast(DType::F32) / 255.0).reshape([x.shape()[0], SIDE, SIDE, 1]);
        ((scaled(&self.x_train), self.y_train.clone()), (scaled(&self.x_test), self.y_test.clone()))
    }
}
