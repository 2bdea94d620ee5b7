//! What the examples show at the end: digits with their predictions, and the course of training.

use super::Arguments;
use cotangent::prelude::{DType, History, Mnist, Result, Shape, Tensor};
use cotangent::train::figure::{Digits, Shades, digit_grid, terminal_digits, training_curves};

/// A shape as Python prints it: `(60000, 28, 28, 1)`, `(60000,)`.
pub fn tuple(shape: &Shape) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    if let [one] = &sizes[..] { format!("({one},)") } else { format!("({})", sizes.join(", ")) }
}

/// The first ten test digits in the terminal, and the first hundred in the PNG that `--figure` names.
pub fn show_digits(arguments: &Arguments, mnist: &Mnist, probabilities: &Tensor) -> Result<()> {
    let count = 100.min(probabilities.shape()[0]);
    let images = mnist.x_test.narrow(0, 0, count).to_vec::<u8>();
    let predicted = digits(&probabilities.narrow(0, 0, count).argmax(-1));
    let truth = digits(&mnist.y_test.narrow(0, 0, count));

    let few = count.min(10);
    let row = Digits { images: &images[..few * 28 * 28], predicted: &predicted[..few], truth: &truth[..few] };
    print!("{}", terminal_digits(&row, 5, 14, Shades::of_stdout())?);
    if let Some(path) = &arguments.figure {
        digit_grid(path, &Digits { images: &images, predicted: &predicted, truth: &truth }, 10)?;
        println!("{count} digits with their predictions: {}", path.display());
    }
    Ok(())
}

fn digits(labels: &Tensor) -> Vec<usize> {
    labels.cast(DType::I64).to_vec::<i64>().into_iter().map(|d| d as usize).collect()
}

/// The curves of loss and metrics, beside the figure: `digits.png` gets a `digits_curves.png`.
pub fn show_curves(arguments: &Arguments, history: &History) -> Result<()> {
    if let Some(figure) = &arguments.figure {
        let stem = figure.file_stem().unwrap_or_default().to_string_lossy();
        let path = figure.with_file_name(format!("{stem}_curves.png"));
        training_curves(&path, history.columns())?;
        println!("the course of training: {}", path.display());
    }
    Ok(())
}
