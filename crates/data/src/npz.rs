//! NumPy's npz format: a zip archive of npy files.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cotangent_base::{Error, Result};
use cotangent_core::Tensor;

use crate::array::Array;
use crate::file::Input;
use crate::zip::{Zip, ZipWriter};
use crate::{npy, replace_file};

/// An open npz file, from which arrays are read one by one.
///
/// ```no_run
/// use cotangent_data::Npz;
/// let mut file = Npz::open("mnist.npz")?;
/// let x_train = file.array("x_train")?;
/// assert_eq!(x_train.shape(), [60_000, 28, 28]);
/// # Ok::<(), cotangent_base::Error>(())
/// ```
pub struct Npz {
    name: String,
    zip: Zip<BufReader<File>>,
}

impl Npz {
    /// Opens `path` and reads its list of arrays.
    ///
    /// # Errors
    /// If the file cannot be read or is not a zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let file = File::open(path).map_err(|e| Error::new(name.clone(), "cannot open the file").because(e))?;
        let zip = Zip::open(BufReader::new(file)).map_err(|e| {
            Error::new(name.clone(), "not an npz file").because(e).hint("it is what numpy.savez writes, a zip archive")
        })?;
        Ok(Self { name, zip })
    }

    /// The names of the arrays, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.zip.names().filter_map(|name| name.strip_suffix(".npy"))
    }

    /// Reads the array called `name`.
    ///
    /// # Errors
    /// If there is no such array, or it is damaged or of a type that [`read_npy`](crate::read_npy) refuses.
    pub fn array(&mut self, name: &str) -> Result<Array> {
        let entry = self.zip.find(&format!("{name}.npy")).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            Error::new(self.name.clone(), format!("no array '{name}'; the file holds {names:?}"))
        })?;
        let place = format!("{}: {name}", self.name);
        let reader = self.zip.read(entry).map_err(|e| Error::new(place.clone(), "cannot be read").because(e))?;
        npy::read(Input::new(place, reader))
    }
}

/// Writes tensors under their names into an npz file, in one step as [`replace_file`] does it; `numpy.load` reads it.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("cotangent-doc-{}.npz", std::process::id()));
/// use cotangent_core::Tensor;
/// use cotangent_data::{Npz, write_npz};
/// let (x, y) = (Tensor::from([[1.0_f32, 2.0]]), Tensor::from([7_i64]));
/// write_npz(&path, [("x", &x), ("y", &y)])?;
/// assert_eq!(Npz::open(&path)?.array("x")?.shape(), [1, 2]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cotangent_base::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written, two tensors have the same name, or together they take 4 GiB or more.
pub fn write_npz<'a, N: Into<String>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, &'a Tensor)>,
) -> Result<()> {
    let tensors: Vec<(String, &Tensor)> = tensors.into_iter().map(|(name, tensor)| (name.into(), tensor)).collect();
    let mut names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::new(path.as_ref().display().to_string(), format!("two tensors are called '{}'", pair[0])));
    }
    replace_file(path, |file| {
        let mut zip = ZipWriter::new(file);
        let add = |(name, tensor): &(String, &Tensor)| zip.add(&format!("{name}.npy"), &npy::bytes(tensor)?);
        tensors.iter().try_for_each(add)?;
        zip.finish()
    })
}
