//! The IDX format, in which MNIST comes: big-endian throughout.
//!
//! | bytes  | meaning                                                                             |
//! |--------|-------------------------------------------------------------------------------------|
//! | 2      | zero                                                                                |
//! | 1      | type: 08 u8, 09 i8, 0B i16, 0C i32, 0D f32, 0E f64                                  |
//! | 1      | rank                                                                                |
//! | 4·rank | the length of each axis, u32                                                        |
//! | rest   | the numbers, last axis fastest                                                      |
//!
//! <https://yann.lecun.com/exdb/mnist/>, "The IDX file format".

use std::path::Path;

use byteorder::{BigEndian, ByteOrder};
use cotangent_base::{Error, Result};

use crate::array::{Array, Kind};
use crate::file::{self, Input};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// Reads an IDX file of any type and rank, raw or gzipped.
///
/// # Errors
/// If the file cannot be read, is not IDX, or holds fewer or more bytes than its header says.
pub fn read_idx(path: impl AsRef<Path>) -> Result<Array> {
    read(file::open(path.as_ref())?, None)
}

/// Reads images: an IDX file of bytes with shape `[count, rows, columns]` (magic number 0x00000803), raw or gzipped.
///
/// # Errors
/// As [`read_idx`], and if the file holds something else than images.
pub fn read_idx_images(path: impl AsRef<Path>) -> Result<Array> {
    read(file::open(path.as_ref())?, Some(IMAGES))
}

/// Reads labels: an IDX file of bytes with shape `[count]` (magic number 0x00000801), raw or gzipped.
///
/// # Errors
/// As [`read_idx`], and if the file holds something else than labels.
pub fn read_idx_labels(path: impl AsRef<Path>) -> Result<Array> {
    read(file::open(path.as_ref())?, Some(LABELS))
}

fn read(mut input: Input, wanted: Option<u32>) -> Result<Array> {
    let magic = input.up_to(4)?;
    let (kind, rank) = header(&input, &magic)?;
    if let Some(wanted) = wanted.filter(|&w| w != BigEndian::read_u32(&magic)) {
        return Err(wrong_content(&input, BigEndian::read_u32(&magic), wanted));
    }
    let lengths = input.exactly(4 * rank as u64, "axis lengths")?;
    let shape: Vec<usize> = lengths.chunks_exact(4).map(|b| BigEndian::read_u32(b) as usize).collect();
    let count = shape.iter().try_fold(kind.bytes() as u64, |product, &n| product.checked_mul(n as u64));
    let Some(count) = count else {
        return Err(input.error(format!("the axis lengths {shape:?} multiply to more than 2^64 bytes")));
    };
    let data = kind.decode::<BigEndian>(input.exactly(count, &format!("data for shape {shape:?}"))?);
    input.end()?;
    Ok(Array::new(shape, data))
}

fn header(input: &Input, magic: &[u8]) -> Result<(Kind, u8)> {
    let hint = "an IDX file starts with 00 00, a type (08 to 0e) and the number of axes";
    let &[0, 0, code, rank @ 1..=255] = magic else {
        let found = if magic.is_empty() { "the file is empty".into() } else { not_idx(magic) };
        return Err(input.error(found).hint(hint));
    };
    let kind = match code {
        0x08 => Kind::U8,
        0x09 => Kind::I8,
        0x0B => Kind::I16,
        0x0C => Kind::I32,
        0x0D => Kind::F32,
        0x0E => Kind::F64,
        _ => return Err(input.error(not_idx(magic)).hint(hint)),
    };
    Ok((kind, rank))
}

fn not_idx(magic: &[u8]) -> String {
    format!("not an IDX file: it starts with {}, which looks like {}", file::hex(magic), file::guess(magic))
}

fn wrong_content(input: &Input, found: u32, wanted: u32) -> Error {
    let named = |magic| match magic {
        IMAGES => "an images file",
        LABELS => "a labels file",
        _ => "an IDX file of another type or rank",
    };
    let message =
        format!("this is {} (magic 0x{found:08x}); {} (magic 0x{wanted:08x}) was wanted", named(found), named(wanted));
    input.error(message).hint("are the names of the images and labels files exchanged?")
}
