//! Looking for MNIST in every place there is.

use std::env;
use std::path::{Path, PathBuf};

use cotangent_base::{Error, Result};

use super::{Mnist, Source, cache, folder};

/// Called with the file's name, the bytes so far, and the bytes in all if the server says.
pub(crate) type Progress<'a> = dyn Fn(&str, u64, Option<u64>) + 'a;

/// Where to look for MNIST; made by [`Mnist::loader`].
///
/// ```no_run
/// use cotangent_data::Mnist;
/// let mnist = Mnist::loader()
///     .progress(|file, done, total| eprintln!("{file}: {done} of {total:?} bytes"))
///     .real_only()
///     .load()?;
/// # Ok::<(), cotangent_base::Error>(())
/// ```
pub struct MnistLoader {
    dir: Option<PathBuf>,
    cache: Option<PathBuf>,
    mirrors: Vec<String>,
    progress: Box<Progress<'static>>,
    real_only: bool,
    synthetic: (usize, usize, u64),
}

impl MnistLoader {
    /// As the environment has it: `MNIST_DIR`, and the cache directories.
    pub(super) fn from_environment() -> Self {
        let mirrors = [
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://raw.githubusercontent.com/fgnt/mnist/master",
        ];
        Self {
            dir: env::var_os("MNIST_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            cache: cache::folder(|name| env::var_os(name)),
            mirrors: mirrors.map(String::from).to_vec(),
            progress: Box::new(|_, _, _| ()),
            real_only: false,
            synthetic: (60_000, 10_000, 0),
        }
    }

    /// Reads from this folder and nowhere else; instead of `MNIST_DIR`.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Reads from no folder, even if `MNIST_DIR` names one.
    pub fn no_dir(mut self) -> Self {
        self.dir = None;
        self
    }

    /// Keeps downloads in this folder.
    pub fn cache(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cache = Some(dir.into());
        self
    }

    /// Downloads from these addresses, tried in order: folders that hold the four `.gz` files. None: no download.
    pub fn mirrors(mut self, addresses: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.mirrors = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// Tells how a download goes: `progress(file, bytes so far, bytes in all)`, the last if the server says.
    pub fn progress(mut self, progress: impl Fn(&str, u64, Option<u64>) + 'static) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Fails where there is no MNIST, instead of drawing synthetic digits.
    pub fn real_only(mut self) -> Self {
        self.real_only = true;
        self
    }

    /// How many synthetic digits to draw where there is no MNIST, and their seed; 60000, 10000 and 0 else.
    pub fn synthetic(mut self, train: usize, test: usize, seed: u64) -> Self {
        self.synthetic = (train, test, seed);
        self
    }

    /// Reads MNIST from the folder if there is one, else the cache, else the network, else draws digits.
    ///
    /// # Errors
    /// If a folder was given (here or by `MNIST_DIR`) and is missing, empty or broken;
    /// with [`real_only`](Self::real_only) also if there is no MNIST anywhere.
    pub fn load(self) -> Result<Mnist> {
        if let Some(dir) = &self.dir {
            return Mnist::from_dir(dir);
        }
        let reason = match self.cached_or_downloaded() {
            Ok(mnist) => return Ok(mnist),
            Err(reason) => format!("no files (MNIST_DIR is not set), {reason}"),
        };
        if self.real_only {
            return Err(Error::new("mnist", reason).hint("set MNIST_DIR to a folder that holds the four IDX files"));
        }
        let (train, test, seed) = self.synthetic;
        let mut mnist = Mnist::synthetic(train, test, seed);
        mnist.source = Source::Synthetic { train, reason: Some(reason) };
        Ok(mnist)
    }

    fn cached_or_downloaded(&self) -> Result<Mnist, String> {
        let Some(cache) = &self.cache else { return Err("no cache (the environment names no home)".into()) };
        let no_cache = match folder::holds_any(cache).then(|| Mnist::read(cache, Source::Cache(cache.clone()))) {
            Some(Ok(mnist)) => return Ok(mnist),
            Some(Err(e)) => format!("no sound cache ({})", one_line(&e)),
            None => format!("no cache (nothing in {})", cache.display()),
        };
        let no_network = |e| format!("{no_cache}, no network ({})", one_line(&e));
        self.download(cache).map_err(no_network)?;
        Mnist::read(cache, Source::Download(cache.clone())).map_err(no_network)
    }

    #[cfg(feature = "download")]
    fn download(&self, cache: &Path) -> Result<()> {
        super::download::complete(cache, &super::download::MNIST, &self.mirrors, &*self.progress)
    }

    #[cfg(not(feature = "download"))]
    fn download(&self, _: &Path) -> Result<()> {
        Err(Error::new("download", "this build lacks the feature `download`"))
    }
}

/// The message without its hint, and without saying `[download]` where that is plain.
fn one_line(e: &Error) -> String {
    let text = e.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("[download] ").unwrap_or(line).to_owned()
}
