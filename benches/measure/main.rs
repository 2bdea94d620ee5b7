//! Times Cotangent on the work that `cargo xtask bench --peers` asks for: `measure THREADS` answers requests (see
//! `protocol`), `measure --digits FILE` writes the images and labels that the peers train on.

mod kernels;
mod models;
mod protocol;
mod training;

use cotangent::prelude::*;
use protocol::Work;
use std::path::Path;

fn main() -> cotangent::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--digits", file] => write_digits(Path::new(file)),
        [threads] => {
            let threads = threads.parse().expect("a number of threads");
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("no thread works yet");
            protocol::serve(&format!("Cotangent {}", env!("CARGO_PKG_VERSION")), make);
            Ok(())
        }
        _ => panic!("usage: measure THREADS, or measure --digits FILE"),
    }
}

fn make(words: &[&str]) -> Option<Work> {
    let size = |word: &str| word.parse().expect("a size");
    let sizes = |words: &[&str]| words.iter().map(|word| size(word)).collect::<Vec<usize>>();
    Some(match *words {
        ["step", "images", ..] => {
            let [batch, image, width] = sizes(&words[2..])[..] else { return None };
            training::images_step(batch, image, width)
        }
        ["step", name, batch] => training::mnist_step(name, size(batch)),
        ["infer", batch] => training::inference(size(batch)),
        ["gemm", ..] => kernels::gemm(sizes(&words[1..]).try_into().ok()?),
        ["conv", which, format, ..] => kernels::conv(which, format, sizes(&words[3..]).try_into().ok()?)?,
        ["over", name, count] => kernels::over(name, size(count))?,
        ["overhead"] => kernels::overhead(),
        ["copy", count] => kernels::copy(size(count)),
        ["peak"] => kernels::peak(),
        _ => return None,
    })
}

/// Each image of MNIST's training part, 784 bytes, with its label behind it.
fn write_digits(file: &Path) -> Result<()> {
    let mnist = Mnist::load()?;
    let (images, labels) = (mnist.x_train.to_vec::<u8>(), mnist.y_train.cast(DType::U8).to_vec::<u8>());
    let rows = images.chunks(784).zip(labels).flat_map(|(image, label)| image.iter().copied().chain([label]));
    std::fs::write(file, rows.collect::<Vec<u8>>()).expect("the file can be written");
    println!("{}", mnist.source());
    Ok(())
}
