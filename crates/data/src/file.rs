//! Opening and reading files whose claims about their own size are not to be trusted.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use cotangent_base::{Error, Result};
use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A file being read, with the name that errors give it.
pub(crate) struct Input<'a> {
    pub name: String,
    reader: Box<dyn Read + 'a>,
}

impl<'a> Input<'a> {
    /// Reads from `reader` under `name`.
    pub fn new(name: impl Into<String>, reader: impl Read + 'a) -> Self {
        Self { name: name.into(), reader: Box::new(reader) }
    }

    /// Up to `count` bytes, fewer at the end of the input: memory grows only as bytes arrive.
    pub fn up_to(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.reader.by_ref().take(count).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            // gzip data that breaks off; the caller says how much is missing
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(bytes),
            Err(e) => Err(self.unreadable(e)),
        }
    }

    /// The `count` bytes of `what`; an error if the input ends before.
    pub fn exactly(&mut self, count: u64, what: &str) -> Result<Vec<u8>> {
        let bytes = self.up_to(count)?;
        if (bytes.len() as u64) < count {
            let message = format!("truncated: {count} bytes of {what} wanted, {} found", bytes.len());
            return Err(self.error(message).hint("get the file again; a download may have broken off"));
        }
        Ok(bytes)
    }

    /// Checks that nothing follows, which also makes gzip and zip check their sums.
    pub fn end(mut self) -> Result<()> {
        let mut byte = [0];
        match self.reader.read(&mut byte) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.error("trailing bytes: the file goes on after the data its header describes")),
            Err(e) => Err(self.unreadable(e)),
        }
    }

    /// An error about this file.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(self.name.clone(), message)
    }

    fn unreadable(&self, e: io::Error) -> Error {
        self.error("the file is damaged or cannot be read").because(e)
    }
}

/// Opens `path`.
pub(crate) fn open_as_it_is(path: &Path) -> Result<Input<'static>> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Error::new(name.clone(), "cannot open the file").because(e))?;
    Ok(Input::new(name, BufReader::with_capacity(1 << 16, file)))
}

/// Opens `path`, unpacking it if its first bytes are gzip's, whatever its name.
pub(crate) fn open(path: &Path) -> Result<Input<'static>> {
    let name = path.display().to_string();
    let cannot = |e| Error::new(name.clone(), "cannot open the file").because(e);
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(cannot)?);
    let packed = file.fill_buf().map_err(cannot)?.starts_with(&GZIP_MAGIC);
    Ok(if packed { Input::new(name, MultiGzDecoder::new(file)) } else { Input::new(name, file) })
}

/// What the first bytes of a file look like, for the message that says it is not what was wanted.
pub(crate) fn guess(start: &[u8]) -> &'static str {
    let text = start.trim_ascii_start();
    match start {
        [] => "an empty file",
        [b'P', b'K', 3, 4, ..] => "a zip or npz file",
        [0x93, b'N', b'U', b'M', ..] => "a NumPy npy file",
        [0x1f, 0x8b, ..] => "a gzip file inside a gzip file",
        [0, 0, 8..=14, 1..=255] => "an IDX file",
        _ if text.starts_with(b"<") => "an HTML or XML page, perhaps a download that failed",
        _ => "none that this library knows",
    }
}

/// `bytes` as hexadecimal, `0x` before.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_string(), |text, b| text + &format!("{b:02x}"))
}
