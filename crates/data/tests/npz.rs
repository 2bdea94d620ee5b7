//! NumPy files: types, orders and headers; zip archives, sound and damaged.

mod common;

use common::{Folder, assert_says, dictionary, npy, zip};
use cotangent_core::Tensor;
use cotangent_data::{ArrayData, Npz, read_npy, write_npz};

#[test]
fn every_type_comes_back() {
    let folder = Folder::new("npy-types");
    let cases = [
        ("|b1", vec![0, 1], ArrayData::Bool(vec![false, true])),
        ("|u1", vec![0, 255], ArrayData::U8(vec![0, 255])),
        ("|i1", vec![0, 255], ArrayData::I8(vec![0, -1])),
        ("<i2", [-2i16, 300].map(i16::to_le_bytes).concat(), ArrayData::I16(vec![-2, 300])),
        ("<i4", [-2i32, 70_000].map(i32::to_le_bytes).concat(), ArrayData::I32(vec![-2, 70_000])),
        ("<i8", [-2i64, 1 << 40].map(i64::to_le_bytes).concat(), ArrayData::I64(vec![-2, 1 << 40])),
        ("<u4", [0, u32::MAX].map(u32::to_le_bytes).concat(), ArrayData::U32(vec![0, u32::MAX])),
        ("<u2", [2, u16::MAX].map(u16::to_le_bytes).concat(), ArrayData::U32(vec![2, 65535])),
        (">f2", vec![0x3c, 0x00, 0xc2, 0x48], ArrayData::F32(vec![1.0, -3.140625])),
        ("<f4", [0.5f32, -1e30].map(f32::to_le_bytes).concat(), ArrayData::F32(vec![0.5, -1e30])),
        (">f4", [0.5f32, -1e30].map(f32::to_be_bytes).concat(), ArrayData::F32(vec![0.5, -1e30])),
        ("<f8", [0.1f64, -1e300].map(f64::to_le_bytes).concat(), ArrayData::F64(vec![0.1, -1e300])),
    ];
    for (descr, bytes, data) in cases {
        let array = read_npy(folder.file("a.npy", &npy(&dictionary(descr, false, "(2, 1)"), &bytes))).unwrap();
        assert_eq!((array.shape(), array.data()), ([2, 1].as_slice(), &data), "{descr}");
    }
}

#[test]
fn shapes_and_header_versions() {
    let folder = Folder::new("npy-shapes");
    for (text, shape, count) in [("()", vec![], 1), ("(3,)", vec![3], 3), ("(2, 0, 5)", vec![2, 0, 5], 0)] {
        let array = read_npy(folder.file("a.npy", &npy(&dictionary("|u1", false, text), &vec![7; count]))).unwrap();
        assert_eq!((array.shape(), array.data()), (shape.as_slice(), &ArrayData::U8(vec![7; count])));
    }
    let text = dictionary("|u1", false, "(1,)");
    let long = [b"\x93NUMPY\x02\x00".as_slice(), &(text.len() as u32).to_le_bytes(), text.as_bytes(), &[9]].concat();
    assert_eq!(read_npy(folder.file("v2.npy", &long)).unwrap().data(), &ArrayData::U8(vec![9]));
}

#[test]
fn fortran_order_becomes_c_order() {
    let folder = Folder::new("npy-fortran");
    // numpy.arange(24).reshape(2, 3, 4), first axis fastest
    let position = |i: u8| (i % 2) * 12 + (i / 2 % 3) * 4 + i / 6;
    let file = npy(&dictionary("|u1", true, "(2, 3, 4)"), &(0..24).map(position).collect::<Vec<u8>>());
    let array = read_npy(folder.file("f.npy", &file)).unwrap();
    assert_eq!((array.shape(), array.data()), ([2, 3, 4].as_slice(), &ArrayData::U8((0..24).collect())));
}

