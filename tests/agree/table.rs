//! The case table in f32 against f64, forward and backward, in every layout, and with values at the edges.

use cotangent::cases::{self, Case, Op, Rounding};
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

/// The gradients of Σ u·y by the float operands, u being the same small fractions every time, y computed and summed so
/// many times.
fn gradients(case: &Case, x: &[Tensor], times: usize) -> Vec<Vec<f64>> {
    let tracked: Vec<Tensor> = x.iter().map(|x| if x.dtype().is_float() { x.tracked() } else { x.clone() }).collect();
    let y = (0..times).map(|_| (case.f)(&tracked).remove(0)).reduce(|a, b| a + b).expect("once at least");
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
        [1, 2, 3].into_iter().try_for_each(|times| {
            let mut pairs = gradients(case, &narrow, times).into_iter().zip(gradients(case, &wide, times));
            pairs.try_for_each(|(got, want)| {
                near(op, "gradient", &got, &want, greatest(&want).max(1.0) * rounded, terms)
                    .map_err(|e| format!("used {times} times: {e}"))
            })
        })
    });
}

/// Value and gradients are the same to the bit, whether the operands are `x` or the same numbers lying otherwise.
fn same(op: &Op, case: &Case, x: &[Tensor], other: &[Tensor]) -> Result<(), String> {
    same_bits(&(case.f)(other)[0], &(case.f)(x)[0])?;
    let bits = |x: &[Tensor]| -> Vec<Vec<u64>> {
        let all = if op.first { gradients(case, x, 1) } else { vec![] };
        all.iter().map(|g| g.iter().map(|x| x.to_bits()).collect()).collect()
    };
    if bits(x) == bits(other) { Ok(()) } else { Err("the gradients differ".into()) }
}

#[test]
fn the_layout_of_an_operand_does_not_change_a_bit() {
    every(|op, case| {
        let [x, _] = operands(case, 13);
        Arrangement::ALL.into_iter().try_for_each(|arrangement| {
            let arranged: Vec<Tensor> = x.iter().map(|x| arrangement.of(x)).collect();
            same(op, case, &x, &arranged).map_err(|e| format!("{arrangement:?}: {e}"))
        })
    });
}

#[test]
fn a_stretched_operand_is_as_good_as_a_copy() {
    every(|op, case| {
        let [x, _] = operands(case, 14);
        let places = x.iter().enumerate().flat_map(|(i, x)| (0..x.rank()).map(move |axis| (i, axis)));
        let mut places = places.filter(|&(i, axis)| x[i].shape()[axis] > 1);
        places.try_for_each(|(i, axis)| {
            let (mut stretched, mut copied) = (x.clone(), x.clone());
            stretched[i] = x[i].slice(axis as isize, ..1).expand(x[i].shape());
            copied[i] = Arrangement::Offset.of(&stretched[i]);
            same(op, case, &copied, &stretched).map_err(|e| format!("operand {i} along axis {axis}: {e}"))
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
fn pairs_of_edge_values_keep_their_class() {
    let all = edges().slice(0, ..23);
    let [a, b] = [all.unsqueeze(1).expand([23, 23]), all.unsqueeze(0).expand([23, 23])].map(|x| x.reshape([23 * 23]));
    type Pair = fn(&Tensor, &Tensor) -> Tensor;
    let ops: [(&str, Pair); 6] = [
        ("add", |a, b| a + b),
        ("sub", |a, b| a - b),
        ("mul", |a, b| a * b),
        ("div", |a, b| a / b),
        ("maximum", |a, b| a.maximum(b)),
        ("minimum", |a, b| a.minimum(b)),
    ];
    for (name, f) in ops {
        let (got, want) = (host(&f(&a, &b)), host(&f(&a.cast(DType::F64), &b.cast(DType::F64))));
        for (i, (got, want)) in got.into_iter().zip(want).enumerate() {
            let fine = ulps_f32(got as f32, want) <= 1.0;
            assert!(fine, "{name} of {:e} and {:e} is {got:e}, wants {want:e}", host(&a)[i], host(&b)[i]);
        }
    }
}

#[test]
fn an_edge_value_anywhere_in_a_row_is_seen() {
    type Rows = fn(&Tensor) -> Tensor;
    let ops: [(&str, Rows); 10] = [
        ("sum", |x| x.sum(1)),
        ("mean", |x| x.mean(1)),
        ("max", |x| x.max(1)),
        ("min", |x| x.min(1)),
        ("prod", |x| x.prod(1)),
        ("var", |x| x.var(1, 0)),
        ("logsumexp", |x| x.logsumexp(1)),
        ("softmax", |x| x.softmax(-1)),
        ("log_softmax", |x| x.log_softmax(-1)),
        ("batch_norm", |x| {
            x.batch_norm(&Tensor::ones([37]).cast(x.dtype()), &Tensor::zeros([37]).cast(x.dtype()), -1, 1e-3).0
        }),
    ];
    let class = |x: f64| if x.is_finite() { 0.0 } else { x };
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::from_bits(1)] {
        // row i has the value in column i
        let numbers: Vec<f32> = (0..37 * 37).map(|i| if i % 38 == 0 { value } else { (i % 7) as f32 - 3.5 }).collect();
        let x = Tensor::from_slice(&numbers, [37, 37]);
        for (name, f) in ops {
            let (got, want) = (host(&f(&x)), host(&f(&x.cast(DType::F64))));
            let fine = |(got, want): (&f64, &f64)| near_or_both_nan(class(*got), class(*want), 0.0, 0.0);
            let wrong = got.iter().zip(&want).position(|pair| !fine(pair));
            assert!(wrong.is_none(), "{name} with {value:e}: element {wrong:?}");
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
