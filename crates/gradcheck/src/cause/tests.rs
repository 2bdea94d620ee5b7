use super::*;

/// A gradient of shape [4, 4] without pattern.
fn right() -> Vec<f64> {
    (0..16).map(|i| ((i * i + 3) % 17) as f64 - 8.5).collect()
}

fn cause(analytic: &[f64]) -> Cause {
    let (shape, numeric) = (Shape::from([4, 4]), right());
    let x: Vec<f64> = (0..16).map(|i| 0.3 + 0.1 * i as f64).collect();
    Evidence { shape, x: &x, analytic, numeric: &numeric, roughness: 0.0, others: vec![] }.cause()
}

fn changed(change: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    right().into_iter().enumerate().map(|(i, x)| change(i, x)).collect()
}

#[test]
fn each_cause_is_told_from_the_others() {
    let n = right();
    let x = |i: usize| 0.3 + 0.1 * i as f64;
    assert_eq!(cause(&changed(|_, n| -n)), Cause::Sign);
    assert_eq!(cause(&changed(|_, n| n / 4.0)), Cause::Factor(0.25, ", the size of axis 0".into()));
    assert_eq!(cause(&changed(|_, _| 0.0)), Cause::Cut);
    assert_eq!(cause(&changed(|i, _| n[i % 4 * 4 + i / 4])), Cause::Transposed(vec![1, 0]));
    assert_eq!(cause(&changed(|i, _| n[i / 4 * 4 + 3 - i % 4])), Cause::Reversed(1));
    assert_eq!(cause(&changed(|i, n0| if i < 12 { n[i + 4] } else { n0 })), Cause::Shifted(0));
    assert_eq!(cause(&changed(|i, n| n / x(i))), Cause::Power(1));
    assert_eq!(cause(&changed(|i, n| n * x(i))), Cause::Power(-1));
    assert_eq!(cause(&changed(|i, n| n + (i % 4 * i % 4) as f64 + 1.0)), Cause::MissingAlong(0));
    assert_eq!(cause(&changed(|i, n| if i % 4 == 3 { n * 1.5 } else { n })), Cause::Border(1));
    assert_eq!(cause(&changed(|i, n| if i % 3 == 0 { 0.0 } else { n })), Cause::MaskTooWide);
    assert_eq!(cause(&changed(|i, n| n * (i as f64 * 1.7).sin())), Cause::Unknown);
    assert_eq!(cause(&changed(|i, n| if i == 5 { f64::NAN } else { n })), Cause::NotFinite);
}

#[test]
fn exchanged_inputs_kinks_and_narrow_masks() {
    let (shape, numeric, x) = (Shape::from([4]), [1.0, 0.0, 3.0, 5.0], [1.0; 4]);
    let other = vec![2.0, 7.0, 1.0, 8.0];
    let analytic = other.clone();
    let evidence = Evidence { shape, x: &x, analytic: &analytic, numeric: &numeric, roughness: 0.0, others: vec![] };
    assert_eq!(Evidence { others: vec![(3, other)], ..evidence }.cause(), Cause::Exchanged(3));
    let narrow = [1.0, 9.0, 3.0, 5.0];
    let evidence = Evidence { shape, x: &x, analytic: &narrow, numeric: &numeric, roughness: 0.0, others: vec![] };
    assert_eq!(evidence.cause(), Cause::MaskTooNarrow);
    assert_eq!(Evidence { roughness: 0.6, ..evidence }.cause(), Cause::Kink);
}

#[test]
fn a_factor_reads_plainly() {
    assert_eq!(Cause::Factor(0.33333, String::new()).to_string(), "a factor: the gradient is 3 times too small");
    assert_eq!(Cause::Power(2).to_string(), "a factor x^2 is missing");
}
