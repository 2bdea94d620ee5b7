//! A model's parameters in a file, and out of it.

use crate::Model;
use crate::checkpoint::{ASIDE, is_checkpoint};
use cotangent_core::{DType, Error, Result, Tensor};
use cotangent_data::{Npz, Safetensors, write_npz};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Tensors by their names.
pub(crate) type Named = BTreeMap<String, Tensor>;

impl Model {
    /// Writes every parameter under its path, `layer/name`, into a `.safetensors` or an `.npz` file, in one step: the
    /// file is there whole, or as it was.
    ///
    /// ```
    /// # use cotangent_core::{Device, Tensor};
    /// # use cotangent_nn::Dense;
    /// # use cotangent_train::{Seed, Sequential};
    /// # let path = std::env::temp_dir().join(format!("cotangent-doc-{}.npz", std::process::id()));
    /// let build = |seed| Sequential::new([3]).add(Dense::new(2)).build(&Device::Cpu, Seed(seed));
    /// let (model, mut other) = (build(0)?, build(1)?);
    /// model.save(&path)?;
    /// other.load(&path)?;
    /// let x = Tensor::ones([1, 3]);
    /// assert_eq!(other.predict(&x)?.to_vec::<f32>(), model.predict(&x)?.to_vec::<f32>());
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), cotangent_core::Error>(())
    /// ```
    ///
    /// Only the parameters: the optimizer's state and the course of training are in a
    /// [checkpoint](crate::ModelCheckpoint).
    ///
    /// # Errors
    /// If the name ends in neither, or the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let params = self.params().map(|(name, param)| (name, &param.value));
        match Format::of_name(path)? {
            Format::Npz => write_npz(path, params),
            Format::Safetensors => {
                let mut file = Safetensors::new();
                params.for_each(|(name, value)| file.insert(name, value.detach()));
                file.write(path)
            }
        }
    }

    /// Takes every parameter from a file that [`save`](Model::save) has written for a model with the same layers, or from a
    /// [checkpoint](crate::ModelCheckpoint). Floats
    /// of another width are converted; an optimizer's state stays as it is.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged; or if its tensors are not the model's, with a list of all that are
    /// missing, surplus or misshapen. The model is as it was then.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let found = match Format::of_content(path)? {
            Format::Npz => read_npz(path)?,
            Format::Safetensors => {
                let file = Safetensors::read(path)?;
                let checkpoint = is_checkpoint(&file);
                let params = file.tensors().filter(|(name, _)| !(checkpoint && name.starts_with(ASIDE)));
                params.map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect()
            }
        };
        self.take(path, found)
    }

    /// Takes every parameter from `found`, which came from `path`; if it does not fit, none.
    pub(crate) fn take(&mut self, path: &Path, mut found: Named) -> Result<()> {
        self.compare(path, &found)?;
        let device = self.device;
        let mut values = Vec::new();
        for (name, param) in self.params() {
            let value = packed(&found.remove(&name).expect("compared").cast(param.value.dtype()));
            values.push(value.to_device(&device)?);
        }
        self.params_mut().zip(&values).for_each(|((_, param), value)| param.value.set_(value));
        Ok(())
    }

    /// Fails, with a list of what is wrong, unless `found` has one tensor for each parameter, in its shape.
    pub(crate) fn compare(&self, path: &Path, found: &Named) -> Result<()> {
        let mut wrong = Vec::new();
        for (name, param) in self.params() {
            let wanted = &param.value;
            let want = format!("{} {}", wanted.dtype(), wanted.shape());
            match found.get(&name) {
                None => wrong.push(format!("missing: {name} {want}")),
                Some(t) if t.shape() != wanted.shape() || t.dtype().is_float() != wanted.dtype().is_float() => {
                    wrong.push(format!("misshapen: {name} is {} {}, the model's {want}", t.dtype(), t.shape()));
                }
                Some(_) => {}
            }
        }
        let known: Vec<String> = self.params().map(|(name, _)| name).collect();
        let surplus = found.iter().filter(|(name, _)| !known.contains(name));
        wrong.extend(surplus.map(|(name, t)| format!("surplus: {name} {} {}", t.dtype(), t.shape())));
        if wrong.is_empty() {
            return Ok(());
        }
        let message = format!("these are not the model's parameters\n  {}", wrong.join("\n  "));
        let hint = "build the model that the file was written for; the model is as it was";
        Err(Error::new(path.display().to_string(), message).hint(hint))
    }
}

/// The same numbers in a row, as parameters lie.
fn packed(x: &Tensor) -> Tensor {
    match x.dtype() {
        DType::F64 => Tensor::from_slice(&x.to_vec::<f64>(), x.shape()),
        _ => Tensor::from_slice(&x.cast(DType::F32).to_vec::<f32>(), x.shape()),
    }
}

enum Format {
    Npz,
    Safetensors,
}

impl Format {
    fn of_name(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("npz") => Ok(Format::Npz),
            Some("safetensors") => Ok(Format::Safetensors),
            _ => Err(Error::new(path.display().to_string(), "the name does not tell the file's format")
                .hint("end it in `.safetensors` or `.npz`")),
        }
    }

    /// As the first bytes of the file say, whatever its name: an npz file is a zip archive.
    fn of_content(path: &Path) -> Result<Self> {
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
        read.map_err(|e| Error::new(path.display().to_string(), "cannot open the file").because(e))?;
        let zip = start == b"PK\x03\x04" || start == b"PK\x05\x06";
        Ok(if zip { Format::Npz } else { Format::Safetensors })
    }
}

fn read_npz(path: &Path) -> Result<Named> {
    let mut file = Npz::open(path)?;
    let names: Vec<String> = file.names().map(str::to_owned).collect();
    names.into_iter().map(|name| Ok((name.clone(), file.array(&name)?.to_tensor()?))).collect()
}
