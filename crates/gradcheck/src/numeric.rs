//! Derivatives from values alone: a central difference of sixth order.

/// The default step. Three steps stay within 1e-2, the distance that samples keep from kinks; the truncation error
/// is h⁶/140 · f⁽⁷⁾ ≈ 5e-19 · f⁽⁷⁾, the rounding error about u/h ≈ 1e-13 of the values.
pub const STEP: f64 = 2e-3;

/// The weights of y(kh) − y(−kh) for k = 1, 2, 3, over h (Fornberg, *Generation of Finite Difference Formulas on
/// Arbitrarily Spaced Grids*, 1988).
const WEIGHTS: [f64; 3] = [3.0 / 4.0, -3.0 / 20.0, 1.0 / 60.0];

/// The slope of `y` at 0.
pub struct Slope {
    /// By the difference of sixth order.
    pub value: Vec<f64>,
    /// How far the differences over one, two and three steps are apart. For a smooth function that is O(h²); where
    /// there is a kink or a jump within the steps it is as large as the slope or larger.
    pub roughness: Vec<f64>,
}

/// The derivative at 0 of the vector-valued function `y` of one number.
pub fn slope(step: f64, mut y: impl FnMut(f64) -> Vec<f64>) -> Slope {
    let mut sides = |k: usize| -> Vec<f64> {
        let (after, before) = (y(k as f64 * step), y(-(k as f64) * step));
        after.iter().zip(&before).map(|(a, b)| a - b).collect()
    };
    let differences = [sides(1), sides(2), sides(3)];
    let at = |i: usize| [differences[0][i], differences[1][i], differences[2][i]];
    let value = |d: [f64; 3]| d.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum::<f64>() / step;
    let secant = |d: [f64; 3], k: usize| d[k - 1] / (2.0 * k as f64 * step);
    let rough = |d| (secant(d, 1) - secant(d, 2)).abs().max((secant(d, 1) - secant(d, 3)).abs());
    let count = differences[0].len();
    Slope { value: (0..count).map(|i| value(at(i))).collect(), roughness: (0..count).map(|i| rough(at(i))).collect() }
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
        let s = slope(STEP, |x| vec![(x - 3e-3).max(0.0), x.exp()]);
        assert!(s.roughness[0] > 0.1 && s.roughness[1] < 1e-5, "{:?}", s.roughness);
    }
}
