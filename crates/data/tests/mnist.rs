//! MNIST from folders, from the cache and from the library's own pen.

mod common;

use std::path::Path;

use common::{Folder, assert_says, dictionary, gzip, idx, npy, zip};
use cotangent_data::{Mnist, Source};

/// The four files' names and contents: 3 + 2 images, the n-th all n, with the label n.
fn files() -> [(&'static str, Vec<u8>); 4] {
    let images = |count: u8| idx(8, &[count.into(), 28, 28], &(0..count).flat_map(|i| [i; 784]).collect::<Vec<u8>>());
    let labels = |count: u8| idx(8, &[count.into()], &(0..count).collect::<Vec<u8>>());
    [
        ("train-images-idx3-ubyte", images(3)),
        ("train-labels-idx1-ubyte", labels(3)),
        ("t10k-images-idx3-ubyte", images(2)),
        ("t10k-labels-idx1-ubyte", labels(2)),
    ]
}

fn assert_is_the_five(mnist: &Mnist) {
    assert_eq!((mnist.x_train.shape(), mnist.x_test.shape()), ([3, 28, 28].into(), [2, 28, 28].into()));
    assert_eq!(mnist.x_train.select(0, 2).to_vec::<u8>(), [2; 784]);
    assert_eq!((mnist.y_train.to_vec::<i64>(), mnist.y_test.to_vec::<i64>()), (vec![0, 1, 2], vec![0, 1]));
}

#[test]
fn every_naming_is_found() {
    let dotted = |name: &str| name.replace("-idx", ".idx");
    for suffix in ["", ".gz"] {
        let (plain, dots) = (Folder::new(&format!("mnist-plain{suffix}")), Folder::new(&format!("mnist-dots{suffix}")));
        for (name, bytes) in files() {
            let bytes = if suffix.is_empty() { bytes } else { gzip(&bytes) };
            plain.file(&format!("{name}{suffix}"), &bytes);
            dots.file(&format!("{}{suffix}", dotted(name)), &bytes);
        }
        for folder in [plain, dots] {
            let mnist = Mnist::from_dir(folder.path()).unwrap();
            assert_is_the_five(&mnist);
            assert_eq!(mnist.source(), &Source::Folder(folder.path().into()));
        }
    }
}

#[test]
fn an_npz_is_found() {
    let folder = Folder::new("mnist-npz");
    let images = |count: u8| {
        let data: Vec<u8> = (0..count).flat_map(|i| [i; 784]).collect();
        npy(&dictionary("|u1", false, &format!("({count}, 28, 28)")), &data)
    };
    let labels = |count: i64| {
        let data: Vec<u8> = (0..count).flat_map(i64::to_le_bytes).collect();
        npy(&dictionary("<i8", false, &format!("({count},)")), &data)
    };
    let arrays =
        [("x_test.npy", images(2)), ("x_train.npy", images(3)), ("y_train.npy", labels(3)), ("y_test.npy", labels(2))];
    folder.file("mnist.npz", &zip(&arrays, true));
    assert_is_the_five(&Mnist::from_dir(folder.path()).unwrap());

    folder.file("mnist.npz", &zip(&arrays[..3], true));
    assert_says(Mnist::from_dir(folder.path()), &["no array 'y_test'", "x_train"]);
}

#[test]
fn a_given_folder_is_never_passed_over() {
    let folder = Folder::new("mnist-errors");
    let load = || Mnist::loader().dir(folder.path()).load();
    assert_says(
        Mnist::from_dir(folder.path().join("absent")),
        &["absent", "cannot be read", "looked for train-images-idx3-ubyte", ".gz", "mnist.npz"],
    );
    assert_says(load(), &["holds none of MNIST's files", "looked for train-images-idx3-ubyte"]);

    let [x_train, y_train, x_test, y_test] = files();
    folder.file(x_train.0, &x_train.1);
    assert_says(load(), &["lacks train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"]);

    folder.file(y_train.0, &y_test.1);
    folder.file(x_test.0, &x_test.1);
    folder.file(y_test.0, &y_test.1);
    assert_says(load(), &["train-labels-idx1-ubyte", "labels have shape [2]", "[3, 28, 28] images"]);

    folder.file(y_train.0, &idx(8, &[3], &[0, 11, 2]));
    assert_says(load(), &["label 1 is 11; a digit from 0 to 9"]);
    folder.file(y_train.0, &x_train.1);
    assert_says(load(), &["this is an images file (magic 0x00000803)"]);
    folder.file(y_train.0, &y_train.1);
    folder.file(x_train.0, &idx(8, &[3, 1, 1], &[0; 3]));
    assert_says(load(), &["images have shape [3, 1, 1]; [count, 28, 28] was wanted"]);
}

/// A loader that meets neither the environment's `MNIST_DIR` nor the network.
fn offline(cache: &Path) -> cotangent_data::MnistLoader {
    Mnist::loader().no_dir().cache(cache).mirrors([""; 0])
}

#[test]
fn the_cache_comes_next_and_then_the_pen() {
    let folder = Folder::new("mnist-cache");
    let mnist = offline(folder.path()).synthetic(20, 10, 1).load().unwrap();
    let line = mnist.source().to_string();
    assert!(line.starts_with("MNIST: no files (MNIST_DIR is not set), no cache (nothing in "), "{line}");
    assert!(line.ends_with(": using 20 synthetic digits drawn by Cotangent"), "{line}");
    assert!(line.contains("no network (") && !line.contains('\n'), "{line}");
    assert_says(offline(folder.path()).real_only().load(), &["no cache", "no network", "hint: set MNIST_DIR"]);

    for (name, bytes) in files() {
        folder.file(&format!("{name}.gz"), &gzip(&bytes));
    }
    let mnist = offline(folder.path()).load().unwrap();
    assert_is_the_five(&mnist);
    assert_eq!(mnist.source(), &Source::Cache(folder.path().into()));

    folder.file("t10k-labels-idx1-ubyte.gz", b"\x1f\x8bnonsense");
    let line = offline(folder.path()).synthetic(20, 10, 1).load().unwrap().source().to_string();
    assert!(line.contains("no sound cache (") && line.contains("t10k-labels-idx1-ubyte.gz"), "{line}");
}

#[test]
fn synthetic_digits_depend_on_the_seed_alone() {
    let pixels = |seed| Mnist::synthetic(50, 20, seed).x_train.to_vec::<u8>();
    assert!(pixels(1) == pixels(1));
    assert!(pixels(1) != pixels(2));
    let mnist = Mnist::synthetic(50, 20, 1);
    assert!(mnist.x_train.narrow(0, 0, 20).to_vec::<u8>() != mnist.x_test.to_vec::<u8>());
}

/// A template per digit, the mean of its training images, names most test images: the digits are told apart,
/// and not trivially.
#[test]
fn synthetic_digits_can_be_learned() {
    let mnist = Mnist::synthetic(4000, 1000, 3);
    let ((x_train, y_train), (x_test, y_test)) = mnist.images_nhwc();
    let mut means = vec![[0.0; 784]; 10];
    let images = x_train.to_vec::<f32>();
    for (image, label) in images.chunks_exact(784).zip(y_train.to_vec::<i64>()) {
        means[label as usize].iter_mut().zip(image).for_each(|(mean, x)| *mean += x / 400.0);
    }
    let distance = |image: &[f32], mean: &[f32; 784]| -> f32 {
        image.iter().zip(mean).map(|(x, mean)| (x - mean) * (x - mean)).sum()
    };
    let guess = |image: &[f32]| {
        let order = |&a: &usize, &b: &usize| distance(image, &means[a]).total_cmp(&distance(image, &means[b]));
        (0..10).min_by(order).unwrap() as i64
    };
    let images = x_test.to_vec::<f32>();
    let guesses = images.chunks_exact(784).map(guess).zip(y_test.to_vec::<i64>());
    let right = guesses.filter(|(guessed, label)| guessed == label).count();
    assert!((750..970).contains(&right), "{right} of 1000");
}

#[test]
fn first_takes_the_first_of_both_parts() {
    let (all, mnist) = (Mnist::synthetic(30, 12, 0), Mnist::synthetic(30, 12, 0).first(20));
    assert_eq!((mnist.x_train.shape(), mnist.x_test.shape()), ([20, 28, 28].into(), [12, 28, 28].into()));
    assert_eq!(mnist.y_train.to_vec::<i64>(), all.y_train.to_vec::<i64>()[..20]);
}

#[test]
fn images_for_convolutions_are_scaled() {
    let folder = Folder::new("mnist-nhwc");
    for (name, bytes) in files() {
        folder.file(name, &bytes);
    }
    let ((x, y), _) = Mnist::from_dir(folder.path()).unwrap().images_nhwc();
    assert_eq!((x.shape(), y.shape()), ([3, 28, 28, 1].into(), [3].into()));
    assert_eq!(x.select(0, 2).to_vec::<f32>(), [2.0 / 255.0; 784]);
}

/// Runs where `MNIST_DIR` names the real files: class counts and ink as published.
#[test]
fn the_real_mnist_is_read() {
    let Some(dir) = std::env::var_os("MNIST_DIR").filter(|dir| !dir.is_empty()) else { return };
    let mnist = Mnist::from_dir(dir).unwrap();
    assert_eq!((mnist.x_train.shape(), mnist.x_test.shape()), ([60_000, 28, 28].into(), [10_000, 28, 28].into()));
    let labels = mnist.y_train.to_vec::<i64>();
    assert_eq!(labels[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    let counts: Vec<usize> = (0..10).map(|digit| labels.iter().filter(|&&label| label == digit).count()).collect();
    assert_eq!(counts, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    let sum: u64 = mnist.x_train.to_vec::<u8>().into_iter().map(u64::from).sum();
    let mean = sum as f64 / (60_000.0 * 784.0) / 255.0;
    assert!((mean - 0.1307).abs() < 5e-5, "mean {mean}");
}
