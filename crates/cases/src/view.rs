//! Views, joins and parts: ops that move elements.

use crate::{Op, Rounding, UNIT};
use cotangent_core::{DType, Tensor};

pub fn ops() -> Vec<Op> {
    let exact = |name| Op::new(name).rounding(Rounding::Exact);
    vec![
        exact("reshape")
            .at("merged", &[(&[2, 3, 4], UNIT)], |x| x[0].reshape([6, 4]))
            .at("split", &[(&[12], UNIT)], |x| x[0].reshape([3, 1, 4]))
            .at("of a transpose, by a copy", &[(&[3, 4], UNIT)], |x| x[0].t().reshape([2, 6]))
            .at("to a scalar", &[(&[1, 1], UNIT)], |x| x[0].reshape([0usize; 0]))
            .at("empty", &[(&[0, 3], UNIT)], |x| x[0].reshape([3, 0, 2])),
        exact("flatten").at("all but the first axis", &[(&[2, 3, 2], UNIT)], |x| x[0].flatten(1)).at(
            "all axes",
            &[(&[2, 3], UNIT)],
            |x| x[0].flatten(0),
        ),
        exact("squeeze").at("middle", &[(&[3, 1, 4], UNIT)], |x| x[0].squeeze(1)),
        exact("unsqueeze").at("middle and last", &[(&[3, 4], UNIT)], |x| x[0].unsqueeze(1).unsqueeze(-1)),
        exact("permute")
            .at("rotated", &[(&[2, 3, 4], UNIT)], |x| x[0].permute(&[2, 0, 1]))
            .at("four axes", &[(&[2, 3, 2, 3], UNIT)], |x| x[0].permute(&[3, 1, 0, 2]))
            .at("empty", &[(&[0, 3], UNIT)], |x| x[0].permute(&[1, 0])),
        exact("transpose").at("first and last", &[(&[2, 3, 4], UNIT)], |x| x[0].transpose(0, -1)),
        exact("t").at("matrix", &[(&[3, 4], UNIT)], |x| x[0].t()),
        exact("expand")
            .at("a row", &[(&[1, 4], UNIT)], |x| x[0].expand([3, 4]))
            .at("a column, and new axes", &[(&[3, 1], UNIT)], |x| x[0].expand([2, 3, 4]))
            .at("a scalar", &[(&[], UNIT)], |x| x[0].expand([2, 2]))
            .at("to nothing", &[(&[1, 3], UNIT)], |x| x[0].expand([0, 3])),
        Op::new("sum_to").at("a row", &[(&[3, 4], UNIT)], |x| x[0].sum_to([4])).at(
            "a column",
            &[(&[2, 3, 4], UNIT)],
            |x| x[0].sum_to([3, 1]),
        ),
        exact("slice")
            .rules(&["unslice"])
            .at("a range", &[(&[5, 3], UNIT)], |x| x[0].slice(0, 1..4))
            .at("from the back", &[(&[3, 5], UNIT)], |x| x[0].slice(1, -2..))
            .at("every second", &[(&[7, 2], UNIT)], |x| x[0].slice_step(0, 1.., 2))
            .at("every second, backwards", &[(&[2, 7], UNIT)], |x| x[0].slice_step(1, .., -2))
            .at("twice", &[(&[6, 4], UNIT)], |x| x[0].slice(0, 1..5).slice_step(1, .., 3))
            .at("nothing", &[(&[4, 2], UNIT)], |x| x[0].slice(0, 2..2)),
        exact("slice_step").at("every third", &[(&[8], UNIT)], |x| x[0].slice_step(0, .., 3)),
        exact("narrow").at("two columns", &[(&[3, 5], UNIT)], |x| x[0].narrow(1, 2, 2)),
        exact("flip").at("both axes", &[(&[3, 4], UNIT)], |x| x[0].flip(0).flip(1)),
        exact("select").at("last row", &[(&[3, 4], UNIT)], |x| x[0].select(0, -1)),
        exact("concat")
            .at("rows", &[(&[2, 3], UNIT), (&[1, 3], UNIT)], |x| Tensor::concat(&[&x[0], &x[1]], 0))
            .at("columns", &[(&[2, 3], UNIT), (&[2, 1], UNIT), (&[2, 2], UNIT)], |x| {
                Tensor::concat(&[&x[0], &x[1], &x[2]], -1)
            })
            .at("the same tensor twice", &[(&[2, 3], UNIT)], |x| Tensor::concat(&[&x[0], &x[0]], 1))
            .at("with nothing", &[(&[0, 3], UNIT), (&[2, 3], UNIT)], |x| Tensor::concat(&[&x[0], &x[1]], 0)),
        exact("stack").at("last", &[(&[2, 3], UNIT), (&[2, 3], UNIT)], |x| Tensor::stack(&[&x[0], &x[1]], -1)),
        exact("split").at("the parts in another order", &[(&[2, 5], UNIT)], |x| {
            let parts = x[0].split(&[1, 3, 1], 1);
            Tensor::concat(&[&parts[2], &parts[0], &parts[1]], 1)
        }),
        exact("chunk").at("the second of three", &[(&[6, 2], UNIT)], |x| x[0].chunk(3, 0).remove(1)),
        exact("pad")
            .at("one axis", &[(&[4], UNIT)], |x| x[0].pad(&[(1, 2)], 9.0))
            .at("after only", &[(&[2, 3], UNIT)], |x| x[0].pad(&[(0, 0), (0, 2)], 0.0))
            .at("all round", &[(&[2, 2, 3], UNIT)], |x| x[0].pad(&[(1, 1), (0, 2), (3, 0)], -1.0)),
        // f32 holds 7 digits, so the differences resolve less
        Op::new("cast")
            .tolerance(1e-3, 1e-3)
            .at("to f32 and back", &[(&[6], UNIT)], |x| x[0].cast(DType::F32).cast(DType::F64)),
    ]
}
