//! Safetensors files: written and read back, as other programs write them, and damaged in every way.

mod common;

use std::fs;
use std::io::{Seek, SeekFrom, Write};

use common::{Folder, assert_says};
use cotangent_core::{DType, Tensor};
use cotangent_data::Safetensors;

/// One tensor of each dtype, in some shape.
fn every_dtype() -> Safetensors {
    let mut file = Safetensors::new();
    file.insert("bool", Tensor::from([true, false, true]));
    file.insert("u8", Tensor::from([[0_u8, 255]]));
    file.insert("u32", Tensor::scalar(u32::MAX));
    file.insert("i64", Tensor::from([i64::MIN, -1, i64::MAX]));
    file.insert("f32", Tensor::from([[0.1_f32, f32::NEG_INFINITY], [-0.0, f32::MIN_POSITIVE]]));
    file.insert("f64", Tensor::from([0.1_f64, f64::MAX]).reshape([1, 2, 1, 1]));
    file.insert("empty", Tensor::zeros([2, 0]));
    file.insert("a view", Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]).transpose(0, 1));
    file.insert_text("note", "quotes \" and\nlines, é");
    file
}

fn assert_same(a: &Tensor, b: &Tensor, name: &str) {
    assert_eq!(a.spec(), b.spec(), "{name}");
    assert_eq!(format!("{a}"), format!("{b}"), "{name}");
}

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new("safetensors");
    let path = folder.path().join("a.safetensors");
    let file = every_dtype();
    file.write(&path).unwrap();
    let read = Safetensors::read(&path).unwrap();
    assert_eq!(read.tensors().count(), file.tensors().count());
    file.tensors().for_each(|(name, tensor)| assert_same(tensor, read.get(name).unwrap(), name));
    assert_eq!(read.texts().collect::<Vec<_>>(), [("note", "quotes \" and\nlines, é")]);
    assert_eq!(read.get("a view").unwrap().to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);

    let bytes = fs::read(&path).unwrap();
    read.write(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same content, the same file");
    Safetensors::new().write(&path).unwrap();
    assert_eq!(Safetensors::read(&path).unwrap().tensors().count(), 0);
}

/// A file with this header and data.
fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// The header of one tensor `x`.
fn header(dtype: &str, shape: &str, end: usize) -> String {
    format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
}

#[test]
fn files_of_other_programs_are_read() {
    let folder = Folder::new("safetensors-others");
    let read = |dtype, data: &[u8]| {
        let bytes = raw(&header(dtype, "[2]", data.len()), data);
        let file = Safetensors::read(folder.file("a.safetensors", &bytes)).unwrap();
        file.get("x").unwrap().clone()
    };
    let close = |tensor: Tensor, dtype, values: [f64; 2]| {
        assert_eq!(tensor.dtype(), dtype);
        assert_eq!(tensor.cast(DType::F64).to_vec::<f64>(), values);
    };
    close(read("I8", &[0xff, 3]), DType::I64, [-1.0, 3.0]);
    close(read("I16", &[0xfe, 0xff, 3, 0]), DType::I64, [-2.0, 3.0]);
    close(read("I32", &[0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0]), DType::I64, [-2.0, 3.0]);
    close(read("U16", &[0xfe, 0xff, 3, 0]), DType::U32, [65534.0, 3.0]);
    close(read("BF16", &[0x80, 0x3f, 0x49, 0xc0]), DType::F32, [1.0, -3.140625]);
    close(read("F16", &[0x00, 0x3c, 0x48, 0xc2]), DType::F32, [1.0, -3.140625]);
    // the greatest and the least number above zero
    close(read("F16", &[0xff, 0x7b, 0x01, 0x00]), DType::F32, [65504.0, 2f64.powi(-24)]);
    let special = read("F16", &[0x00, 0xfc, 0x01, 0x7c]).to_vec::<f32>();
    assert!(special[0] == f32::NEG_INFINITY && special[1].is_nan());
}

#[test]
fn what_is_no_safetensors_file_is_refused() {
    let folder = Folder::new("safetensors-foreign");
    let refuses = |bytes: &[u8], parts: &[&str]| {
        assert_says(Safetensors::read(folder.file("a.safetensors", bytes)), &[&["a.safetensors"], parts].concat());
    };
    refuses(b"", &["not a safetensors file", "an empty file"]);
    refuses(b"PK\x03\x04 and so on", &["not a safetensors file", "a zip or npz file"]);
    refuses(&raw("{]", b""), &["a mistake in its JSON"]);
    refuses(&raw(&"[".repeat(100_000), b""), &["a mistake in its JSON", "recursion"]);
    refuses(&raw("3", b""), &["no JSON object"]);
    refuses(&raw(&header("F8_E5M2", "[2]", 2), &[0; 2]), &["dtype F8_E5M2", "tensor 'x'"]);
    refuses(&raw(&header("F32", "[2]", 4), &[0; 4]), &["bytes 0 to 4 for shape [2] of 4 each, for tensor 'x'"]);
    refuses(&raw(&header("F32", "[-2]", 4), &[0; 4]), &["a shape that is no list"]);
    refuses(&raw(&header("F32", "[4294967296,4294967296]", 4), &[0; 4]), &["bytes 0 to 4"]);
    refuses(&raw(&header("U8", "[1,1,1,1,1,1,1]", 1), &[0]), &["tensor 'x'", "more than 6 axes"]);
    refuses(&raw(&header("F32", "[2]", 8), &[0; 7]), &["truncated: 8 bytes of tensor 'x' wanted, 7 found"]);
    refuses(&raw(&header("F32", "[2]", 8), &[0; 9]), &["trailing bytes"]);
    refuses(&raw(r#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, &[0; 2]), &["out of order", "tensor 'x'"]);
    refuses(&raw(r#"{"__metadata__":{"a":1}}"#, b""), &["'__metadata__'"]);
    // a header that claims gigabytes takes no memory for them
    refuses(&[&99_999_999_u64.to_le_bytes(), b"{".as_slice()].concat(), &["truncated", "header"]);
    assert_says(Safetensors::read(folder.path().join("absent")), &["absent", "cannot open the file"]);
    assert_says(Safetensors::read(folder.path()), &["cannot be read"]);
}

#[test]
fn every_flipped_bit_and_every_missing_byte_is_found() {
    let folder = Folder::new("safetensors-flipped");
    let path = folder.path().join("a.safetensors");
    let mut file = Safetensors::new();
    file.insert("w", Tensor::from([0.5_f32, -1.0]));
    file.insert("n", Tensor::from([7_u8]));
    file.insert_text("epoch", "3");
    file.write(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let mut damaged = fs::File::options().write(true).open(&path).unwrap();
    let mut put = |at: usize, byte: u8| {
        damaged.seek(SeekFrom::Start(at as u64)).unwrap();
        damaged.write_all(&[byte]).unwrap();
    };
    for (at, byte) in bytes.iter().enumerate() {
        for bit in 0..8 {
            put(at, byte ^ 1 << bit);
            assert!(Safetensors::read(&path).is_err(), "bit {bit} of byte {at} flipped");
        }
        put(at, *byte);
    }
    Safetensors::read(&path).expect("all is well again");
    for length in (0..bytes.len()).rev() {
        damaged.set_len(length as u64).unwrap();
        assert!(Safetensors::read(&path).is_err(), "{length} of {} bytes", bytes.len());
    }
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&path, &flipped).unwrap();
    assert_says(Safetensors::read(&path), &["damaged: the CRC-32 of its bytes is", "it carries", "another copy"]);
}
