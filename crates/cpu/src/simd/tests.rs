//! Every lane of every level does what the scalar lane does.

use super::*;

/// Runs a test over the lanes of both floats at one level.
struct Check<F>(F);

const SPECIAL: [f64; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    2.5,
    -3.5,
    0.49999997,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    8388609.0,
    -16777218.0,
    1e-40,
    -3e38,
    1e9,
    7.25,
];

/// Compares every method of a lane with the scalar's, for all pairs of special values.
struct AgainstScalar;

impl<T: SimdFloat> Kernel<T> for Check<AgainstScalar> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let values: Vec<T> = SPECIAL.iter().map(|&x| T::from_f64(x)).collect();
        let same =
            |a: T, b: T| a.to_f64().to_bits() == b.to_f64().to_bits() || (a.to_f64().is_nan() && b.to_f64().is_nan());
        for &a in &values {
            for chunk in values.chunks(V::WIDTH) {
                // SAFETY: WIDTH divides 16.
                let (va, vb) = (V::broadcast(a), unsafe { V::load(chunk.as_ptr()) });
                macro_rules! agree {
                    ($($name:literal: |$x:ident, $y:ident| $e:expr;)*) => {$({
                        let got = { let ($x, $y) = (va, vb); $e };
                        for (i, &b) in chunk.iter().enumerate() {
                            let want = { let ($x, $y) = (a, b); $e };
                            let got = got.to_array()[i];
                            assert!(same(got, want), "{} of {a:?}, {b:?}: {got:?} wants {want:?}", $name);
                        }
                    })*};
                }
                agree! {
                    "add": |x, y| x + y;
                    "sub": |x, y| x - y;
                    "mul": |x, y| x * y;
                    "div": |x, y| x / y;
                    "neg": |x, y| -y * x;
                    "sqrt": |_x, y| y.sqrt();
                    "abs": |_x, y| y.abs();
                    "floor": |_x, y| y.floor();
                    "round": |_x, y| y.round();
                    "max": |x, y| x.max(y);
                    "min": |x, y| x.min(y);
                    "lt": |x, y| Lane::select(x.lt(y), x, y);
                    "le": |x, y| Lane::select(x.le(y), x, y);
                    "eq": |x, y| Lane::select(Lane::eq(x, y), x, -y);
                    "gt": |x, y| Lane::select(x.gt(y), x, y);
                    "ge": |x, y| Lane::select(x.ge(y), x, y);
                    "is_nan": |x, y| Lane::select(y.is_nan(), x, y);
                    "powf": |x, y| x.powf(y);
                }
                assert_eq!(va.to_array()[V::WIDTH - 1].to_f64().to_bits(), a.to_f64().to_bits());
            }
        }
    }
}

#[test]
fn every_level_agrees_with_the_scalar_lane() {
    for level in Level::available() {
        run_widest_at::<f32, _>(level, Check(AgainstScalar));
        run_widest_at::<f64, _>(level, Check(AgainstScalar));
    }
}

/// Loads, stores and folds of every length.
struct Ends;

impl<T: SimdFloat> Kernel<T> for Check<Ends> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let from: Vec<T> = (1..=32).map(|i| T::from_f64(i as f64)).collect();
        for count in 0..=V::WIDTH + 1 {
            let kept = count.min(V::WIDTH);
            let mut to = vec![T::from_f64(-7.0); 32];
            // SAFETY: both hold 32 numbers.
            let v = unsafe { V::load_part(from.as_ptr().add(1), count) };
            // SAFETY: as above.
            unsafe { (v + V::one()).store_part(to.as_mut_ptr().add(1), count) };
            for (i, x) in v.to_array().into_iter().enumerate() {
                assert_eq!(x, if i < kept { from[i + 1] } else { T::default() });
            }
            for (i, &x) in to.iter().enumerate() {
                assert_eq!(x.to_f64(), if (1..=kept).contains(&i) { (i + 2) as f64 } else { -7.0 });
            }
            let sum: f64 = (0..kept).map(|i| (i + 2) as f64).sum();
            assert_eq!(v.sum().to_f64(), sum);
            assert_eq!(v.greatest().to_f64(), if kept > 0 { (kept + 1) as f64 } else { 0.0 });
        }
    }
}

#[test]
fn partial_loads_and_stores_touch_only_their_part() {
    for level in Level::available() {
        run_widest_at::<f32, _>(level, Check(Ends));
        run_widest_at::<f64, _>(level, Check(Ends));
    }
}
