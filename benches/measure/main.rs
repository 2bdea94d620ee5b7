//! Times Cotangent on the work that `cargo xtask bench` asks for. `measure THREADS CLOCK` answers requests (see
//! `protocol`), `measure --digits FILE` writes the images and labels that the peers train on, and `measure --times N WORK…`
//! does a work so often, on one thread, for a program that counts instructions.

mod protocol;
mod works;

use cotangent::prelude::*;
use std::path::Path;

fn main() -> cotangent::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--digits", file] => write_digits(Path::new(file))?,
        ["--times", times, ref words @ ..] => {
            use_threads(1);
            let mut work = works::make(words).expect("there is such a work");
            (0..times.parse().expect("a count")).for_each(|_| work());
        }
        [threads, clock] => {
            use_threads(threads.parse().expect("a number of threads"));
            protocol::serve(&format!("Cotangent {}", env!("CARGO_PKG_VERSION")), clock, works::make);
        }
        _ => panic!("usage: measure THREADS elapsed|processor, or measure --digits FILE, or measure --times N WORK…"),
    }
    Ok(())
}

fn use_threads(count: usize) {
    rayon::ThreadPoolBuilder::new().num_threads(count).build_global().expect("no thread works yet");
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
