//! Matrix products, reductions, views, joins and indices.

use super::{Case, case};
use crate::support::sample;
use cotangent_core::Tensor;

fn x() -> Tensor {
    sample([2, 3, 4], -2.0, 2.0)
}

pub fn cases() -> Vec<Case> {
    let mut all = reductions();
    all.extend(views());
    all.extend(joins_and_indices());
    all.extend([
        case("matmul", [sample([3, 4], -1.0, 1.0), sample([4, 2], -1.0, 1.0)], |x| x[0].matmul(&x[1])),
        case("matmul, batched", [sample([2, 1, 3, 4], -1.0, 1.0), sample([3, 4, 2], -1.0, 1.0)], |x| {
            x[0].matmul(&x[1])
        }),
    ]);
    all
}

fn reductions() -> Vec<Case> {
    // one zero in the first row, two in the second
    let zeros = || {
        let mask = Tensor::from([[1.0, 0.0, 1.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0_f64]]);
        sample([3, 5], 0.5, 2.0) * mask
    };
    vec![
        case("sum", [x()], |x| x[0].sum([0, 2])),
        case("sum, keepdim", [x()], |x| x[0].sum_keepdim(1)),
        case("sum_to", [x()], |x| x[0].sum_to([3, 1])),
        case("mean", [x()], |x| x[0].mean([-1, 0])),
        case("var", [x()], |x| x[0].var(1, 1)),
        case("std", [x()], |x| x[0].std_keepdim(.., 0)),
        case("prod", [x()], |x| x[0].prod([0, 2])),
        case("prod with zeros", [zeros()], |x| x[0].prod(1)),
        case("prod of all", [x()], |x| x[0].prod_keepdim(..)),
        case("max", [x()], |x| x[0].max([0, 2])),
        case("min", [x()], |x| x[0].min_keepdim(1)),
        case("logsumexp", [x()], |x| x[0].logsumexp([0, -1])),
        case("logsumexp, keepdim", [x()], |x| x[0].logsumexp_keepdim(1)),
    ]
}

fn views() -> Vec<Case> {
    vec![
        case("reshape", [x()], |x| x[0].reshape([4, 6])),
        case("reshape of a transpose", [x()], |x| x[0].t().reshape([24])),
        case("flatten", [x()], |x| x[0].flatten(1)),
        case("squeeze and unsqueeze", [x()], |x| x[0].unsqueeze(1).unsqueeze(-1).squeeze(1)),
        case("permute", [x()], |x| x[0].permute(&[2, 0, 1])),
        case("expand", [sample([3, 1], -1.0, 1.0)], |x| x[0].expand([2, 3, 4])),
        case("slice", [x()], |x| x[0].slice(1, 1..)),
        case("slice_step", [x()], |x| x[0].slice_step(2, .., -3)),
        case("flip", [x()], |x| x[0].flip(1)),
        case("select", [x()], |x| x[0].select(1, -1)),
        case("pad", [x()], |x| x[0].pad(&[(0, 1), (0, 0), (2, 1)], 3.0)),
    ]
}

fn joins_and_indices() -> Vec<Case> {
    let rows = || Tensor::from([1_i64, 0, 1, 2, 1]);
    let places = || Tensor::from([[2_i64, 0, 1], [1, 1, 1]]);
    vec![
        case("concat", [x(), sample([2, 2, 4], -1.0, 1.0)], |x| Tensor::concat(&[&x[0], &x[1], &x[0]], 1)),
        case("stack", [x(), sample([2, 3, 4], 0.0, 1.0)], |x| Tensor::stack(&[&x[0], &x[1]], -1)),
        case("split", [x()], |x| {
            let parts = x[0].split(&[1, 2], 1);
            parts[0].square() * &parts[1]
        }),
        case("chunk", [x()], |x| {
            let parts = x[0].chunk(2, -1);
            &parts[0] * &parts[1]
        }),
        case("index_select", [x()], move |x| x[0].index_select(1, &rows())),
        case("gather", [sample([2, 4], -1.0, 1.0)], move |x| x[0].gather(1, &places())),
        case("scatter_add", [sample([2, 4], -1.0, 1.0), sample([2, 3], -1.0, 1.0)], move |x| {
            x[0].scatter_add(1, &places(), &x[1])
        }),
    ]
}
