//! What a convolution has learned to look for.

use std::path::Path;

use cotangent_core::{DType, Error, Result, Tensor};

use super::canvas;
use super::tiles::{Tiles, diverging};

/// Draws the kernel `[kh, kw, C, K]` of a convolution at `path`, as an SVG if the name ends so, else as a PNG: a tile for
/// each filter, positive weights red, negative ones blue, 0 white, all on one scale. With more than one input
/// channel there is a row for each of them and a column for each filter.
///
/// ```no_run
/// # use cotangent_core::Device;
/// # use cotangent_nn::Conv2d;
/// # use cotangent_train::{Seed, Sequential, figure};
/// # let model = Sequential::new([28, 28, 1]).add(Conv2d::new(32, (3, 3))).build(&Device::Cpu, Seed(0))?;
/// let (_, kernel) = model.params().find(|(path, _)| path == "conv2d/kernel").expect("the first layer");
/// figure::filters("filters.png", &kernel.value)?;
/// # Ok::<(), cotangent_core::Error>(())
/// ```
///
/// # Errors
/// If the tensor does not have four axes, or if the file cannot be written.
pub fn filters(path: impl AsRef<Path>, kernel: &Tensor) -> Result<()> {
    let [height, width, channels, filters] = match <[usize; 4]>::try_from(&kernel.shape()[..]) {
        Ok(sizes) => sizes,
        Err(_) => {
            let message = format!("a kernel has the axes [kh, kw, C, K], this tensor is {}", kernel.shape());
            return Err(Error::new("filters", message).hint("pass the parameter `conv2d/kernel` of the model"));
        }
    };
    let weights = kernel.detach().cast(DType::F64).permute(&[2, 3, 0, 1]).to_vec::<f64>();
    let most = weights.iter().copied().filter(|w| w.is_finite()).fold(0.0, |most, w| w.abs().max(most));
    let tile = |weights: &[f64]| weights.iter().map(|&w| diverging(w, most)).collect();
    let tiles = weights.chunks((height * width).max(1)).map(tile).collect();
    canvas::draw(path.as_ref(), &Tiles::new([height, width], [channels, filters], tiles)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::canvas::{any, read, scratch};

    #[test]
    fn each_filter_is_a_tile_in_the_colours_of_its_weights() {
        // two input channels, two filters of 1 × 2: [1, -1] and [0, 2] on the first channel, 0 on the second
        let kernel = Tensor::from_slice(&[1.0_f32, 0.0, 0.0, 0.0, -1.0, 2.0, 0.0, 0.0], [1, 2, 2, 2]);
        let path = scratch("filters");
        filters(&path, &kernel).unwrap();
        let picture = read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!((picture.0, picture.1), (2 + 2 * 50, 2 + 2 * 26));
        let shows = |x: u32, y: u32, color: [u8; 3]| any(&picture, x..x + 1, y..y + 1, |p| p == color);
        let (red, blue) = ([178, 24, 43], [33, 102, 172]);
        let half = |end: [u8; 3]| end.map(|c| ((255.0 + f64::from(c)) / 2.0).round() as u8);
        assert!(shows(10, 10, half(red)) && shows(40, 10, half(blue)), "the first filter: 1, -1");
        assert!(shows(60, 10, [255; 3]) && shows(90, 10, red), "the second: 0, 2");
        assert!(!any(&picture, 0..picture.0, 28..picture.1, |p| p != [255; 3]), "nothing on the second channel");
    }

    #[test]
    fn what_is_no_kernel_is_refused() {
        let error = filters("never.png", &Tensor::zeros([784, 10])).unwrap_err().to_string();
        assert!(error.contains("[784, 10]") && error.contains("conv2d/kernel"), "{error}");
    }
}
