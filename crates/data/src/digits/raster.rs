//! Ink on pixels, with soft edges.

use super::pen::{Mark, Point};

/// The side of an image in pixels.
pub const SIDE: usize = 28;

/// Inks `image`, zero before, with every mark.
///
/// A pixel's ink is `½ + (r − d)/soft`, within 0 and 1, of the mark that gives it most: d is the distance of the
/// pixel's centre from the mark, r the mark's radius, `soft` the width of the edge in pixels. It is multiplied by
/// `strength`, of which 1 is black.
pub fn ink(marks: &[Mark], soft: f32, strength: f32, image: &mut [u8]) {
    for mark in marks {
        let reach = mark.radius + 0.5 * soft;
        let [columns, rows] = [0, 1].map(|k| {
            let (low, high) = (mark.from[k].min(mark.to[k]) - reach, mark.from[k].max(mark.to[k]) + reach);
            // a cast of what is below zero gives zero
            low as usize..((high + 1.0) as usize).min(SIDE)
        });
        for row in rows {
            for column in columns.clone() {
                let d = distance([column as f32 + 0.5, row as f32 + 0.5], mark.from, mark.to);
                let ink = (0.5 + (mark.radius - d) / soft).clamp(0.0, 1.0);
                let value = (255.0 * strength * ink).min(255.0) as u8;
                let pixel = &mut image[row * SIDE + column];
                *pixel = value.max(*pixel);
            }
        }
    }
}

/// The distance of `p` from the line between `a` and `b`.
fn distance(p: Point, a: Point, b: Point) -> f32 {
    let (along, to) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let square = along[0] * along[0] + along[1] * along[1];
    let t = if square > 0.0 { ((to[0] * along[0] + to[1] * along[1]) / square).clamp(0.0, 1.0) } else { 0.0 };
    let off = [to[0] - t * along[0], to[1] - t * along[1]];
    (off[0] * off[0] + off[1] * off[1]).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_to_the_nearest_point_of_the_line_between() {
        let (a, b) = ([1.0, 1.0], [5.0, 1.0]);
        assert_eq!(distance([3.0, 4.0], a, b), 3.0);
        assert_eq!(distance([8.0, 5.0], a, b), 5.0);
        assert_eq!(distance([1.0, 3.0], a, a), 2.0);
    }

    #[test]
    fn a_line_of_width_two_darkens_two_rows_and_softens_none_beyond() {
        let mut image = [0; SIDE * SIDE];
        ink(&[Mark { from: [5.0, 10.0], to: [20.0, 10.0], radius: 1.0 }], 1.0, 1.0, &mut image);
        let column: Vec<u8> = (7..13).map(|row| image[row * SIDE + 12]).collect();
        assert_eq!(column, [0, 0, 255, 255, 0, 0]);
    }
}
