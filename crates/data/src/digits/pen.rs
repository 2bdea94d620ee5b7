//! From knots to the marks of a pen on 28×28 pixels: jitter, curve, elastic paper, slant and turn, fit.

use super::draws::Draws;
use super::raster::SIDE;
use super::strokes::{Glyph, Stroke};

/// x to the right, y down.
pub type Point = [f32; 2];

/// A dab of the pen that moved in a straight line from `from` to `to`, in pixels.
pub struct Mark {
    pub from: Point,
    pub to: Point,
    /// Half the width of the line.
    pub radius: f32,
}

/// Straight pieces for each span between two knots.
const PIECES: usize = 6;
/// The longer side of the digit in pixels, ink included: what MNIST's images were scaled to.
const HEIGHT: f32 = 20.0;

/// Writes `glyph` once: the same strokes, never the same twice.
pub fn write(glyph: Glyph, draws: &mut Draws) -> Vec<Mark> {
    let mut lines: Vec<Vec<Point>> = Vec::new();
    for stroke in glyph {
        lines.push(curve(&jitter(stroke, draws)));
    }
    let (paper, affine) = (Paper::new(draws), Affine::new(draws));
    for point in lines.iter_mut().flatten() {
        *point = affine.apply(paper.apply(*point));
    }
    let radius = draws.within(0.8, 1.8);
    fit(&mut lines, radius, draws);
    lines.iter().flat_map(|line| marks(line, radius, draws)).collect()
}

/// The knots in units of the box, centre at the origin, each a little off. A corner, two equal knots, stays one.
fn jitter(stroke: Stroke, draws: &mut Draws) -> Vec<Point> {
    let mut knots: Vec<Point> = Vec::with_capacity(stroke.len());
    for (i, &(x, y)) in stroke.iter().enumerate() {
        if i > 0 && stroke[i - 1] == (x, y) {
            knots.push(knots[i - 1]);
        } else {
            let off = [draws.bell(), draws.bell()].map(|d| 0.015 * d);
            knots.push([x as f32 / 100.0 - 0.5 + off[0], y as f32 / 100.0 - 0.5 + off[1]]);
        }
    }
    knots
}

/// Catmull and Rom's spline through the knots, in straight pieces; it has a corner where two knots are equal.
fn curve(knots: &[Point]) -> Vec<Point> {
    let mut line = vec![knots[0]];
    for piece in knots.chunk_by(|a, b| a != b) {
        for (i, span) in piece.windows(2).enumerate() {
            let (a, b) = (span[0], span[1]);
            let before = if i > 0 { piece[i - 1] } else { a };
            let after = *piece.get(i + 2).unwrap_or(&b);
            for step in 1..=PIECES {
                let t = step as f32 / PIECES as f32;
                line.push([0, 1].map(|k| catmull_rom(before[k], a[k], b[k], after[k], t)));
            }
        }
    }
    line
}

/// The cubic from `a` at t = 0 to `b` at t = 1 with the slopes (b − before)/2 and (after − a)/2.
fn catmull_rom(before: f32, a: f32, b: f32, after: f32, t: f32) -> f32 {
    let (at_a, at_b) = (0.5 * (b - before), 0.5 * (after - a));
    let (square, cube) = (t * t, t * t * t);
    let bend = 3.0 * square - 2.0 * cube;
    a + (b - a) * bend + at_a * (cube - 2.0 * square + t) + at_b * (cube - square)
}

/// Elastic paper: a smooth random displacement, the quadratic B-spline of random vectors on a lattice.
struct Paper([[Point; Self::LINES]; Self::LINES]);

impl Paper {
    const LINES: usize = 5;

    fn new(draws: &mut Draws) -> Self {
        let strength = draws.within(0.03, 0.11);
        Self(
            [[(); Self::LINES]; Self::LINES]
                .map(|row| row.map(|()| [draws.bell(), draws.bell()].map(|d| strength * d))),
        )
    }

