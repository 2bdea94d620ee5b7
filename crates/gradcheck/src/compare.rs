//! Comparators for tests. All of them reject NaN unless their name says otherwise, a mismatched infinity, another
//! shape, another dtype.

use cotangent_core::{DType, Tensor};

/// `|got − want| ≤ atol + rtol·|want|`; infinities must be the same. NaN is near nothing.
///
/// ```
/// use cotangent_gradcheck::compare::near;
/// assert!(near(1.0, 1.0 + 1e-9, 1e-8, 0.0) && near(f64::INFINITY, f64::INFINITY, 0.0, 0.0));
/// assert!(!near(f64::NAN, f64::NAN, 1.0, 1.0) && !near(f64::INFINITY, 1.0, 1.0, 1.0));
/// ```
pub fn near(got: f64, want: f64, rtol: f64, atol: f64) -> bool {
    got == want || (want.is_finite() && (got - want).abs() <= atol + rtol * want.abs())
}

/// As [`near`], or both are NaN.
pub fn near_or_both_nan(got: f64, want: f64, rtol: f64, atol: f64) -> bool {
    near(got, want, rtol, atol) || (got.is_nan() && want.is_nan())
}

/// Whether two tensors have the same shape and dtype and all elements near; else what differs.
pub fn close(got: &Tensor, want: &Tensor, rtol: f64, atol: f64) -> Result<(), String> {
    elements(got, want, |g, w| near(g, w, rtol, atol)).map_err(|e| format!("{e} (rtol {rtol:.1e}, atol {atol:.1e})"))
}

/// As [`close`], NaN being near NaN.
pub fn close_or_both_nan(got: &Tensor, want: &Tensor, rtol: f64, atol: f64) -> Result<(), String> {
    elements(got, want, |g, w| near_or_both_nan(g, w, rtol, atol))
        .map_err(|e| format!("{e} (rtol {rtol:.1e}, atol {atol:.1e})"))
}

/// Whether two tensors are the same to the bit, so that 0 is not −0; any NaN equals any other.
pub fn same_bits(got: &Tensor, want: &Tensor) -> Result<(), String> {
    elements(got, want, |g, w| g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan()))
        .map_err(|e| format!("{e} (to the bit)"))
}

fn elements(got: &Tensor, want: &Tensor, equal: impl Fn(f64, f64) -> bool) -> Result<(), String> {
    if got.spec() != want.spec() {
        return Err(format!("got {} {}, wants {} {}", got.dtype(), got.shape(), want.dtype(), want.shape()));
    }
    let host = |x: &Tensor| x.detach().cast(DType::F64).to_vec::<f64>();
    let (got, want) = (host(got), host(want));
    match got.iter().zip(&want).position(|(&g, &w)| !equal(g, w)) {
        Some(i) => Err(format!("element {i} of {} is {:e}, wants {:e}", got.len(), got[i], want[i])),
        None => Ok(()),
    }
}

/// How far `got` is from the exact value `want`, in units in the last place of f32 around `want`. 0 if both are NaN
/// or the same infinity, ∞ if only one is.
///
/// A `want` that rounds to ∞ in f32 counts as ∞; below the normal range the unit is the smallest subnormal.
pub fn ulps_f32(got: f32, want: f64) -> f64 {
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let rounded = want as f32;
    if got == rounded {
        return if want.is_infinite() || rounded.is_infinite() { 0.0 } else { (got as f64 - want).abs() / ulp(want) };
    }
    if rounded.is_infinite() || got.is_infinite() {
        // one step from the greatest float to ∞ is one unit
        let step = |a: f32, b: f32| a.abs() == f32::MAX && b.is_infinite() && a.signum() == b.signum();
        return if step(got, rounded) || step(rounded, got) { 1.0 } else { f64::INFINITY };
    }
    (got as f64 - want).abs() / ulp(want)
}

/// The distance between neighbouring f32 around `x`.
fn ulp(x: f64) -> f64 {
    let exponent = ((x.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
    2f64.powi(exponent - 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f32s(x: [f32; 3]) -> Tensor {
        Tensor::from(x)
    }

    #[test]
    fn every_comparator_rejects_what_is_not_equal() {
        let x = f32s([1.0, 2.0, 3.0]);
        let others = [
            f32s([1.0, 2.0, f32::NAN]),
            f32s([1.0, 2.0, f32::INFINITY]),
            f32s([1.0, 2.0, 3.5]),
            f32s([1.0, 2.0, -3.0]),
            x.reshape([3, 1]),
            x.slice(0, 0..2),
            x.cast(DType::F64),
            x.cast(DType::I64),
        ];
        type Comparator = fn(&Tensor, &Tensor) -> Result<(), String>;
        let comparators: [Comparator; 3] =
            [|a, b| close(a, b, 1e-3, 1e-3), |a, b| close_or_both_nan(a, b, 1e-3, 1e-3), same_bits];
        for compare in comparators {
            compare(&x, &x).unwrap();
            for other in &others {
                assert!(compare(&x, other).is_err() && compare(other, &x).is_err(), "{:?}", other.spec());
            }
        }
    }

    #[test]
    fn nan_and_infinities_and_signs_of_zero() {
        let nan = f32s([f32::NAN, 0.0, 1.0]);
        assert!(close(&nan, &nan, 1.0, 1.0).is_err());
        close_or_both_nan(&nan, &nan, 0.0, 0.0).unwrap();
        same_bits(&nan, &nan).unwrap();
        assert!(same_bits(&f32s([0.0; 3]), &f32s([-0.0; 3])).is_err());
        let [up, down] = [f32::INFINITY, f32::NEG_INFINITY].map(|x| f32s([x; 3]));
        close(&up, &up, 0.0, 0.0).unwrap();
        assert!(close(&up, &down, 1.0, 1.0).is_err() && close(&down, &f32s([0.0; 3]), 1e9, 1e9).is_err());
    }

    #[test]
    fn ulps_count_representable_steps() {
        assert_eq!(ulps_f32(1.0 + f32::EPSILON, 1.0), 1.0);
        assert_eq!(ulps_f32(f32::from_bits(3), f32::from_bits(1) as f64), 2.0);
        assert_eq!((ulps_f32(f32::NAN, f64::NAN), ulps_f32(f32::NAN, 1.0)), (0.0, f64::INFINITY));
        assert_eq!((ulps_f32(f32::INFINITY, 1e300), ulps_f32(f32::INFINITY, 1e30)), (0.0, f64::INFINITY));
        assert_eq!(ulps_f32(f32::INFINITY, f32::MAX as f64), 1.0);
        assert_eq!(ulps_f32(f32::INFINITY, f64::NEG_INFINITY), f64::INFINITY);
        assert!((ulps_f32(1.0, 1.0 + 0.25 * f32::EPSILON as f64) - 0.25).abs() < 1e-9);
    }
}
