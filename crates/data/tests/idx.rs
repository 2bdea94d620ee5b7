//! IDX files: every type read back, and every way to be wrong told apart.

mod common;

use common::{Folder, assert_says, gzip, idx};
use cotangent_core::DType;
use cotangent_data::{ArrayData, read_idx, read_idx_images, read_idx_labels};

#[test]
fn every_type_comes_back() {
    let folder = Folder::new("idx-types");
    let cases = [
        (0x08, vec![0, 255], ArrayData::U8(vec![0, 255])),
        (0x09, vec![0x80, 0x7f], ArrayData::I8(vec![-128, 127])),
        (0x0B, [-2i16, 300].map(i16::to_be_bytes).concat(), ArrayData::I16(vec![-2, 300])),
        (0x0C, [-2i32, 70_000].map(i32::to_be_bytes).concat(), ArrayData::I32(vec![-2, 70_000])),
        (0x0D, [0.5f32, -1e30].map(f32::to_be_bytes).concat(), ArrayData::F32(vec![0.5, -1e30])),
        (0x0E, [0.1f64, -1e300].map(f64::to_be_bytes).concat(), ArrayData::F64(vec![0.1, -1e300])),
    ];
    for (code, bytes, data) in cases {
        let file = idx(code, &[1, 2], &bytes);
        for path in [folder.file("raw", &file), folder.file("packed", &gzip(&file))] {
            let array = read_idx(&path).unwrap();
            assert_eq!(array.shape(), [1, 2]);
            assert_eq!(array.data(), &data);
        }
    }
}

#[test]
fn arrays_become_tensors() {
    let folder = Folder::new("idx-tensors");
    let bytes = read_idx(folder.file("u8", &idx(8, &[2, 2], &[1, 2, 3, 4]))).unwrap().to_tensor().unwrap();
    assert_eq!((bytes.shape(), bytes.to_vec::<u8>()), ([2, 2].into(), vec![1, 2, 3, 4]));
    let widened = read_idx(folder.file("i8", &idx(9, &[1], &[0xff]))).unwrap().to_tensor().unwrap();
    assert_eq!((widened.dtype(), widened.to_vec::<i64>()), (DType::I64, vec![-1]));
    let deep = read_idx(folder.file("deep", &idx(8, &[1; 7], &[5]))).unwrap();
    assert_says(deep.to_tensor(), &["more than 6 axes", "[1, 1, 1, 1, 1, 1, 1]"]);
}

#[test]
fn images_and_labels_are_told_apart() {
    let folder = Folder::new("idx-kinds");
    let images = folder.file("images", &idx(8, &[1, 2, 2], &[1, 2, 3, 4]));
    let labels = folder.file("labels", &idx(8, &[3], &[7, 8, 9]));
    assert_eq!(read_idx_images(&images).unwrap().shape(), [1, 2, 2]);
    assert_eq!(read_idx_labels(&labels).unwrap().shape(), [3]);
    let path = labels.display().to_string();
    let message = "this is a labels file (magic 0x00000801); an images file (magic 0x00000803) was wanted";
    assert_says(read_idx_images(&labels), &[&path, message, "hint"]);
    let message = "this is an images file (magic 0x00000803); a labels file (magic 0x00000801) was wanted";
    assert_says(read_idx_labels(&images), &[message]);
    let floats = folder.file("floats", &idx(0x0D, &[0], &[]));
    assert_says(read_idx_labels(floats), &["an IDX file of another type or rank (magic 0x00000d01)"]);
}

#[test]
fn truncated_files_say_what_is_missing() {
    let folder = Folder::new("idx-truncated");
    let whole = idx(8, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    let short = folder.file("data", &whole[..whole.len() - 2]);
    let message = "truncated: 6 bytes of data for shape [2, 3] wanted, 4 found";
    assert_says(read_idx(short), &[message, "hint"]);
    let short = folder.file("axes", &whole[..9]);
    assert_says(read_idx(short), &["truncated: 8 bytes of axis lengths wanted, 5 found"]);
    let packed = gzip(&idx(8, &[100_000], &[3; 100_000]));
    let short = folder.file("packed", &packed[..packed.len() / 2]);
    assert_says(read_idx(short), &["truncated: 100000 bytes of data"]);
    let no_sum = folder.file("no-sum", &packed[..packed.len() - 4]);
    assert_says(read_idx(no_sum), &["damaged"]);
}

#[test]
fn a_huge_claim_is_not_allocated() {
    let folder = Folder::new("idx-huge");
    let file = folder.file("huge", &idx(0x0E, &[u32::MAX, 1000, 1000], &[0; 8]));
    assert_says(read_idx(file), &["truncated: 34359738360000000 bytes", "8 found"]);
    let file = folder.file("beyond", &idx(8, &[u32::MAX; 3], &[]));
    assert_says(read_idx(file), &["more than 2^64 bytes"]);
}

#[test]
fn what_is_not_idx_is_named() {
    let folder = Folder::new("idx-not");
    assert_says(read_idx(folder.file("empty", b"")), &["the file is empty", "hint"]);
    assert_says(read_idx(folder.file("empty.gz", &gzip(b""))), &["the file is empty"]);
    let page = folder.file("page", b"<!DOCTYPE html>");
    assert_says(read_idx(page), &["not an IDX file: it starts with 0x3c21444f", "HTML"]);
    assert_says(read_idx(folder.file("zip", b"PK\x03\x04")), &["a zip or npz file"]);
    assert_says(read_idx(folder.file("type", &[0, 0, 0x0A, 1, 0])), &["not an IDX file: it starts with 0x00000a01"]);
    assert_says(read_idx(folder.file("rank", &[0, 0, 8, 0, 0])), &["not an IDX file"]);
    assert_says(read_idx(folder.file("short", &[0, 0])), &["not an IDX file: it starts with 0x0000"]);
    assert_says(read_idx(folder.path().join("absent")), &["absent", "cannot open the file"]);
}

#[test]
fn trailing_bytes_are_refused() {
    let folder = Folder::new("idx-trailing");
    let mut file = idx(8, &[2], &[1, 2]);
    file.push(3);
    assert_says(read_idx(folder.file("raw", &file)), &["trailing bytes"]);
    assert_says(read_idx(folder.file("packed", &gzip(&file))), &["trailing bytes"]);
}
