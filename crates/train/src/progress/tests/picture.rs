//! The picture of the bar, docs/bar.svg, is what a terminal shows.
//!
//! `COTANGENT_WRITE=1 cargo test -p cotangent-train picture` writes it.

use super::*;

/// The steps of an epoch.
const STEPS: usize = 469;

/// What `mnist_mlp_dropout --epochs 12` tells in its first epochs: steps done; accuracy and loss; the same in validation.
const RUN: [(usize, [f64; 2], Option<[f64; 2]>); 3] = [
    (STEPS, [0.9259, 0.2436], Some([0.9635, 0.1178])),
    (STEPS, [0.9698, 0.0985], Some([0.9748, 0.0790])),
    (289, [0.9770, 0.0750], None),
];

/// How long a step takes.
const STEP: Duration = Duration::from_micros(2_200);

/// The lines on the terminal, colours included.
fn screen() -> Vec<String> {
    console::set_colors_enabled(true);
    let (terminal, mut text) = (Terminal::default(), Vec::new());
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), u8::MAX);
    let mut progress = Progress::drawn_on(target, Verbosity::Bar, &mut text);
    for (epoch, (done, [accuracy, loss], validation)) in RUN.into_iter().enumerate() {
        progress.epoch(epoch + 1, 12);
        let start = Instant::now() - STEP * done as u32;
        progress.timer = Timer { start, first: start + STEP, latest: start };
        progress.step(done, STEPS, &[("accuracy", accuracy), ("loss", loss)]);
        if let Some([accuracy, loss]) = validation {
            progress.finish(&[("val_accuracy", accuracy), ("val_loss", loss)]);
        }
    }
    let live = terminal.0.lock().unwrap().clone(); // as it was before the bar went
    drop(progress);
    let ended = String::from_utf8(text).unwrap();
    ended.lines().chain(live.rsplit('\r').next()).map(|line| line.trim_end().to_owned()).collect()
}

/// The pieces of a line, each with its colour, if it has one.
fn pieces(line: &str) -> Vec<(&str, Option<&'static str>)> {
    let mut pieces = Vec::new();
    for (i, part) in line.split("\x1b[").enumerate() {
        let (code, text) = if i == 0 { ("0", part) } else { part.split_once('m').expect("the code of a colour") };
        let colour = match code {
            "0" => None,
            "2" => Some("#5b6270"),
            "32" => Some("#4cc46a"),
            other => panic!("{other} is no colour of the bar"),
        };
        pieces.push((text, colour));
    }
    pieces.retain(|(text, _)| !text.is_empty());
    pieces
}

/// The lines as they stand in a terminal, in units of a pixel: a character is 8 wide, a line 20 high.
fn picture(lines: &[String]) -> String {
    let cells = |text: &str| 8 * text.chars().count();
    let widest = lines.iter().map(|line| pieces(line).iter().map(|(text, _)| cells(text)).sum()).max();
    let (width, height) = (32 + widest.unwrap_or(0), 28 + 20 * lines.len());
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="The progress bar of training in a terminal">
<rect width="{width}" height="{height}" rx="6" fill="#16181d"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13.3" fill="#d5d8de" xml:space="preserve">
"##
    );
    for (i, line) in lines.iter().enumerate() {
        let mut x = 16;
        for (text, colour) in pieces(line) {
            let (y, length) = (28 + 20 * i, cells(text));
            let fill = colour.map(|colour| format!(" fill={colour:?}")).unwrap_or_default();
            let _ = writeln!(svg, r#"<text x="{x}" y="{y}" textLength="{length}"{fill}>{text}</text>"#);
            x += length;
        }
    }
    svg + "</g></svg>\n"
}

#[test]
fn the_picture_of_the_bar_is_what_a_terminal_shows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/bar.svg");
    let now = picture(&screen());
    if std::env::var_os("COTANGENT_WRITE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap();
    assert!(there == now, "docs/bar.svg is stale: COTANGENT_WRITE=1 cargo test -p cotangent-train picture\n{now}");
}
