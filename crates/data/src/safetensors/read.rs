//! Reading a safetensors file, whose claims about itself are not trusted.

use std::path::Path;

use byteorder::{ByteOrder, LittleEndian};
use cotangent_base::{Error, Result};
use flate2::Crc;
use serde_json::{Map, Value};

use super::Safetensors;
use super::header::{self, MAKER, NO_SUM, SUM};
use crate::array::Array;
use crate::file::{self, Input};

/// The longest header that the format allows.
const LONGEST_HEADER: u64 = 100_000_000;

impl Safetensors {
    /// Reads the file: f16 and bf16 become f32, i8, i16 and i32 become i64, u16 becomes u32.
    ///
    /// # Errors
    /// If the file cannot be read, is no safetensors file, is truncated or goes on after its end, holds another dtype,
    /// or, where it was written here, is not byte for byte what was written.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let mut input = file::open_as_it_is(path.as_ref())?;
        let length = read_length(&mut input)?;
        let text = input.exactly(length, "header")?;
        let header = parse(&text).map_err(|what| damaged(&input, &what))?;
        let entries = header::entries(&header).map_err(|what| damaged(&input, &what))?;
        let mut found = Safetensors {
            texts: header::texts(&header).map_err(|what| damaged(&input, &what))?.into_iter().collect(),
            ..Safetensors::default()
        };
        let mut crc = Crc::new();
        crc.update(&length.to_le_bytes());
        add_without_sum(&mut crc, &text, found.text(SUM));
        for entry in entries {
            let bytes = input.exactly(entry.bytes.end - entry.bytes.start, &format!("tensor '{}'", entry.name))?;
            crc.update(&bytes);
            let array = Array::new(entry.shape, entry.kind.decode::<LittleEndian>(bytes));
            let tensor = array.to_tensor().map_err(|e| input.error(format!("tensor '{}'", entry.name)).because(e))?;
            found.tensors.insert(entry.name, tensor);
        }
        let name = input.name.clone();
        input.end()?;
        found.check_sum(&name, crc.sum())?;
        Ok(found)
    }

    /// Holds the sum of the bytes read against the one in the file, and takes the two keys of this library out.
    fn check_sum(&mut self, name: &str, found: u32) -> Result<()> {
        let ours = self.texts.remove(MAKER).is_some();
        match self.texts.remove(SUM) {
            None if !ours => Ok(()),
            Some(sum) if sum == format!("{found:08x}") => Ok(()),
            sum => {
                let promised = sum.map_or("none".to_owned(), |sum| format!("{sum:?}"));
                let message = format!("damaged: the CRC-32 of its bytes is \"{found:08x}\", it carries {promised}");
                Err(Error::new(name, message).hint("some byte is not what was written; use another copy"))
            }
        }
    }
}

fn damaged(input: &Input, what: &str) -> Error {
    input.error(format!("not a safetensors file, or a damaged one: its header has {what}"))
}

/// The first eight bytes.
fn read_length(input: &mut Input) -> Result<u64> {
    let start = input.up_to(8)?;
    let length = if start.len() == 8 { LittleEndian::read_u64(&start) } else { u64::MAX };
    if length > LONGEST_HEADER {
        let found = format!("it starts with {}, which looks like {}", file::hex(&start), file::guess(&start));
        return Err(input.error(format!("not a safetensors file: {found}")));
    }
    Ok(length)
}

fn parse(text: &[u8]) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(text) {
        Ok(Value::Object(header)) => Ok(header),
        Ok(_) => Err("no JSON object".into()),
        Err(e) => Err(format!("a mistake in its JSON ({e})")),
    }
}

/// Adds the header to the sum as it was when the sum was made: without it.
fn add_without_sum(crc: &mut Crc, text: &[u8], sum: Option<&str>) {
    let key = format!("\"{SUM}\":\"");
    let at = text.windows(key.len()).position(|part| part == key.as_bytes()).map(|at| at + key.len());
    match at {
        Some(at) if sum.is_some() && at + NO_SUM.len() <= text.len() => {
            crc.update(&text[..at]);
            crc.update(&NO_SUM);
            crc.update(&text[at + NO_SUM.len()..]);
        }
        _ => crc.update(text),
    }
}
