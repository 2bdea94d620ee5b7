//! Why a PTX text cannot be played.

use std::fmt;

/// What kind of refusal it is; a driver has its own number for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PtxErrorKind {
    /// The text is no PTX, or holds an instruction that is not played.
    Invalid,
    /// `.version` is newer than what is played.
    Version,
    /// `.target` needs another device.
    Target,
    /// The module's variables do not fit into the device's memory.
    Memory,
}

/// Why a text was refused, and at which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PtxError {
    /// What kind of refusal it is.
    pub kind: PtxErrorKind,
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong there.
    pub message: String,
}

impl PtxError {
    pub(crate) fn syntax(line: u32, message: impl Into<String>) -> Self {
        Self { kind: PtxErrorKind::Invalid, line, message: message.into() }
    }
}

impl fmt::Display for PtxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PTX line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for PtxError {}
