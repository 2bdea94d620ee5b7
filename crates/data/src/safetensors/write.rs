//! Writing a safetensors file.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use cotangent_base::Result;
use cotangent_core::Tensor;
use flate2::Crc;
use serde_json::Value;

use super::Safetensors;
use super::header::{MAKER, NO_SUM, SUM, TEXTS, dtype_name};
use crate::elements::{self, Summed};
use crate::replace_file;

impl Safetensors {
    /// Writes the file, in one step as [`replace_file`] does it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let tensors = self.in_file_order();
        let (header, sum_at) = self.header(&tensors);
        replace_file(path, |file| {
            let mut summed = Summed { to: &mut *file, crc: Crc::new() };
            summed.write_all(&(header.len() as u64).to_le_bytes())?;
            summed.write_all(header.as_bytes())?;
            for (_, tensor) in &tensors {
                elements::write(tensor, &mut summed)?;
            }
            let sum = summed.crc.sum();
            file.seek(SeekFrom::Start(8 + sum_at as u64))?;
            write!(file, "{sum:08x}")
        })
    }

    /// Wide elements first, so that each tensor begins at a multiple of its element's size.
    fn in_file_order(&self) -> Vec<(&str, &Tensor)> {
        let mut tensors: Vec<_> = self.tensors().collect();
        tensors.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.dtype().bytes()));
        tensors
    }

    /// The header, and the position in it of the sum's digits.
    fn header(&self, tensors: &[(&str, &Tensor)]) -> (String, usize) {
        let mut text = format!("{{{}:{{{}:\"", quoted(TEXTS), quoted(SUM));
        let sum_at = text.len();
        text.push_str(&String::from_utf8_lossy(&NO_SUM));
        text.push_str(&format!("\",{}:{}", quoted(MAKER), quoted(env!("CARGO_PKG_VERSION"))));
        for (key, value) in self.texts().filter(|(key, _)| ![SUM, MAKER].contains(key)) {
            text.push_str(&format!(",{}:{}", quoted(key), quoted(value)));
        }
        text.push('}');
        let mut offset = 0;
        for (name, tensor) in tensors {
            let (shape, end) = (tensor.shape(), offset + tensor.count() * tensor.dtype().bytes());
            let (name, dtype) = (quoted(name), dtype_name(tensor.dtype()));
            text.push_str(&format!(
                r#",{name}:{{"dtype":"{dtype}","shape":{:?},"data_offsets":[{offset},{end}]}}"#,
                &*shape
            ));
            offset = end;
        }
        text.push('}');
        // the numbers begin at a multiple of eight bytes
        let length = text.len().next_multiple_of(8);
        (format!("{text:<length$}"), sum_at)
    }
}

/// A JSON string.
fn quoted(text: &str) -> Value {
    Value::from(text)
}
