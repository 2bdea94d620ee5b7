//! Ops that pick and place by index.

use crate::{Op, Rounding, UNIT};
use cotangent_gradcheck::sample::Domain;

pub fn ops() -> Vec<Op> {
    vec![
        Op::new("index_select")
            .rules(&["index_add"])
            .rounding(Rounding::Exact)
            .at("rows, some twice", &[(&[3, 4], UNIT), (&[7], Domain::Index(3))], |x| x[0].index_select(0, &x[1]))
            .at("columns", &[(&[3, 4], UNIT), (&[2], Domain::Index(4))], |x| x[0].index_select(1, &x[1]))
            .at("middle", &[(&[2, 3, 4], UNIT), (&[5], Domain::Index(3))], |x| x[0].index_select(1, &x[1]))
            .at("none", &[(&[3, 4], UNIT), (&[0], Domain::Index(3))], |x| x[0].index_select(0, &x[1])),
        Op::new("gather")
            .rounding(Rounding::Exact)
            .at("vector", &[(&[5], UNIT), (&[8], Domain::Index(5))], |x| x[0].gather(0, &x[1]))
            .at("columns", &[(&[3, 4], UNIT), (&[3, 2], Domain::Index(4))], |x| x[0].gather(1, &x[1]))
            .at("rows", &[(&[3, 4], UNIT), (&[5, 4], Domain::Index(3))], |x| x[0].gather(0, &x[1]))
            .at("middle", &[(&[2, 3, 4], UNIT), (&[2, 2, 4], Domain::Index(3))], |x| x[0].gather(1, &x[1])),
        Op::new("scatter_add")
            .at("vector", &[(&[5], UNIT), (&[8], Domain::Index(5)), (&[8], UNIT)], |x| {
                x[0].scatter_add(0, &x[1], &x[2])
            })
            .at("columns", &[(&[3, 4], UNIT), (&[3, 6], Domain::Index(4)), (&[3, 6], UNIT)], |x| {
                x[0].scatter_add(1, &x[1], &x[2])
            })
            .at("nothing", &[(&[3], UNIT), (&[0], Domain::Index(3)), (&[0], UNIT)], |x| {
                x[0].scatter_add(0, &x[1], &x[2])
            }),
    ]
}
