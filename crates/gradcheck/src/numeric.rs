//! Derivatives from values alone: a central difference of sixth order.

/// The default step. Three steps stay well within 1e-2, the distance that samples keep from kinks; the truncation
/// error is h⁶/140 · f⁽⁷⁾ ≈ 7e-21 · f⁽⁷⁾, the rounding error about u/h ≈ 1e-13 of the values.
pub const STEP: f64 = 1e-3;

/// The weights of y(kh) − y(−kh) for k = 1, 2, 3, over h (Fornberg, *Generation of Finite Difference Formulas on
/// Arbitrarily Spaced Grids*, 1988).
const WEIGHTS: [f64; 3] = [3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0];

/// The slope of `y` at 0.
pub struct Slope {
    /// By the difference of sixth order.
    pub value: Vec<f64>,
    /// What is left of the differences over one, two and three steps when all that a smooth function would give is
    /// taken out: O(h²) for a smooth function; where there is a kink or a jump within the steps, about as large as
    /// the change of slope.
    pub roughness: Vec<f64>,
}

/// The derivative at 0 of the vector-valued function `y` of one number.
pub fn slope(step: f64, mut y: impl FnMut(f64) -> Vec<f64>) -> Slope {
    let sides = [1.0, 2.0, 3.0].map(|k| [y(k * step), y(-k * step)]);
    let at = |i: usize| sides.each_ref().map(|[after, before]| [after[i], before[i]]);
    let count = sides[0][0].len();
    Slope {
        value: (0..count).map(|i| value(step, at(i))).collect(),
        roughness: (0..count).map(|i| roughness(step, at(i))).collect(),
    }
}

fn value(step: f64, sides: [[f64; 2]; 3]) -> f64 {
    sides.iter().zip(WEIGHTS).map(|([after, before], w)| (after - before) * w).sum::<f64>() / step
}

fn roughness(step: f64, sides: [[f64; 2]; 3]) -> f64 {
    let [one, two, three] = sides.map(|[after, before]| after - before);
    let secants = [one / 2.0, two / 4.0, three / 6.0];
    let odd = (secants[0] - secants[1]).abs().max((secants[0] - secants[2]).abs());
    // a smooth function's sums grow with the square of the distance, a kink's with the distance
    let [one, two, three] = sides.map(|[after, before]| after + before);
    let even = 2.0 * ((two - one) - 3.0 / 8.0 * (three - one)).abs();
    odd.max(even) / step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_of_sixth_order() {
        let polynomial = |x: f64| vec![1.0 + 2.0 * x - x.powi(2) + 3.0 * x.powi(5) - x.powi(6), (3.0 * x).sin()];
        let s = slope(0.1, polynomial);
        assert!((s.value[0] - 2.0).abs() < 1e-13, "exact up to degree 6: {}", s.value[0]);
        let error = |h| (slope(h, polynomial).value[1] - 3.0).abs();
        let order = (error(0.1) / error(0.05)).log2();
        assert!((order - 6.0).abs() < 0.1, "the error falls with h to the power {order}");
    }

    #[test]
    fn a_kink_is_rough() {
        let s = slope(STEP, |x| vec![(x - 1.5e-3).max(0.0), x.exp()]);
        assert!(s.roughness[0] > 0.1 && s.roughness[1] < 1e-5, "{:?}", s.roughness);
        let s = slope(STEP, |x| vec![x.max(0.0), x.exp() + 5.0 * x * x]);
        assert!(s.roughness[0] > 0.1 && s.roughness[1] < 1e-5, "{:?}", s.roughness);
    }
}
