//! NumPy's npy format: a magic string, a Python dictionary in text, and the numbers.
//!
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use std::io;
use std::path::Path;

use byteorder::{BigEndian, ByteOrder, LittleEndian};
use cotangent_base::{DType, Error, Result};
use cotangent_core::Tensor;

use crate::array::{Array, ArrayData, Kind};
use crate::elements;
use crate::file::{self, Input};

/// NumPy keeps headers of plain arrays below this many bytes.
const LONGEST_HEADER: u64 = 10_000;

/// Reads an npy file of booleans, integers or floats, in C or Fortran order (which it turns into C order).
///
/// # Errors
/// If the file cannot be read, is not npy, holds another type, or fewer or more bytes than its header says.
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array> {
    read(file::open(path.as_ref())?)
}

pub(crate) fn read(mut input: Input) -> Result<Array> {
    let text = header(&mut input)?;
    let header = Header::parse(&text).map_err(|what| {
        input
            .error(format!("{what} in the npy header {text:?}"))
            .hint("save plain arrays with numpy.save or numpy.savez")
    })?;
    let shape = header.shape;
    let count = shape.iter().try_fold(header.kind.bytes() as u64, |product, &n| product.checked_mul(n as u64));
    let Some(count) = count else {
        return Err(input.error(format!("the shape {shape:?} asks for more than 2^64 bytes")));
    };
    let bytes = input.exactly(count, &format!("data for shape {shape:?}"))?;
    input.end()?;
    let data = match header.big_endian {
        true => header.kind.decode::<BigEndian>(bytes),
        false => header.kind.decode::<LittleEndian>(bytes),
    };
    Ok(if header.fortran { from_fortran(shape, data) } else { Array::new(shape, data) })
}

/// A tensor as an npy file of version 1.
pub(crate) fn bytes(tensor: &Tensor) -> io::Result<Vec<u8>> {
    let descr = match tensor.dtype() {
        DType::F32 => "<f4",
        DType::F64 => "<f8",
        DType::U32 => "<u4",
        DType::I64 => "<i8",
        DType::U8 => "|u1",
        DType::Bool => "|b1",
    };
    // (), (3,), (2, 3,): Python takes a comma at the end
    let shape: String = tensor.shape().iter().map(|n| format!("{n}, ")).collect();
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // magic, version, length and text fill a multiple of 64 bytes, the last of them a new line
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{text:<width$}\n", width = length - 1).bytes());
    elements::write(tensor, &mut bytes)?;
    Ok(bytes)
}

/// The dictionary in text: after 8 bytes of magic and version, its length and then itself.
fn header(input: &mut Input) -> Result<String> {
    let start = input.up_to(8)?;
    let length_bytes = match start[..] {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => 2,
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _] => 4,
        _ => return Err(not_npy(input, &start)),
    };
    let length = LittleEndian::read_uint(&input.exactly(length_bytes, "the header's length")?, length_bytes as usize);
    if length > LONGEST_HEADER {
        return Err(input.error(format!("the npy header claims {length} bytes; at most {LONGEST_HEADER} are read")));
    }
    Ok(String::from_utf8_lossy(&input.exactly(length, "the npy header")?).trim().to_string())
}

fn not_npy(input: &Input, start: &[u8]) -> Error {
    let found = format!("it starts with {}, which looks like {}", file::hex(start), file::guess(start));
    input.error(format!("not an npy file of version 1, 2 or 3: {found}"))
}

struct Header {
    kind: Kind,
    big_endian: bool,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Header, String> {
        let (kind, big_endian) = dtype(value(text, "descr")?)?;
        let fortran = match value(text, "fortran_order")? {
            order if order.starts_with("True") => true,
            order if order.starts_with("False") => false,
            _ => return Err("'fortran_order' is neither True nor False".into()),
        };
        Ok(Header { kind, big_endian, fortran, shape: shape(value(text, "shape")?)? })
    }
}

/// What follows `'key':` in the dictionary.
fn value<'a>(text: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}':");
    let at = text.find(&quoted).ok_or_else(|| format!("no '{key}'"))?;
    Ok(text[at + quoted.len()..].trim_start())
}

fn dtype(text: &str) -> Result<(Kind, bool), String> {
    let Some((descr, _)) = text.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) else {
        return Err("a structured dtype, which is not supported,".into());
    };
    let kind = match descr.trim_start_matches(['<', '>', '|', '=']) {
        "b1" => Kind::Bool,
        "u1" => Kind::U8,
        "i1" => Kind::I8,
        "i2" => Kind::I16,
        "i4" => Kind::I32,
        "i8" => Kind::I64,
        "u2" => Kind::U16,
        "u4" => Kind::U32,
        "f2" => Kind::F16,
        "f4" => Kind::F32,
        "f8" => Kind::F64,
        _ => return Err(format!("dtype '{descr}', which is none of b1 u1 i1 i2 i4 i8 u2 u4 f2 f4 f8,")),
    };
    Ok((kind, descr.starts_with('>')))
}

/// A tuple of axis lengths: `()`, `(3,)`, `(60000, 28, 28)`.
fn shape(text: &str) -> Result<Vec<usize>, String> {
    let inner = text.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or("'shape' is no tuple")?.0;
    let lengths = inner.split(',').map(str::trim).filter(|length| !length.is_empty());
    lengths.map(|length| length.parse().map_err(|_| format!("axis length {length:?}"))).collect()
}

fn from_fortran(shape: Vec<usize>, data: ArrayData) -> Array {
    let data = match data {
        ArrayData::Bool(x) => ArrayData::Bool(to_c_order(&shape, &x)),
        ArrayData::U8(x) => ArrayData::U8(to_c_order(&shape, &x)),
        ArrayData::I8(x) => ArrayData::I8(to_c_order(&shape, &x)),
        ArrayData::I16(x) => ArrayData::I16(to_c_order(&shape, &x)),
        ArrayData::I32(x) => ArrayData::I32(to_c_order(&shape, &x)),
        ArrayData::I64(x) => ArrayData::I64(to_c_order(&shape, &x)),
        ArrayData::U32(x) => ArrayData::U32(to_c_order(&shape, &x)),
        ArrayData::F32(x) => ArrayData::F32(to_c_order(&shape, &x)),
        ArrayData::F64(x) => ArrayData::F64(to_c_order(&shape, &x)),
    };
    Array::new(shape, data)
}

/// `x` lies with its first axis fastest; the result has the last one fastest.
fn to_c_order<T: Copy>(shape: &[usize], x: &[T]) -> Vec<T> {
    let mut position = vec![0; shape.len()];
    let mut y = Vec::with_capacity(x.len());
    for _ in 0..x.len() {
        let from = position.iter().zip(shape).rev().fold(0, |offset, (&i, &n)| offset * n + i);
        y.push(x[from]);
        for axis in (0..shape.len()).rev() {
            position[axis] += 1;
            if position[axis] < shape[axis] {
                break;
            }
            position[axis] = 0;
        }
    }
    y
}
