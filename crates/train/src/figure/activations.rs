//! What a layer makes of its input.

use std::path::Path;

use cotangent_core::{DType, DataFormat, Error, Result, Tensor};

use super::canvas;
use super::tiles::{Tiles, sequential};

/// Draws a layer's output at `path`, as an SVG if the name ends so, else as a PNG, from dark violet for the least value
/// to yellow for the greatest. Images (`[N, H, W, C]`, or `[N, C, H, W]` if `format` says so) become a row for each
/// sample and a column for each channel, or a square for one sample; vectors `[N, K]` one image with a row for each.
///
/// # Errors
/// If the tensor has neither two nor four axes, or if the file cannot be written.
pub fn activations(path: impl AsRef<Path>, output: &Tensor, format: DataFormat) -> Result<()> {
    let x = output.detach().cast(DType::F64);
    let x = match (x.rank(), format) {
        (2, _) => x.unsqueeze(0).unsqueeze(0),
        (4, DataFormat::ChannelsLast) => x.permute(&[0, 3, 1, 2]),
        (4, DataFormat::ChannelsFirst) => x,
        _ => {
            let message = format!("an output of shape {} is neither images nor vectors", output.shape());
            return Err(Error::new("activations", message).hint("pass [N, H, W, C], [N, C, H, W] or [N, K]"));
        }
    };
    let [samples, channels, height, width] = x.dims();
    let values = x.to_vec::<f64>();
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let range = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let tile = |values: &[f64]| values.iter().map(|&v| sequential(v, range)).collect();
    let tiles = values.chunks((height * width).max(1)).map(tile).collect();
    canvas::draw(path.as_ref(), &Tiles::new([height, width], [samples, channels], tiles)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::canvas::{any, read, scratch};

    const LEAST: [u8; 3] = [68, 1, 84];
    const GREATEST: [u8; 3] = [254, 232, 37];

    fn drawn(name: &str, output: &Tensor, format: DataFormat) -> (u32, u32, Vec<u8>) {
        let path = scratch(name);
        activations(&path, output, format).unwrap();
        let picture = read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        picture
    }

    #[test]
    fn each_sample_is_a_row_and_each_channel_a_column() {
        // two samples of 1 × 1 with two channels: [0, 1], [1, 0]
        let output = Tensor::from_slice(&[0.0_f32, 1.0, 1.0, 0.0], [2, 1, 1, 2]);
        let first = output.permute(&[0, 3, 1, 2]);
        let last = drawn("activations-last", &output, DataFormat::ChannelsLast);
        assert_eq!(last, drawn("activations-first", &first, DataFormat::ChannelsFirst));
        assert_eq!((last.0, last.1), (2 + 2 * 26, 2 + 2 * 26));
        for (x, y, color) in [(5, 5, LEAST), (40, 5, GREATEST), (5, 40, GREATEST), (40, 40, LEAST)] {
            assert!(any(&last, x..x + 1, y..y + 1, |p| p == color), "{x} {y}");
        }
    }

    #[test]
    fn vectors_are_one_image() {
        let picture = drawn("activations-vectors", &Tensor::from([[0.0_f32, 1.0, f32::NAN]]), DataFormat::ChannelsLast);
        assert_eq!((picture.0, picture.1), (2 + 3 * 24 + 2, 2 + 24 + 2));
        for (x, color) in [(5, LEAST), (30, GREATEST), (60, [128; 3])] {
            assert!(any(&picture, x..x + 1, 5..6, |p| p == color), "{x}");
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        let error = activations("never.png", &Tensor::zeros([3]), DataFormat::ChannelsLast).unwrap_err().to_string();
        assert!(error.contains("[3]"), "{error}");
    }
}