#[test]
fn broken_npy_files_say_what_is_wrong() {
    let folder = Folder::new("npy-broken");
    let refuses = |bytes: &[u8], parts: &[&str]| assert_says(read_npy(folder.file("a.npy", bytes)), parts);
    refuses(b"", &["not an npy file", "an empty file"]);
    refuses(b"PK\x03\x04abcd", &["not an npy file", "a zip or npz file"]);
    refuses(&npy(&dictionary("|O", false, "(1,)"), b""), &["dtype '|O'", "hint"]);
    refuses(&npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", b""), &["structured dtype"]);
    refuses(&npy("{'descr': '<f4', 'shape': (1,)}", b""), &["no 'fortran_order'"]);
    refuses(&npy(&dictionary("<f4", false, "(1, x)"), b""), &["axis length \"x\""]);
    refuses(&npy(&dictionary("<f4", false, "3"), b""), &["'shape' is no tuple"]);
    refuses(&npy(&dictionary("<f4", false, "(3,)"), &[0; 11]), &["truncated: 12 bytes of data for shape [3]", "11"]);
    refuses(&npy(&dictionary("<f4", false, "(3,)"), &[0; 13]), &["trailing bytes"]);
    refuses(&npy(&dictionary("<f8", false, "(99999999999999,)"), &[0; 8]), &["truncated: 799999999999992 bytes"]);
    refuses(&npy(&dictionary("<f8", false, "(4294967296, 4294967296)"), &[]), &["more than 2^64 bytes"]);
    refuses(b"\x93NUMPY\x02\x00\xff\xff\xff\xff", &["claims 4294967295 bytes"]);
}

#[test]
fn archives_stored_and_deflated() {
    let folder = Folder::new("npz");
    let a = npy(&dictionary("|u1", false, "(300,)"), &[3; 300]);
    let b = npy(&dictionary("<i4", false, "()"), &(-5i32).to_le_bytes());
    for deflate in [false, true] {
        let path = folder.file("a.npz", &zip(&[("a.npy", a.clone()), ("b.npy", b.clone())], deflate));
        let mut file = Npz::open(&path).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(file.array("b").unwrap().data(), &ArrayData::I32(vec![-5]));
        assert_eq!(file.array("a").unwrap().data(), &ArrayData::U8(vec![3; 300]));
        assert_says(file.array("c"), &["no array 'c'; the file holds [\"a\", \"b\"]"]);
    }
}

#[test]
fn damaged_archives_are_refused() {
    let folder = Folder::new("npz-damaged");
    let whole = zip(&[("a.npy", npy(&dictionary("|u1", false, "(4,)"), &[1, 2, 3, 4]))], false);
    let open = |bytes: &[u8]| Npz::open(folder.file("a.npz", bytes));
    assert_says(open(b""), &["not an npz file", "the file is empty"]);
    assert_says(open(b"no zip at all, and long enough"), &["no zip end record"]);
    assert_says(open(&whole[..whole.len() - 30]), &["no zip end record: the file is truncated"]);
    assert_says(Npz::open(folder.path().join("absent.npz")), &["absent.npz", "cannot open the file"]);

    let data = whole.windows(4).position(|w| w == [1, 2, 3, 4]).unwrap();
    let mut flipped = whole.clone();
    flipped[data] ^= 1;
    assert_says(open(&flipped).unwrap().array("a"), &["a.npz: a", "damaged", "CRC-32"]);

    let mut method = whole.clone();
    let directory = whole.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    method[directory + 10] = 12;
    assert_says(open(&method).unwrap().array("a"), &["compression method 12"]);
    let mut count = whole.clone();
    count[whole.len() - 12] = 2;
    assert_says(open(&count), &["the zip directory is damaged"]);
    let mut big = whole;
    let end = big.len() - 22;
    big[end + 16..end + 20].fill(0xff);
    assert_says(open(&big), &["ZIP64"]);
}

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new("npz-written");
    let path = folder.path().join("a.npz");
    let tensors = [
        ("bool", Tensor::from([true, false])),
        ("u8", Tensor::from([[0_u8, 255]])),
        ("u32", Tensor::scalar(u32::MAX)),
        ("dense/kernel", Tensor::from([i64::MIN, -1])),
        ("f32", Tensor::from([[0.1_f32, -0.0], [f32::INFINITY, 1.0]]).transpose(0, 1)),
        ("f64", Tensor::from([0.1_f64, f64::MAX]).reshape([1, 2, 1, 1])),
        ("empty", Tensor::zeros([2, 0])),
    ];
    write_npz(&path, tensors.iter().map(|(name, tensor)| (*name, tensor))).unwrap();
    let mut file = Npz::open(&path).unwrap();
    assert!(file.names().eq(tensors.iter().map(|(name, _)| *name)));
    for (name, tensor) in &tensors {
        let read = file.array(name).unwrap().to_tensor().unwrap();
        assert_eq!((read.spec(), format!("{read}")), (tensor.spec(), format!("{tensor}")), "{name}");
    }
    write_npz(&path, [("x", &tensors[0].1); 0]).unwrap();
    assert_eq!(Npz::open(&path).unwrap().names().count(), 0);
    let twice = [("x", &tensors[0].1), ("x", &tensors[1].1)];
    assert_says(write_npz(&path, twice), &["a.npz", "two tensors are called 'x'"]);
}
