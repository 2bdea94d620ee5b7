//! Writing a zip archive of stored files, the lists at the end as [`Zip::open`](super::Zip::open) reads them.

use std::io::{self, Error, ErrorKind, Write};

use flate2::Crc;

use super::STORED;

/// An archive being written.
pub(crate) struct ZipWriter<W> {
    to: W,
    written: u64,
    directory: Vec<u8>,
    count: u64,
}

/// 1 January 1980, the first day that zip knows: the same content makes the same file on any day.
const DATE: u16 = 1 << 5 | 1;

impl<W: Write> ZipWriter<W> {
    /// An archive without files yet.
    pub fn new(to: W) -> Self {
        Self { to, written: 0, directory: Vec::new(), count: 0 }
    }

    /// Adds a file: its header (4.3.7) and its bytes as they are.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut crc = Crc::new();
        crc.update(bytes);
        let size = below_4_gib(bytes.len() as u64)?;
        let name_length = u16::try_from(name.len()).map_err(|_| too_large("a name beyond 65535 bytes"))?;
        // version 2.0, flag 11 (the name is UTF-8), method, time, date; sum and sizes; lengths of name and extra field
        let mut fields = [20, 1 << 11, STORED, 0, DATE].map(u16::to_le_bytes).concat();
        fields.extend([crc.sum(), size, size].map(u32::to_le_bytes).concat());
        fields.extend([name_length, 0].map(u16::to_le_bytes).concat());
        let offset = below_4_gib(self.written)?;
        self.write(&[b"PK\x03\x04", &fields[..], name.as_bytes()].concat())?;
        self.write(bytes)?;
        // 4.3.12: made by version 2.0; no comment, disk 0, no attributes
        self.directory.extend([b"PK\x01\x02\x14\x00", &fields[..], &[0; 10], &offset.to_le_bytes()].concat());
        self.directory.extend(name.bytes());
        self.count += 1;
        Ok(())
    }

    /// Writes the directory and the end record (4.3.16).
    pub fn finish(mut self) -> io::Result<()> {
        let count = u16::try_from(self.count).ok().filter(|&count| count < u16::MAX);
        let count = count.ok_or_else(|| too_large("more than 65534 files"))?;
        let (offset, size) = (below_4_gib(self.written)?, below_4_gib(self.directory.len() as u64)?);
        let mut end = [b"PK\x05\x06".as_slice(), &[0; 4]].concat();
        end.extend([count, count].map(u16::to_le_bytes).concat());
        end.extend([size, offset].map(u32::to_le_bytes).concat());
        end.extend([0; 2]);
        let directory = std::mem::take(&mut self.directory);
        self.write(&directory)?;
        self.write(&end)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.to.write_all(bytes)
    }
}

/// The greatest number stands for "see the ZIP64 record", so it is none.
fn below_4_gib(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).ok().filter(|&n| n < u32::MAX).ok_or_else(|| too_large("4 GiB or more"))
}

fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::FileTooLarge, format!("{what} in a zip archive (ZIP64) is not supported: use safetensors"))
}
