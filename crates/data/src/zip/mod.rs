//! As much of the zip format as npz needs: the list of entries, stored or deflated, with their sums checked.
//!
//! PKWARE's APPNOTE.TXT; the numbers in the comments are its sections. No encryption, no archive beyond 4 GiB.

use std::io::{self, Error, ErrorKind, Read, Seek, SeekFrom};

use byteorder::{ByteOrder, LittleEndian as Le};
use flate2::CrcReader;
use flate2::read::DeflateDecoder;

mod writer;

pub(crate) use writer::ZipWriter;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// One file of the archive.
#[derive(Clone)]
pub(crate) struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: u64,
    offset: u64,
}

/// An archive whose list of entries has been read.
pub(crate) struct Zip<R> {
    reader: R,
    entries: Vec<Entry>,
}

impl<R: Read + Seek> Zip<R> {
    /// Reads the central directory (4.3.12), which the end record (4.3.16) at the end of the file points at.
    pub fn open(mut reader: R) -> io::Result<Self> {
        let end = end_record(&mut reader)?;
        let (count, size, offset) = (Le::read_u16(&end[10..]), Le::read_u32(&end[12..]), Le::read_u32(&end[16..]));
        if count == u16::MAX || offset == u32::MAX {
            return Err(bad("a zip archive beyond 4 GiB or 65534 files (ZIP64) is not supported"));
        }
        let directory = at(&mut reader, offset as u64, size as u64)?;
        let entries = entries(&directory, count).ok_or_else(|| bad("the zip directory is damaged"))?;
        Ok(Self { reader, entries })
    }

    /// The names of the files, in the directory's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// The file of this name.
    pub fn find(&self, name: &str) -> Option<Entry> {
        self.entries.iter().find(|entry| entry.name == name).cloned()
    }

    /// The bytes of a file, unpacked; the last read fails if their CRC-32 is not the promised one.
    pub fn read(&mut self, entry: Entry) -> io::Result<impl Read + '_> {
        if entry.packed == u32::MAX as u64 {
            return Err(bad("a zip entry beyond 4 GiB (ZIP64) is not supported"));
        }
        // 4.3.7: the local header repeats name and extra field, with lengths of its own
        let local = at(&mut self.reader, entry.offset, 30)?;
        if !local.starts_with(b"PK\x03\x04") {
            return Err(bad("the zip directory points at no file"));
        }
        let skip = Le::read_u16(&local[26..]) as i64 + Le::read_u16(&local[28..]) as i64;
        self.reader.seek(SeekFrom::Current(skip))?;
        let packed = self.reader.by_ref().take(entry.packed);
        let unpacked: Box<dyn Read + '_> = match entry.method {
            STORED => Box::new(packed),
            DEFLATED => Box::new(DeflateDecoder::new(packed)),
            other => return Err(bad(format!("zip compression method {other}; 0 (stored) and 8 (deflate) are read"))),
        };
        Ok(Checked { reader: CrcReader::new(unpacked), crc: entry.crc })
    }
}

/// Finds the end record: 22 bytes and a comment of at most 65535, the last thing in the file.
fn end_record(reader: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let length = reader.seek(SeekFrom::End(0))?;
    if length == 0 {
        return Err(bad("the file is empty"));
    }
    let tail_length = length.min(22 + 65535);
    let tail = at(reader, length - tail_length, tail_length)?;
    let start = tail.windows(22).rposition(|record| record.starts_with(b"PK\x05\x06"));
    let start = start.ok_or_else(|| bad("no zip end record: the file is truncated, or no zip archive"))?;
    Ok(tail[start..start + 22].to_vec())
}

fn at(reader: &mut (impl Read + Seek), offset: u64, count: u64) -> io::Result<Vec<u8>> {
    reader.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    reader.by_ref().take(count).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == count { Ok(bytes) } else { Err(bad("the zip archive is truncated")) }
}

/// The entries of the central directory; `None` if it is shorter than it says.
fn entries(mut directory: &[u8], count: u16) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let (fixed, rest) = directory.split_at_checked(46)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            return None;
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| Le::read_u16(&fixed[at..]) as usize);
        entries.push(Entry {
            name: String::from_utf8_lossy(rest.get(..name)?).into_owned(),
            method: Le::read_u16(&fixed[10..]),
            crc: Le::read_u32(&fixed[16..]),
            packed: Le::read_u32(&fixed[20..]) as u64,
            offset: Le::read_u32(&fixed[42..]) as u64,
        });
        directory = rest.get(name + extra + comment..)?;
    }
    Some(entries)
}

struct Checked<R> {
    reader: CrcReader<R>,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(to)?;
        let sum = self.reader.crc().sum();
        if count == 0 && !to.is_empty() && sum != self.crc {
            return Err(bad(format!("CRC-32 is {sum:08x}, {:08x} was promised", self.crc)));
        }
        Ok(count)
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, message.into())
}
