//! The callbacks that write files, read back.

use crate::{points, refused, regression};
use cotangent_nn::*;
use cotangent_train::{CsvLogger, LearningRateScheduler};
use std::fs;
use std::path::PathBuf;

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn epochs_are_lines_of_a_csv_file() {
    let (x, y) = points(20);
    let path = folder("csv").join("log.csv");
    let mut model = regression(Sgd::new(0.5));
    let mut log = |epochs: (usize, usize), append| {
        let logger = CsvLogger::new(&path).append(append);
        let rates = LearningRateScheduler::new(|_, rate| rate);
        let fit = model.fit(&x, &y).initial_epoch(epochs.0).epochs(epochs.1).callback(rates).callback(logger);
        fit.validation(&x, &y).verbose(0).run().unwrap()
    };
    let (first, second) = (log((0, 2), false), log((2, 3), true));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss");
    assert_eq!(lines.len(), 4, "{text}");
    for (i, (history, at)) in [(&first, 0), (&first, 1), (&second, 0)].into_iter().enumerate() {
        let cells: Vec<f64> = lines[i + 1].split(',').map(|cell| cell.parse().unwrap()).collect();
        let names = ["accuracy", "learning_rate", "loss", "val_accuracy", "val_loss"];
        assert_eq!(cells[0], i as f64);
        assert_eq!(cells[1..], names.map(|name| history[name][at]));
    }
    log((0, 1), false);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    let nowhere = CsvLogger::new(path.with_file_name("none").join("log.csv"));
    refused(
        model.fit(&x, &y).callback(nowhere).verbose(0).run(),
        &["[csv_logger] cannot write", "none/log.csv", "hint"],
    );
}

#[cfg(feature = "tensorboard")]
mod tensorboard {
    use super::*;
    use cotangent_train::TensorBoard;
    use std::path::Path;

    /// CRC-32C by bits, as TensorFlow masks it.
    fn checksum(data: &[u8]) -> u32 {
        let mut crc = !0_u32;
        for &byte in data {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            }
        }
        let crc = !crc;
        crc.rotate_right(15).wrapping_add(0xa282_ead8)
    }

    /// The records of the only event file in a folder, their checksums checked.
    fn records(folder: &Path) -> Vec<Vec<u8>> {
        let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        assert!(files[0].to_str().unwrap().contains("events.out.tfevents."));
        let (bytes, mut at, mut records) = (fs::read(&files[0]).unwrap(), 0, Vec::new());
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        while at < bytes.len() {
            let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
            assert_eq!(number(at + 8), checksum(&bytes[at..at + 8]));
            let data = &bytes[at + 12..at + 12 + length];
            assert_eq!(number(at + 12 + length), checksum(data));
            records.push(data.to_vec());
            at += length + 16;
        }
        records
    }

    /// The fields of a protocol buffer: number and bytes (of a number, its eight or four, or its value in one).
    fn fields(mut data: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut fields = Vec::new();
        while let [key, rest @ ..] = data {
            let (length, skip) = match key & 7 {
                0 => (1, 0),
                1 => (8, 0),
                5 => (4, 0),
                2 => (usize::from(rest[0]), 1),
                other => panic!("wire type {other}"),
            };
            assert!(length < 128, "lengths and numbers of one byte are enough here");
            fields.push((key >> 3, rest[skip..skip + length].to_vec()));
            data = &rest[skip + length..];
        }
        fields
    }

    /// Step, name and value of each scalar in a record.
    fn scalars(record: &[u8]) -> Vec<(u8, String, f32)> {
        let event = fields(record);
        assert_eq!(event[1].0, 2);
        let values = fields(&event[2].1).into_iter().map(|(_, value)| {
            let value = fields(&value);
            let number = f32::from_le_bytes(value[1].1[..].try_into().unwrap());
            (event[1].1[0], String::from_utf8(value[0].1.clone()).unwrap(), number)
        });
        values.collect()
    }

    #[test]
    fn known_checksums() {
        // of "123456789" the CRC-32C is e3069283
        assert_eq!(checksum(b"123456789"), 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn event_files_hold_each_epochs_scalars() {
        let (x, y) = points(20);
        let logs = folder("tensorboard");
        let mut model = regression(Sgd::new(0.5));
        let board = TensorBoard::new(&logs);
        let history = model.fit(&x, &y).epochs(2).validation(&x, &y).callback(board).verbose(0).run().unwrap();
        let parts = [
            ("train", "", vec!["loss", "accuracy", "learning_rate"]),
            ("validation", "val_", vec!["loss", "accuracy"]),
        ];
        for (part, prefix, names) in parts {
            let records = records(&logs.join(part));
            assert_eq!(fields(&records[0])[1], (3, b"brain.Event:2".to_vec()));
            assert_eq!(records.len(), 3);
            for epoch in 0..2 {
                let value = |name: &str| match name {
                    "learning_rate" => 0.5,
                    name => history[&*format!("{prefix}{name}")][epoch] as f32,
                };
                let want: Vec<(u8, String, f32)> =
                    names.iter().map(|name| (epoch as u8, format!("epoch_{name}"), value(name))).collect();
                assert_eq!(scalars(&records[epoch + 1]), want);
            }
        }
    }
}
