//! The case table in f32 against f64, forward and backward, in every layout, and with values at the edges.

use cotangent::gradcheck::cases::{self, Case, Op, Rounding};
use cotangent::gradcheck::compare::{near_or_both_nan, same_bits, ulps_f32};
use cotangent::gradcheck::sample::Arrangement;
use cotangent::{DType, Shape, Tensor};

const U: f64 = f32::EPSILON as f64 / 2.0;

/// The operands of a case in f32, and the same numbers in f64.
fn operands(case: &Case, seed: u64) -> [Vec<Tensor>; 2] {
    let as_float = |x: &Tensor, dtype| if x.dtype().is_float() { x.cast(DType::F32).cast(dtype) } else { x.clone() };
    let drawn = case.sample(seed);
    [DType::F32, DType::F64].map(|dtype| drawn.iter().map(|x| as_float(x, dtype)).collect())
}

fn host(x: &Tensor) -> Vec<f64> {
    x.detach().cast(DType::F64).to_vec()
}

fn greatest<'a>(x: impl IntoIterator<Item = &'a f64>) -> f64 {
    x.into_iter().fold(0.0, |m, x| m.max(x.abs()))
}

/// The gradients of Σ u·y by the float operands, u being the same small fractions every time.
fn gradients(case: &Case, x: &[Tensor]) -> Vec<Vec<f64>> {
    let tracked: Vec<Tensor> = x.iter().map(|x| if x.dtype().is_float() { x.tracked() } else { x.clone() }).collect();
    let y = (case.f)(&tracked).remove(0);
    let u: Vec<f64> = (0..y.count()).map(|i| ((i * 7 + 3) % 16) as f64 / 16.0 - 0.45).collect();
    let u = Tensor::from_slice(&u, y.shape()).cast(DType::F32).cast(y.dtype());
    let grads = y.backward_with(&u);
    tracked.iter().filter(|x| x.is_tracked()).map(|x| grads.get(x).map(host).unwrap_or_default()).collect()
}

/// Every result in f32 is as near to the one in f64 as the row promises.
fn near(op: &Op, what: &str, got: &[f64], want: &[f64], scale: f64, terms: usize) -> Result<(), String> {
    if got.len() != want.len() {
        return Err(format!("{} elements, wants {}", got.len(), want.len()));
    }
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let fine = match op.rounding {
            Rounding::Exact if what == "value" => got == want as f32 as f64,
            Rounding::Ulps(most) if what == "value" => ulps_f32(got as f32, want) <= most as f64,
            // derivatives are sums of products: broadcasting sums, and rules such as 1 − y² cancel
            _ => (got - want).abs() <= 4.0 * (terms.max(4) as f64).sqrt() * U * scale.max(want.abs()),
        };
        if !fine {
            return Err(format!("{what} {i} is {got:e}, wants {want:e}"));
        }
    }
    Ok(())
}

/// Runs `check` on every case, and shows all failures at once.
fn every(check: impl Fn(&Op, &Case) -> Result<(), String>) {
    let ops = cases::all();
    let cases = ops.iter().flat_map(|op| op.cases.iter().map(move |case| (op, case)));
    let failed = cases
        .filter_map(|(op, case)| check(op, case).err().map(|problem| format!("{}, {}: {problem}", op.name, case.name)));
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn values_in_f32_are_near_those_in_f64() {
    every(|op, case| {
        let [narrow, wide] = operands(case, 11);
        let terms = wide.iter().map(Tensor::count).max().unwrap_or(0);
        let (got, want) = (host(&(case.f)(&narrow)[0]), host(&(case.f)(&wide)[0]));
        let scale = greatest(&want).max(greatest(wide.iter().flat_map(host).collect::<Vec<_>>().iter()));
        near(op, "value", &got, &want, scale, terms)
    });
}

#[test]
fn gradients_in_f32_are_near_those_in_f64() {
    every(|op, case| {
        if !op.first {
            return Ok(());
        }
        let [narrow, wide] = operands(case, 12);
        let terms = wide.iter().map(Tensor::count).max().unwrap_or(0);
        // rules that read y see it rounded
        let rounded = greatest(&host(&(case.f)(&wide)[0])).max(1.0);
        let mut pairs = gradients(case, &narrow).into_iter().zip(gradients(case, &wide));
        pairs.try_for_each(|(got, want)| near(op, "gradient", &got, &want, greatest(&want).max(1.0) * rounded, terms))
    });
}

#[test]
fn the_layout_of_an_operand_does_not_change_a_bit() {
    // products of one row or column choose their loop, and with it the order of the sum, by the strides
    let products = ["matmul", "linear"];
    every(|op, case| {
        if products.contains(&op.name) {
            return Ok(());
        }
        let [x, _] = operands(case, 13);
        let want = (case.f)(&x).remove(0);
        Arrangement::ALL.into_iter().try_for_each(|arrangement| {
            let arranged: Vec<Tensor> = x.iter().map(|x| arrangement.of(x)).collect();
            same_bits(&(case.f)(&arranged)[0], &want).map_err(|e| format!("{arrangement:?}: {e}"))
        })
    });
}

/// Numbers of every class, many times over so that they fall into every place of a vector.
fn edges() -> Tensor {
    let values = [
        0.0,
        -0.0,
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MIN_POSITIVE,
        -f32::MIN_POSITIVE,
        f32::from_bits(1),
        -f32::from_bits(1),
        f32::from_bits(0x0040_0000),
        f32::MAX,
        f32::MIN,
        1.0,
        -1.0,
        f32::EPSILON,
        88.7,
        -88.7,
        -103.0,
        1e-20,
        -1e20,
        0.5,
        -3.0,
        3.0,
    ];
    let places: Vec<f32> = (0..23 * 16).map(|i| values[i % 23]).collect();
    Tensor::from_slice(&places, [23 * 16])
}

#[test]
fn edge_values_keep_their_class() {
    let x = edges();
    for op in cases::all().iter().filter(|op| op.exact.is_some() && op.cases[0].inputs.len() == 1) {
        let f = |x: &Tensor| host(&(op.cases[3].f)(std::slice::from_ref(x))[0]);
        for (i, (got, want)) in f(&x).into_iter().zip(f(&x.cast(DType::F64))).enumerate() {
            let at = host(&x)[i];
            let fine = match op.rounding {
                // results below the normal range are sums of roundings there
                _ if want.abs() < f32::MIN_POSITIVE as f64 => (got - want).abs() <= f32::MIN_POSITIVE as f64,
                Rounding::Ulps(most) => ulps_f32(got as f32, want) <= 2.0 * most as f64,
                _ => near_or_both_nan(got, want, 1e-6, 1e-6 * at.abs().min(1e30)),
            };
            assert!(fine, "{} of {at:e} is {got:e}, wants {want:e}", op.name);
        }
    }
}

#[test]
fn every_length_of_a_vector_is_covered() {
    let lengths = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 127, 509, 4099];
    for op in cases::all().iter().filter(|op| op.exact.is_some() && op.cases[0].inputs.len() == 1) {
        let case = &op.cases[3];
        for length in lengths {
            let x = case.inputs[0].1.sample(Shape::from([length]), length as u64).cast(DType::F32);
            let (got, want) = (host(&(case.f)(std::slice::from_ref(&x))[0]), host(&(case.f)(&[x.cast(DType::F64)])[0]));
            near(op, "value", &got, &want, 1.0, 1).unwrap_or_else(|e| panic!("{} of {length}: {e}", op.name));
        }
    }
}
