//! A page to draw on, and the PNG that it ends as.

use std::fmt::Display;
use std::fs;
use std::path::Path;

use cotangent_core::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;

/// What is drawn on.
pub type Page<'a> = DrawingArea<BitMapBackend<'a>, Shift>;

/// The font of every text. It is compiled in: figures need no font on the machine.
pub const FONT: &str = "sans-serif";

/// Draws a white page of `width` × `height` pixels with `draw`, and writes it to `path` as a PNG: under another name
/// first, then renamed, so that nobody ever finds half a figure there. Makes the folder if there is none.
pub fn draw(path: &Path, width: u32, height: u32, draw: impl FnOnce(&Page) -> Result<()>) -> Result<()> {
    plotters::style::register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| Error::new("figure", "the font cannot be read"))?;
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    {
        let page = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        page.fill(&WHITE).map_err(failed)?;
        draw(&page)?;
        page.present().map_err(failed)?;
    }
    let png = encode(&pixels, width, height).map_err(failed)?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(&part, png))
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| Error::new(path.display().to_string(), "the figure cannot be written").because(e))
}

/// The error for a figure that cannot be drawn.
pub fn failed(error: impl Display) -> Error {
    Error::new("figure", error.to_string())
}

fn encode(pixels: &[u8], width: u32, height: u32) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

/// A PNG read back, for the tests of figures: width, height, and RGB pixels.
#[cfg(test)]
pub fn read(path: &Path) -> (u32, u32, Vec<u8>) {
    let file = std::io::BufReader::new(fs::File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    (frame.width, frame.height, pixels)
}

/// A file of its own for a test, in a folder that is not there yet.
#[cfg(test)]
pub fn scratch(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("cotangent-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    folder.join("figure.png")
}
