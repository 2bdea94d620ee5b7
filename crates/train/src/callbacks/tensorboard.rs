//! [`TensorBoard`]: event files for TensorBoard.

use super::{Callback, Context};
use cotangent_core::{Error, Result};
use crc::{CRC_32_ISCSI, Crc};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Writes what each epoch reports for TensorBoard (`tensorboard --logdir logs`), as Keras's `TensorBoard` does: scalars
/// `epoch_loss`, `epoch_accuracy`, …, `epoch_learning_rate` by epoch, in the folder `train`, and those of the validation in
/// `validation`.
pub struct TensorBoard {
    folder: PathBuf,
    train: Option<Events>,
    validation: Option<Events>,
}

impl TensorBoard {
    /// In this folder, which is made if there is none: one for each run.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), train: None, validation: None }
    }

    fn write(&mut self, part: &'static str, epoch: usize, numbers: &[(String, f64)]) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let folder = self.folder.join(part);
        let events = if part == "train" { &mut self.train } else { &mut self.validation };
        write(events, &folder, epoch, numbers).map_err(|e| {
            Error::new("tensorboard", format!("cannot write to {}", folder.display()))
                .hint("the folder must be writable")
                .because(e)
        })
    }
}

fn write(events: &mut Option<Events>, folder: &Path, epoch: usize, numbers: &[(String, f64)]) -> io::Result<()> {
    let events = match events {
        Some(events) => events,
        None => events.insert(Events::create(folder)?),
    };
    events.scalars(epoch, numbers)
}

impl Callback for TensorBoard {
    fn watches_steps(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut Context) -> Result<()> {
        (self.train, self.validation) = (None, None);
        Ok(())
    }

    fn on_epoch_end(&mut self, context: &mut Context) -> Result<()> {
        let (mut train, mut validation) = (Vec::new(), Vec::new());
        for (name, value) in context.logs.iter() {
            match name.strip_prefix("val_") {
                Some(name) => validation.push((format!("epoch_{name}"), value)),
                None => train.push((format!("epoch_{name}"), value)),
            }
        }
        if context.logs.get("learning_rate").is_none() {
            train.push(("epoch_learning_rate".to_owned(), context.learning_rate()));
        }
        self.write("train", context.epoch(), &train)?;
        self.write("validation", context.epoch(), &validation)
    }
}

/// An event file: TensorFlow's records, each an `Event` of its protocol buffers.
struct Events(File);

impl Events {
    fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (seconds, process) = (now().as_secs(), std::process::id());
        let path = |i: u32| folder.join(format!("events.out.tfevents.{seconds:010}.cotangent.{process}.{i}"));
        let free = (0..).map(path).find(|path| !path.exists()).expect("names do not end");
        let mut events = Self(File::create_new(free)?);
        events.record(&event(|event| event.bytes(3, b"brain.Event:2")))?;
        Ok(events)
    }

    fn scalars(&mut self, step: usize, numbers: &[(String, f64)]) -> io::Result<()> {
        let mut summary = Message::default();
        for (name, value) in numbers {
            let mut scalar = Message::default();
            scalar.bytes(1, name.as_bytes());
            scalar.fixed32(2, *value as f32);
            summary.bytes(1, &scalar.0);
        }
        self.record(&event(|event| {
            event.varint(2, step as u64);
            event.bytes(5, &summary.0);
        }))
    }

    /// The length and its checksum, the data and theirs.
    fn record(&mut self, data: &[u8]) -> io::Result<()> {
        let length = (data.len() as u64).to_le_bytes();
        let mut record = Vec::with_capacity(data.len() + 16);
        for part in [&length[..], data] {
            record.extend_from_slice(part);
            record.extend_from_slice(&masked_checksum(part).to_le_bytes());
        }
        self.0.write_all(&record)
    }
}

/// An `Event` of now.
fn event(fill: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut event = Message::default();
    event.fixed64(1, now().as_secs_f64());
    fill(&mut event);
    event.0
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// CRC-32C, rotated and shifted, so that a checksum of data with checksums in it is not degenerate.
fn masked_checksum(data: &[u8]) -> u32 {
    Crc::<u32>::new(&CRC_32_ISCSI).checksum(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A protocol buffer, written field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u8, value: u64) {
        self.0.push(field << 3);
        self.number(value);
    }

    fn fixed64(&mut self, field: u8, value: f64) {
        self.0.push(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u8, value: &[u8]) {
        self.0.push(field << 3 | 2);
        self.number(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn fixed32(&mut self, field: u8, value: f32) {
        self.0.push(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Seven bits in each byte, the lowest first.
    fn number(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
