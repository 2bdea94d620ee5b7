//! [`Store`]: what a checkpoint's file holds, under names.

use cotangent_core::{DType, Error, Result, Tensor};
use cotangent_data::Safetensors;
use std::path::Path;
use std::str::FromStr;

/// Before the names of everything that is no parameter: no layer is called so.
pub(crate) const ASIDE: char = '@';

/// The key of the version.
const VERSION_KEY: &str = "checkpoint";

/// The version of the format, to be raised when an older library would misread a newer file.
const VERSION: u32 = 1;

/// Numbers as text, and tensors, under names; with the file's name, for messages.
pub(crate) struct Store {
    name: String,
    file: Safetensors,
}

impl Store {
    /// Nothing yet.
    pub fn new() -> Self {
        let mut store = Self { name: String::new(), file: Safetensors::new() };
        store.put(VERSION_KEY, VERSION);
        store
    }

    /// Reads a file that [`write`](Store::write) wrote.
    pub fn read(path: &Path) -> Result<Self> {
        let store = Self { name: path.display().to_string(), file: Safetensors::read(path)? };
        if !is_checkpoint(&store.file) {
            let message = "the file holds tensors, but no course of training to go on with";
            return Err(store.error(message).hint("parameters alone are taken over by `model.load`"));
        }
        match store.get::<u32>(VERSION_KEY)? {
            0..=VERSION => Ok(store),
            newer => {
                let message = format!("a checkpoint of format {newer}; this version reads up to {VERSION}");
                Err(store.error(message).hint("use the version of the library that wrote it, or a newer one"))
            }
        }
    }

    /// Writes the file in one step.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.file.write(path)
    }

    /// An error about the file.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(self.name.clone(), message)
    }

    /// Puts a value that prints as it is parsed.
    pub fn put(&mut self, key: &str, value: impl ToString) {
        self.file.insert_text(key, value.to_string());
    }

    /// The value under `key`.
    pub fn get<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.file.text(key).ok_or_else(|| self.error(format!("the checkpoint has no '{key}'")))?;
        text.parse().map_err(|_| self.error(format!("the checkpoint's '{key}' is {text:?}")))
    }

    /// Puts a parameter.
    pub fn put_param(&mut self, name: String, value: Tensor) {
        self.file.insert(name, value);
    }

    /// Puts a tensor that is no parameter.
    pub fn put_tensor(&mut self, name: &str, value: Tensor) {
        self.file.insert(format!("{ASIDE}{name}"), value);
    }

    /// A tensor that is no parameter.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.file.get(&format!("{ASIDE}{name}"))
    }

    /// The tensors that are no parameters and whose names begin with `prefix`, with the rest of their names.
    pub fn tensors(&self, prefix: &str) -> impl Iterator<Item = (&str, &Tensor)> {
        let tensors = self.file.tensors();
        tensors.filter_map(move |(name, tensor)| Some((name.strip_prefix(ASIDE)?.strip_prefix(prefix)?, tensor)))
    }

    /// Puts numbers, every bit of them.
    pub fn put_floats(&mut self, name: &str, values: &[f64]) {
        self.put_tensor(name, Tensor::from_slice(values, [values.len()]));
    }

    /// The numbers that were put under `name`.
    pub fn floats(&self, name: &str) -> Result<Vec<f64>> {
        let found = self.tensor(name).filter(|tensor| tensor.dtype() == DType::F64);
        found.map(Tensor::to_vec).ok_or_else(|| self.error(format!("the checkpoint has no numbers '{name}'")))
    }

    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.file.tensors().filter(|(name, _)| !name.starts_with(ASIDE))
    }
}

/// Whether the file is one that a [`Store`] has written.
pub(crate) fn is_checkpoint(file: &Safetensors) -> bool {
    file.text(VERSION_KEY).is_some()
}