    fn apply(&self, p: Point) -> Point {
        let ((column, across), (row, down)) = (Self::place(p[0]), Self::place(p[1]));
        let mut moved = p;
        for (i, v) in down.into_iter().enumerate() {
            for (j, u) in across.into_iter().enumerate() {
                let vector = self.0[row + i][column + j];
                moved = [0, 1].map(|k| moved[k] + u * v * vector[k]);
            }
        }
        moved
    }

    /// The first of the three lattice lines that reach a coordinate, and their weights.
    fn place(x: f32) -> (usize, [f32; 3]) {
        const CELLS: usize = Paper::LINES - 2;
        let place = ((x + 0.5) * CELLS as f32).clamp(0.0, CELLS as f32);
        let cell = (place as usize).min(CELLS - 1);
        let t = place - cell as f32;
        (cell, [0.5 * (1.0 - t) * (1.0 - t), 0.5 + t - t * t, 0.5 * t * t])
    }
}

fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// Slant, proportions and turn, as a 2×2 matrix.
struct Affine([[f32; 2]; 2]);

impl Affine {
    fn new(draws: &mut Draws) -> Self {
        let width = draws.within(0.6, 1.3);
        let slant = 0.15 + 0.25 * draws.bell();
        // the turn by 2·atan(h): cosine and sine without trigonometry
        let h = 0.05 * draws.bell();
        let (cos, sin) = ((1.0 - h * h) / (1.0 + h * h), 2.0 * h / (1.0 + h * h));
        Self([[cos * width, -cos * slant - sin], [sin * width, cos - sin * slant]])
    }

    fn apply(&self, [x, y]: Point) -> Point {
        self.0.map(|[a, b]| a * x + b * y)
    }
}

/// Scales the digit to MNIST's size, with its centre of mass in the middle of the image, each to within a little.
fn fit(lines: &mut [Vec<Point>], radius: f32, draws: &mut Draws) {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for point in lines.iter().flatten() {
        for k in 0..2 {
            low[k] = low[k].min(point[k]);
            high[k] = high[k].max(point[k]);
        }
    }
    let extent = (high[0] - low[0]).max(high[1] - low[1]);
    let scale = (HEIGHT - 2.0 * radius) / extent * draws.within(0.92, 1.02);
    let mass = centre_of_mass(lines);
    let margin = radius + 1.0;
    let middle = [0, 1].map(|k| {
        let (before, after) = (scale * (mass[k] - low[k]), scale * (high[k] - mass[k]));
        let middle = SIDE as f32 / 2.0 + 0.4 * draws.bell();
        middle.min(SIDE as f32 - margin - after).max(margin + before)
    });
    for point in lines.iter_mut().flatten() {
        *point = [0, 1].map(|k| middle[k] + scale * (point[k] - mass[k]));
    }
}

fn centre_of_mass(lines: &[Vec<Point>]) -> Point {
    let (mut total, mut moment) = (0.0, [0.0; 2]);
    for span in lines.iter().flat_map(|line| line.windows(2)) {
        let (a, b) = (span[0], span[1]);
        let length = ((b[0] - a[0]) * (b[0] - a[0]) + (b[1] - a[1]) * (b[1] - a[1])).sqrt();
        total += length;
        for k in 0..2 {
            moment[k] += length * 0.5 * (a[k] + b[k]);
        }
    }
    moment.map(|m| m / total)
}

/// The line as marks, the pen's pressure wandering along it.
fn marks(line: &[Point], radius: f32, draws: &mut Draws) -> Vec<Mark> {
    let pressures: Vec<f32> = (0..=line.len() / 12 + 1).map(|_| 1.0 + 0.12 * draws.bell()).collect();
    let spans = line.windows(2).enumerate();
    let mark = |(i, span): (usize, &[Point])| {
        let pressure = mix(pressures[i / 12], pressures[i / 12 + 1], (i % 12) as f32 / 12.0);
        Mark { from: span[0], to: span[1], radius: radius * pressure }
    };
    spans.map(mark).collect()
}
