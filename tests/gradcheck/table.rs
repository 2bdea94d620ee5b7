//! The case table: first and second derivatives, in every layout, with operands used again, against exact
//! derivatives, and refusals.

use cotangent::cases::{self, Case, Op};
use cotangent::gradcheck::sample::Arrangement;
use cotangent::gradcheck::{Check, Failure, Kind, Passed};
use cotangent::{DType, GradError, Tensor};

/// Runs `check` on every case of the ops that `wanted` chooses, and shows all failures at once.
fn every(wanted: fn(&Op) -> bool, check: impl Fn(&Op, &Case) -> Result<Vec<Passed>, Failure>) -> Vec<Passed> {
    let ops = cases::all();
    let cases = ops.iter().filter(|op| wanted(op)).flat_map(|op| op.cases.iter().map(move |case| (op, case)));
    let (mut passed, mut failed) = (Vec::new(), Vec::new());
    for (op, case) in cases {
        match check(op, case) {
            Ok(more) => passed.extend(more),
            Err(failure) => failed.push(failure.to_string()),
        }
    }
    assert!(failed.is_empty(), "{} cases fail:\n\n{}", failed.len(), failed.join("\n\n"));
    passed
}

fn arranged(case: &Case, arrangement: Arrangement) -> Vec<Tensor> {
    case.sample(1).iter().map(|x| arrangement.of(x)).collect()
}

#[test]
fn first_derivatives_are_right_in_every_layout() {
    let passed = every(
        |op| op.first,
        |op, case| {
            let check = |a| op.check(case).first(&*case.f, &arranged(case, a));
            Arrangement::ALL.into_iter().map(check).collect()
        },
    );
    let compared: usize = passed.iter().map(|p| p.compared).sum();
    assert!(passed.len() >= 600 && compared > 50_000, "{} checks, {compared} derivatives", passed.len());
}

#[test]
fn second_derivatives_are_right_where_they_are_claimed() {
    let passed = every(
        |op| op.second,
        |op, case| {
            let check = |a| op.check(case).second(&*case.f, &arranged(case, a));
            [Arrangement::Contiguous, Arrangement::Transposed].into_iter().map(check).collect()
        },
    );
    assert!(passed.len() >= 250, "{} checks", passed.len());
}

#[test]
fn an_operand_that_is_used_two_and_three_times_gets_the_sum() {
    every(
        |op| op.first,
        |op, case| {
            let check = |times: usize| {
                let repeated = |x: &[Tensor]| (0..times).flat_map(|_| (case.f)(x)).collect::<Vec<_>>();
                op.check(case).first(&repeated, &case.sample(2))
            };
            [2, 3].into_iter().map(check).collect()
        },
    );
}

#[test]
fn an_operand_that_comes_from_another_op_passes_its_cotangent_on() {
    every(
        |op| op.first,
        |op, case| {
            let behind = |x: &[Tensor]| {
                let scaled = |x: &Tensor| if x.dtype().is_float() { x * 1.5 } else { x.clone() };
                (case.f)(&x.iter().map(scaled).collect::<Vec<_>>())
            };
            let reduced = |x: Tensor| if x.dtype().is_float() { x / 1.5 } else { x };
            let point: Vec<Tensor> = case.sample(3).into_iter().map(reduced).collect();
            Ok(vec![op.check(case).first(&behind, &point)?])
        },
    );
}

#[test]
fn inputs_of_f32_are_checked_within_what_f32_resolves() {
    let narrow = |case: &Case| -> Vec<Tensor> {
        let drawn = case.sample(4).into_iter();
        drawn.map(|x| if x.dtype().is_float() { x.cast(DType::F32) } else { x }).collect()
    };
    // far out, the differences of f32 resolve nothing
    let within = |case: &Case| !case.name.contains("far out");
    let passed = every(
        |op| op.first && op.tolerance.is_none(),
        |op, case| if within(case) { Ok(vec![op.check(case).first(&*case.f, &narrow(case))?]) } else { Ok(vec![]) },
    );
    assert!(passed.len() >= 250, "{} checks", passed.len());
}

#[test]
fn pointwise_rules_are_the_exact_derivatives() {
    let exact: Vec<usize> = cases::all()
        .iter()
        .filter_map(|op| op.exact.as_ref())
        .map(|exact| exact().unwrap_or_else(|failure| panic!("{failure}")))
        .collect();
    assert!(exact.len() >= 35 && exact.iter().all(|&compared| compared >= 1000), "{exact:?}");
}

#[test]
fn ops_without_a_derivative_refuse_by_name() {
    for op in cases::all().iter().filter(|op| !op.first) {
        for case in &op.cases {
            let failure = Check::new(op.name).first(&*case.f, &case.sample(1)).unwrap_err();
            let refused = matches!(failure.refusal(), Some(GradError::NoDerivative { .. }));
            let of_bools = matches!(*failure.kind, Kind::Nothing(_)) && !case.sample(1)[0].dtype().is_float();
            assert!(refused || of_bools, "{}: {failure}", op.name);
        }
    }
}

#[test]
fn ops_without_a_second_derivative_refuse_by_name() {
    for op in cases::all().iter().filter(|op| op.first && !op.second) {
        for case in &op.cases {
            let failure = op.check(case).second(&*case.f, &case.sample(1)).unwrap_err();
            assert!(matches!(failure.refusal(), Some(GradError::NoSecondOrder { .. })), "{}: {failure}", op.name);
        }
    }
}
