//! The data that `--data`, `--train-images` and `--test-images` name.

use super::{Arguments, Data};
use cotangent::Result;
use cotangent::prelude::{Mnist, Tensor};
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::RefCell;

/// MNIST, and a line that says where it came from.
pub fn mnist(arguments: &Arguments) -> Result<Mnist> {
    let mut mnist = match &arguments.data {
        Data::Folder(dir) => Mnist::from_dir(dir)?,
        Data::Synthetic => Mnist::synthetic(60_000, 10_000, 0),
        Data::Anywhere => {
            let bar = RefCell::new(None);
            Mnist::loader().progress(move |file, done, total| show_download(&bar, file, done, total)).load()?
        }
    };
    println!("{}", mnist.source());
    let first = |x: &mut Tensor, count: usize| *x = x.narrow(0, 0, count.min(x.shape()[0]));
    if let Some(count) = arguments.train_images {
        first(&mut mnist.x_train, count);
        first(&mut mnist.y_train, count);
    }
    if let Some(count) = arguments.test_images {
        first(&mut mnist.x_test, count);
        first(&mut mnist.y_test, count);
    }
    Ok(mnist)
}

/// A bar for each file that is downloaded.
fn show_download(bar: &RefCell<Option<ProgressBar>>, file: &str, done: u64, total: Option<u64>) {
    let mut bar = bar.borrow_mut();
    if bar.as_ref().is_none_or(|b| b.message() != file) {
        let style = ProgressStyle::with_template("{msg:28} {bar:20} {bytes:>10}/{total_bytes} {eta}");
        let new = ProgressBar::new(total.unwrap_or(0)).with_message(file.to_owned());
        *bar = Some(new.with_style(style.expect("the template is right")));
    }
    if let Some(bar) = bar.as_ref() {
        bar.set_position(done);
        if Some(done) == total {
            bar.finish();
        }
    }
}
