//! MNIST's files in a folder: four IDX files, or one npz.

use std::path::{Path, PathBuf};

use cotangent_base::{Error, Result};

use super::Split;
use crate::array::{Array, ArrayData};
use crate::digits::SIDE;
use crate::idx::{read_idx_images, read_idx_labels};
use crate::npz::Npz;

/// The four files: images to train on, their labels, images to test with, their labels.
pub const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
const NPZ: &str = "mnist.npz";

/// Whether there is anything of MNIST in `dir`.
pub fn holds_any(dir: &Path) -> bool {
    FILES.iter().any(|name| find(dir, name).is_some()) || dir.join(NPZ).is_file()
}

/// Reads the part to train on and the part to test with.
pub fn read(dir: &Path) -> Result<(Split, Split)> {
    let found = FILES.map(|name| find(dir, name));
    if let [Some(x_train), Some(y_train), Some(x_test), Some(y_test)] = &found {
        return Ok((split(x_train, y_train)?, split(x_test, y_test)?));
    }
    let npz = dir.join(NPZ);
    if found.iter().all(Option::is_none) && npz.is_file() {
        return read_npz(&npz);
    }
    Err(incomplete(dir, &found))
}

/// `name` as it is, with the dot that some archives have, gzipped or not.
fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let names = [name.to_string(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")];
    names.iter().map(|name| dir.join(name)).find(|path| path.is_file())
}

fn incomplete(dir: &Path, found: &[Option<PathBuf>]) -> Error {
    let state = match std::fs::read_dir(dir) {
        Err(e) => format!("the folder cannot be read ({e})"),
        Ok(_) if found.iter().all(Option::is_none) => "the folder holds none of MNIST's files".into(),
        Ok(_) => {
            let missing: Vec<&str> =
                FILES.into_iter().zip(found).filter(|(_, f)| f.is_none()).map(|(n, _)| n).collect();
            format!("the folder lacks {}", missing.join(", "))
        }
    };
    Error::new(dir.display().to_string(), state)
        .hint(format!("looked for {}, each also with .gz at its end or .idx for -idx; or {NPZ}", FILES.join(", ")))
}

fn split(images: &Path, labels: &Path) -> Result<Split> {
    let (name_x, name_y) = (images.display().to_string(), labels.display().to_string());
    checked(&name_x, read_idx_images(images)?, &name_y, read_idx_labels(labels)?)
}

/// Keras's file: x_train, y_train, x_test, y_test.
fn read_npz(path: &Path) -> Result<(Split, Split)> {
    let mut npz = Npz::open(path)?;
    let mut split = |x: &str, y: &str| {
        let name = |array| format!("{}: {array}", path.display());
        checked(&name(x), npz.array(x)?, &name(y), npz.array(y)?)
    };
    Ok((split("x_train", "y_train")?, split("x_test", "y_test")?))
}

fn checked(name_x: &str, images: Array, name_y: &str, labels: Array) -> Result<Split> {
    let (shape_x, pixels) = images.into_parts();
    let (shape_y, labels) = labels.into_parts();
    let ArrayData::U8(pixels) = pixels else { return Err(Error::new(name_x, "the images are not bytes (u8)")) };
    if shape_x.len() != 3 || shape_x[1..] != [SIDE, SIDE] {
        return Err(Error::new(name_x, format!("images have shape {shape_x:?}; [count, {SIDE}, {SIDE}] was wanted")));
    }
    if shape_y != shape_x[..1] {
        return Err(Error::new(
            name_y,
            format!("labels have shape {shape_y:?}; {shape_x:?} images in {name_x} want {:?}", &shape_x[..1]),
        ));
    }
    Ok(Split { pixels, labels: digits(name_y, labels)? })
}

/// Labels of any integer type as bytes, each checked to be a digit.
fn digits(name: &str, labels: ArrayData) -> Result<Vec<u8>> {
    let labels: Vec<i64> = match labels {
        ArrayData::U8(x) => x.into_iter().map(i64::from).collect(),
        ArrayData::I8(x) => x.into_iter().map(i64::from).collect(),
        ArrayData::I16(x) => x.into_iter().map(i64::from).collect(),
        ArrayData::I32(x) => x.into_iter().map(i64::from).collect(),
        ArrayData::U32(x) => x.into_iter().map(i64::from).collect(),
        ArrayData::I64(x) => x,
        _ => return Err(Error::new(name, "the labels are not integers")),
    };
    match labels.iter().position(|label| !(0..10).contains(label)) {
        Some(i) => Err(Error::new(name, format!("label {i} is {}; a digit from 0 to 9 was wanted", labels[i]))),
        None => Ok(labels.into_iter().map(|label| label as u8).collect()),
    }
}
