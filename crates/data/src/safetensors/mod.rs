//! The safetensors format: named tensors, and text beside them.
//!
//! <https://huggingface.co/docs/safetensors>: eight bytes with the length of the header, the header in JSON, the numbers
//! of all tensors one after another.

mod header;
mod read;
mod write;

use std::collections::BTreeMap;

use cotangent_core::Tensor;

/// What a safetensors file holds: tensors under their names, and text under keys.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("cotangent-doc-{}.safetensors", std::process::id()));
/// use cotangent_core::Tensor;
/// use cotangent_data::Safetensors;
/// let mut file = Safetensors::new();
/// file.insert("w", Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]));
/// file.insert_text("made by", "hand");
/// file.write(&path)?;
///
/// let file = Safetensors::read(&path)?;
/// assert_eq!(file.get("w").unwrap().to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(file.text("made by"), Some("hand"));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), cotangent_base::Error>(())
/// ```
///
/// Files written here carry the CRC-32 of all their bytes, which is checked when they are read.
#[derive(Clone, Default)]
pub struct Safetensors {
    tensors: BTreeMap<String, Tensor>,
    texts: BTreeMap<String, String>,
}

impl Safetensors {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a tensor under `name`, in place of the one that was there.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        self.tensors.insert(name.into(), tensor);
    }

    /// Puts text under `key`, in place of what was there.
    pub fn insert_text(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.texts.insert(key.into(), text.into());
    }

    /// The tensor called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// The tensors with their names, in alphabetical order.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The text under `key`.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// The texts with their keys, in alphabetical order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(key, text)| (key.as_str(), text.as_str()))
    }
}
