//! What several tests need: a folder that goes away, and writers of the formats.

// each test binary uses a part of it
#![allow(dead_code)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};

/// A folder of this test's own, removed in the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and gives its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file with the type `code`.
pub fn idx(code: u8, shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// An npy file of version 1 with this dictionary.
pub fn npy(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dictionary.len() as u16 + 1).to_le_bytes());
    bytes.extend(dictionary.bytes().chain([b'\n']).chain(data.iter().copied()));
    bytes
}

/// A dictionary as NumPy writes it.
pub fn dictionary(descr: &str, fortran: bool, shape: &str) -> String {
    let fortran = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}")
}

/// A zip archive of these files, stored or deflated.
pub fn zip(files: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        let packed = if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.clone()
        };
        // version, flags, method, time and date, CRC-32, sizes, lengths of the name and of the extra field
        let mut middle = [20u16, 0, if deflate { 8 } else { 0 }, 0, 0].map(u16::to_le_bytes).concat();
        middle.extend([crc.sum(), packed.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat());
        middle.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        directory.extend([b"PK\x01\x02\x14\x00".as_slice(), &middle, &[0; 10]].concat());
        directory.extend((archive.len() as u32).to_le_bytes());
        directory.extend(name.bytes());
        archive.extend([b"PK\x03\x04".as_slice(), &middle, name.as_bytes(), &packed].concat());
    }
    let mut end = b"PK\x05\x06".to_vec();
    end.extend([0, 0, files.len() as u16, files.len() as u16].map(u16::to_le_bytes).concat());
    end.extend([directory.len() as u32, archive.len() as u32].map(u32::to_le_bytes).concat());
    [archive, directory, end, vec![0; 2]].concat()
}

/// Fails unless the error's text has each of `parts`.
#[track_caller]
pub fn assert_says<T>(result: cotangent_base::Result<T>, parts: &[&str]) {
    let text = result.err().expect("an error").to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}
