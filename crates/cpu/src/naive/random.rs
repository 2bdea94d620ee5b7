//! Random numbers, one by one.

use cotangent_base::{Draw, Stream, rng};
use std::f64::consts::TAU;

/// Element `i` of a draw as f32.
#[inline]
pub fn draw_f32(draw: Draw, i: u64, stream: Stream) -> f32 {
    match draw {
        Draw::Uniform { low, high } => {
            let x = rng::unit_f32(stream.word(i)) * (high - low) as f32 + low as f32;
            x.min((high as f32).next_down())
        }
        Draw::Normal { mean, std } => {
            let (a, b) = (stream.word(i & !1), stream.word(i | 1));
            let radius = (-2.0 * ((a as f64 + 0.5) * 2f64.powi(-32)).ln()).sqrt();
            let angle = TAU * rng::unit_f32(b) as f64;
            (mean + std * radius * if i & 1 == 0 { angle.cos() } else { angle.sin() }) as f32
        }
        Draw::Bernoulli { p } => bernoulli(p, i, stream) as f32,
    }
}

/// Element `i` of a draw as f64.
#[inline]
pub fn draw_f64(draw: Draw, i: u64, stream: Stream) -> f64 {
    let unit = |i: u64| rng::unit_f64(stream.word(2 * i), stream.word(2 * i + 1));
    match draw {
        Draw::Uniform { low, high } => (unit(i) * (high - low) + low).min(high.next_down()),
        Draw::Normal { mean, std } => {
            let radius = (-2.0 * (1.0 - unit(i & !1)).ln()).sqrt();
            let angle = TAU * unit(i | 1);
            mean + std * radius * if i & 1 == 0 { angle.cos() } else { angle.sin() }
        }
        Draw::Bernoulli { p } => bernoulli(p, i, stream),
    }
}

fn bernoulli(p: f64, i: u64, stream: Stream) -> f64 {
    if (stream.word(i) as f64) < (p * 2f64.powi(32)).floor() { 1.0 } else { 0.0 }
}

/// Dropout: element i is kept, and divided by 1 − rate, if word i is at least rate·2³².
#[inline]
pub fn dropout(x: &[f64], rate: f64, stream: Stream) -> Vec<f64> {
    let kept = |i: usize| stream.word(i as u64) as f64 >= (rate * 2f64.powi(32)).floor();
    x.iter().enumerate().map(|(i, &x)| if kept(i) { x / (1.0 - rate) } else { 0.0 }).collect()
}
