//! How training went: a curve for each metric over the epochs.

use std::ops::Range;
use std::path::Path;

use cotangent_core::{Error, Result};
use plotters::prelude::*;

use super::canvas::{self, Backend, FONT, Figure, Page, failed};

/// One panel, in pixels.
const PANEL: (u32, u32) = (700, 500);
/// The curve of training, and that of validation.
const COLORS: [RGBColor; 2] = [RGBColor(31, 90, 170), RGBColor(225, 110, 20)];

/// A metric's name, and its values in training and in validation.
type Metric<'a> = (&'a str, [&'a [f64]; 2]);

/// Draws the history of a training at `path`, as an SVG if the name ends so, else as a PNG. Each metric has a panel, `loss` comes first, and the values of
/// `val_<metric>` stand in the panel of `<metric>`. A value that is not finite is left out.
///
/// # Errors
/// If there is no finite value at all, or if the file cannot be written.
pub fn training_curves<S: AsRef<str>>(path: impl AsRef<Path>, history: &[(S, Vec<f64>)]) -> Result<()> {
    let metrics: Vec<Metric> = metrics(history).into_iter().filter(|(_, curves)| range(curves).is_some()).collect();
    if metrics.is_empty() {
        return Err(Error::new("training_curves", "the history has no finite value").hint("train for an epoch first"));
    }
    canvas::draw(path.as_ref(), &Curves(metrics))
}

/// A panel for each metric.
struct Curves<'a>(Vec<Metric<'a>>);

impl Figure for Curves<'_> {
    fn size(&self) -> (u32, u32) {
        (PANEL.0 * self.0.len() as u32, PANEL.1)
    }

    fn draw<B: Backend>(&self, page: &Page<B>) -> Result<()> {
        page.split_evenly((1, self.0.len())).iter().zip(&self.0).try_for_each(|(panel, metric)| draw(panel, metric))
    }
}

/// The panels: names without `val_`, `loss` first, then in the order of the history.
fn metrics<S: AsRef<str>>(history: &[(S, Vec<f64>)]) -> Vec<Metric<'_>> {
    let mut metrics: Vec<Metric> = Vec::new();
    for (name, values) in history {
        let stripped = name.as_ref().strip_prefix("val_");
        let name = stripped.unwrap_or(name.as_ref());
        let at = metrics.iter().position(|metric| metric.0 == name).unwrap_or_else(|| {
            metrics.push((name, [&[], &[]]));
            metrics.len() - 1
        });
        metrics[at].1[usize::from(stripped.is_some())] = values;
    }
    metrics.sort_by_key(|metric| metric.0 != "loss");
    metrics
}

/// From below the least to above the greatest finite value, with some air; `None` if there is none.
fn range(curves: &[&[f64]]) -> Option<Range<f64>> {
    let finite = || curves.iter().copied().flatten().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let air = (0.06 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
    Some(low - air..high + air)
}

fn draw<B: Backend>(panel: &Page<B>, (name, curves): &Metric) -> Result<()> {
    let values = range(curves).expect("panels without a value were left out");
    let epochs = curves.iter().map(|curve| curve.len()).max().unwrap_or(0);
    let mut chart = ChartBuilder::on(panel)
        .caption(name.replace('_', " "), (FONT, 26))
        .margin(18)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(0.8..epochs as f64 + 0.2, values)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.6))
        .label_style((FONT, 17))
        .x_desc("Epoch")
        .x_label_formatter(&|x| if x.fract() == 0.0 { format!("{x}") } else { String::new() })
        .draw()
        .map_err(failed)?;
    for ((curve, color), label) in curves.iter().zip(COLORS).zip(["training", "validation"]) {
        if curve.is_empty() {
            continue;
        }
        let points: Vec<_> =
            (1..).map(f64::from).zip(curve.iter().copied()).filter(|(_, value)| value.is_finite()).collect();
        let style = color.stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.clone(), style))
            .map_err(failed)?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y - 3), (x + 24, y - 3)], style));
        chart.draw_series(points.iter().map(|&p| Circle::new(p, 3, color.filled()))).map_err(failed)?;
    }
    chart
        .configure_series_labels()
        .position(if *name == "loss" { SeriesLabelPosition::UpperRight } else { SeriesLabelPosition::LowerRight })
        .label_font((FONT, 18))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.2))
        .draw()
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validation_joins_its_metric_and_loss_comes_first() {
        let history = [("accuracy", vec![0.5]), ("val_loss", vec![2.0]), ("loss", vec![1.0])];
        let found = metrics(&history);
        assert_eq!(found, [("loss", [&[1.0][..], &[2.0]]), ("accuracy", [&[0.5], &[]])]);
    }

    #[test]
    fn the_range_holds_every_finite_value() {
        let range = range(&[&[1.0, f64::NAN, 3.0], &[f64::INFINITY]]).unwrap();
        assert!(range.contains(&1.0) && range.contains(&3.0) && range.end < 4.0, "{range:?}");
        assert!(super::range(&[&[0.0]]).is_some_and(|range| range.start < range.end), "a single value has a range");
        assert!(super::range(&[&[f64::NAN]]).is_none());
    }

    #[test]
    fn each_metric_has_a_panel_with_its_curves() {
        let path = canvas::scratch("curves");
        let history = [("loss", vec![0.9, 0.4, 0.2]), ("val_loss", vec![0.5]), ("accuracy", vec![0.7, f64::NAN, 0.9])];
        training_curves(&path, &history).unwrap();
        let (width, height, pixels) = canvas::read(&path);
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!((width, height), (2 * PANEL.0, PANEL.1));
        let has = |panel: u32, RGBColor(r, g, b): RGBColor| {
            let columns = |i: usize| (i / 3 % width as usize) as u32 / PANEL.0 == panel;
            pixels.chunks(3).enumerate().any(|(i, pixel)| columns(3 * i) && pixel == [r, g, b])
        };
        assert!(has(0, COLORS[0]) && has(0, COLORS[1]), "training and validation loss");
        assert!(has(1, COLORS[0]) && !has(1, COLORS[1]), "training accuracy alone");
    }

    #[test]
    fn a_name_that_ends_so_makes_an_svg() {
        let path = canvas::scratch("svg").with_extension("SVG");
        training_curves(&path, &[("top_k & \"loss\"", vec![0.9, 0.4])]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert!(text.starts_with("<svg") && text.trim_end().ends_with("</svg>"), "{text}");
        assert!(text.contains("width=\"700\" height=\"500\""), "{text}");
        assert!(text.contains("top k &amp; &quot;loss&quot;") && text.contains("#1F5AAA"), "{text}");
    }

    #[test]
    fn no_value_is_no_figure() {
        assert!(training_curves("never.png", &[("loss", vec![f64::NAN])]).is_err());
    }
}
