//! The numbers of a tensor as the bytes that files hold.

use std::io::{self, Write};

use cotangent_base::{DType, Element};
use cotangent_core::Tensor;
use flate2::Crc;

/// How many numbers are turned into bytes at a time.
const AT_ONCE: usize = 1 << 14;

/// The CRC-32 of the numbers of all `tensors`, one after another, as files hold them: other data hardly ever have the same.
///
/// ```
/// use cotangent_core::Tensor;
/// use cotangent_data::checksum;
/// let (a, b) = (Tensor::from([1.0_f32, 2.0]), Tensor::from([1.0_f32, 2.5]));
/// assert_eq!(checksum([&a, &b]), checksum([&a, &b]));
/// assert_ne!(checksum([&a, &b]), checksum([&b, &a]));
/// ```
pub fn checksum<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> u32 {
    let mut summed = Summed { to: io::sink(), crc: Crc::new() };
    for tensor in tensors {
        write(tensor, &mut summed).expect("nothing is written anywhere");
    }
    summed.crc.sum()
}

/// What is written, and its CRC-32.
pub(crate) struct Summed<W> {
    pub to: W,
    pub crc: Crc,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.crc.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes the numbers in C order, the lowest byte of each first.
pub(crate) fn write(tensor: &Tensor, to: &mut impl Write) -> io::Result<()> {
    match tensor.dtype() {
        DType::F32 => write_each(tensor, f32::to_le_bytes, to),
        DType::F64 => write_each(tensor, f64::to_le_bytes, to),
        DType::U32 => write_each(tensor, u32::to_le_bytes, to),
        DType::I64 => write_each(tensor, i64::to_le_bytes, to),
        DType::U8 => to.write_all(&tensor.to_vec::<u8>()),
        DType::Bool => write_each(tensor, |x: bool| [x as u8], to),
    }
}

fn write_each<T: Element, const N: usize>(
    tensor: &Tensor,
    bytes_of: impl Fn(T) -> [u8; N],
    to: &mut impl Write,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for part in tensor.to_vec::<T>().chunks(AT_ONCE) {
        bytes.clear();
        bytes.extend(part.iter().flat_map(|&x| bytes_of(x)));
        to.write_all(&bytes)?;
    }
    Ok(())
}
