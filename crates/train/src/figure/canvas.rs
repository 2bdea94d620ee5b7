//! A page to draw on, and the PNG or SVG that it ends as.

use std::fmt::Display;
use std::fs;
#[cfg(test)]
use std::ops::Range;
use std::path::Path;

use cotangent_core::{Error, Result};
use plotters::coord::Shift;
use plotters::prelude::*;

/// What is drawn on.
pub type Page<B> = DrawingArea<B, Shift>;

/// A kind of file.
pub trait Backend: DrawingBackend<ErrorType: 'static> {}
impl<B: DrawingBackend<ErrorType: 'static>> Backend for B {}

/// What can be drawn, as PNG and as SVG.
pub trait Figure {
    /// Width and height in pixels.
    fn size(&self) -> (u32, u32);
    /// Draws it on a white page of that size.
    fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()>;
}

/// A place in pixels from the upper left corner, or a size.
pub type Place = (i32, i32);

/// The font of every text. It is compiled in: figures need no font on the machine.
pub const FONT: &str = "sans-serif";

/// Draws the figure and writes it to `path`, as an SVG if the name ends so, else as a PNG: under another name
/// first, then renamed, so that nobody ever finds half a figure there. Makes the folder if there is none.
pub fn draw(path: &Path, figure: &impl Figure) -> Result<()> {
    plotters::style::register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT)
        .map_err(|_| Error::new("figure", "the font cannot be read"))?;
    let is_svg = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
    let file = if is_svg { svg(figure)? } else { png(figure)? };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(&part, file))
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| Error::new(path.display().to_string(), "the figure cannot be written").because(e))
}

fn png(figure: &impl Figure) -> Result<Vec<u8>> {
    let (width, height) = figure.size();
    let mut pixels = vec![0; 3 * width as usize * height as usize];
    fill(BitMapBackend::with_buffer(&mut pixels, (width, height)), figure)?;
    encode(&pixels, width, height).map_err(failed)
}

fn svg(figure: &impl Figure) -> Result<Vec<u8>> {
    let mut text = String::new();
    fill(SVGBackend::with_string(&mut text, figure.size()), figure)?;
    Ok(text.into_bytes())
}

fn fill<B: Backend>(backend: B, figure: &impl Figure) -> Result<()> {
    let page = backend.into_drawing_area();
    page.fill(&WHITE).map_err(failed)?;
    figure.draw(&page)?;
    page.present().map_err(failed)
}

/// Fills the `size` (width, height) pixels whose first is at `corner`.
pub fn rectangle<B: Backend>(page: &Page<B>, corner: Place, size: Place, color: RGBColor) -> Result<()> {
    let end = (corner.0 + size.0, corner.1 + size.1);
    page.draw(&Rectangle::new([corner, end], color.filled())).map_err(failed)
}

/// Draws an image whose rows are `width` pixels wide, each pixel as a square of `scale` × `scale`.
pub fn image<B: Backend>(page: &Page<B>, corner: Place, scale: i32, width: usize, pixels: &[RGBColor]) -> Result<()> {
    for (y, row) in (0..).zip(pixels.chunks(width)) {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let (at, count) = ((corner.0 + x * scale, corner.1 + y * scale), run.len() as i32);
            rectangle(page, at, (count * scale, scale), run[0])?;
            x += count;
        }
    }
    Ok(())
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

/// Whether any pixel of a column in `x` and a row in `y` is what is asked for, in a picture that was read back.
#[cfg(test)]
pub fn any(picture: &(u32, u32, Vec<u8>), x: Range<u32>, y: Range<u32>, what: impl Fn([u8; 3]) -> bool) -> bool {
    let (width, _, pixels) = picture;
    let at = |x, y| 3 * (y * width + x) as usize;
    y.into_iter().any(|y| x.clone().any(|x| what(pixels[at(x, y)..][..3].try_into().unwrap())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pixels, 3 × 3 each, in the middle of a page of 8 × 5.
    struct Pair;

    impl Figure for Pair {
        fn size(&self) -> (u32, u32) {
            (8, 5)
        }

        fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()> {
            image(page, (1, 1), 3, 2, &[RED, BLUE])
        }
    }

    #[test]
    fn an_image_fills_its_place_and_nothing_else() {
        let path = scratch("image");
        draw(&path, &Pair).unwrap();
        let (_, _, pixels) = read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        let expected = |x: u32, y: u32| match (x, y) {
            (1..=3, 1..=3) => [255, 0, 0],
            (4..=6, 1..=3) => [0, 0, 255],
            _ => [255; 3],
        };
        let expected: Vec<u8> = (0..5).flat_map(|y| (0..8).flat_map(move |x| expected(x, y))).collect();
        assert_eq!(pixels, expected);
    }

    #[test]
    fn an_svg_has_the_same_rectangles() {
        let text = String::from_utf8(svg(&Pair).unwrap()).unwrap();
        for rectangle in ["x=\"1\" y=\"1\" width=\"3\" height=\"3\"", "x=\"4\" y=\"1\" width=\"3\" height=\"3\""] {
            assert!(text.contains(rectangle), "{rectangle} in {text}");
        }
    }
}
