//! Products of matrices.

use crate::{Op, UNIT, each, off_zero};

pub fn ops() -> Vec<Op> {
    let products: [[&[usize]; 2]; 10] = [
        [&[3, 4], &[4, 2]],
        [&[1, 5], &[5, 1]],
        [&[5, 1], &[1, 3]],
        [&[1, 1], &[1, 1]],
        [&[2, 3, 4], &[2, 4, 3]],
        [&[2, 3, 4], &[4, 2]],
        [&[3, 4], &[2, 4, 2]],
        [&[2, 1, 2, 3], &[3, 3, 2]],
        [&[3, 0], &[0, 2]],
        [&[0, 3], &[3, 2]],
    ];
    vec![
        each(Op::new("matmul"), &products, [UNIT; 2], |x| x[0].matmul(&x[1]))
            .at("with its own transpose", &[(&[3, 4], UNIT)], |x| x[0].matmul(&x[0].t()))
            .at("its square", &[(&[3, 3], UNIT)], |x| x[0].matmul(&x[0]))
            .at("of transposes", &[(&[4, 3], UNIT), (&[2, 4], UNIT)], |x| x[0].t().matmul(&x[1].t()))
            .at("beyond one block", &[(&[19, 40], UNIT), (&[40, 33], UNIT)], |x| x[0].matmul(&x[1])),
        Op::new("linear")
            .at("with a bias", &[(&[3, 4], UNIT), (&[4, 2], UNIT), (&[2], UNIT)], |x| x[0].linear(&x[1], Some(&x[2])))
            .at("without", &[(&[3, 4], UNIT), (&[4, 2], UNIT)], |x| x[0].linear(&x[1], None))
            .at("one row", &[(&[4], UNIT), (&[4, 2], UNIT), (&[2], UNIT)], |x| x[0].linear(&x[1], Some(&x[2])))
            .at("three axes", &[(&[2, 2, 3], UNIT), (&[3, 2], UNIT), (&[2], UNIT)], |x| x[0].linear(&x[1], Some(&x[2])))
            .at("no rows", &[(&[0, 4], UNIT), (&[4, 2], UNIT), (&[2], UNIT)], |x| x[0].linear(&x[1], Some(&x[2]))),
        Op::new("linear_relu")
            .at("with a bias", &[(&[3, 4], UNIT), (&[4, 2], UNIT), (&[2], UNIT)], |x| {
                x[0].linear_relu(&x[1], Some(&x[2]))
            })
            .clear(|x| off_zero(&x[0].linear(&x[1], Some(&x[2]))))
            .at("without, three axes", &[(&[2, 2, 3], UNIT), (&[3, 2], UNIT)], |x| x[0].linear_relu(&x[1], None))
            .clear(|x| off_zero(&x[0].linear(&x[1], None))),
    ]
}
