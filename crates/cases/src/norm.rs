//! Normalisations, softmax and its losses, dropout.

use crate::{Op, POSITIVE, Rounding, UNIT, off_zero};
use cotangent_core::{Rng, Tensor};
use cotangent_gradcheck::sample::Domain;

pub fn ops() -> Vec<Op> {
    vec![
        batch_norm(),
        Op::new("batch_norm_inference").at(
            "last axis",
            &[(&[4, 3], UNIT), (&[3], UNIT), (&[3], UNIT), (&[3], UNIT), (&[3], POSITIVE)],
            |x| x[0].batch_norm_inference(&x[1], &x[2], &x[3], &x[4], -1, 1e-3),
        ),
        batch_norm_linear(Op::new("batch_norm_linear"), Tensor::batch_norm_linear),
        batch_norm_linear(Op::new("batch_norm_linear_relu"), Tensor::batch_norm_linear_relu),
        softmax(Op::new("softmax"), |x, axis| x.softmax(axis)),
        softmax(Op::new("log_softmax"), |x, axis| x.log_softmax(axis)),
        Op::new("softmax_cross_entropy")
            .at("labels", &[(&[4, 5], UNIT), (&[4], Domain::Index(5))], |x| x[0].softmax_cross_entropy(&x[1]))
            .at("far out", &[(&[3, 4], Domain::Sixteenths), (&[3], Domain::Index(4))], |x| {
                (&x[0] * 3.0 + 900.0).softmax_cross_entropy(&x[1])
            })
            .at("one class", &[(&[3, 1], UNIT), (&[3], Domain::Index(1))], |x| x[0].softmax_cross_entropy(&x[1]))
            .at("no rows", &[(&[0, 3], UNIT), (&[0], Domain::Index(3))], |x| x[0].softmax_cross_entropy(&x[1])),
        Op::new("softmax_cross_entropy_one_hot")
            .at("distributions", &[(&[3, 4], UNIT), (&[3, 4], POSITIVE)], |x| x[0].softmax_cross_entropy_one_hot(&x[1]))
            .at("labels", &[(&[3, 4], UNIT), (&[3], Domain::Index(4))], |x| {
                x[0].softmax_cross_entropy_one_hot(&x[1].one_hot(4, x[0].dtype()))
            }),
        Op::new("dropout")
            .rounding(Rounding::Ulps(4))
            .at("half", &[(&[4, 5], UNIT)], |x| x[0].dropout(0.5, &mut Rng::new(3)))
            .at("a tenth", &[(&[17], UNIT)], |x| x[0].dropout(0.1, &mut Rng::new(4)))
            .at("none", &[(&[5], UNIT)], |x| x[0].dropout(0.0, &mut Rng::new(5))),
    ]
}

fn batch_norm() -> Op {
    let shapes: [(&str, &[usize], isize); 5] = [
        ("rows", &[6, 3], -1),
        ("images, channels last", &[2, 3, 2, 3], -1),
        ("images, channels first", &[2, 3, 2, 2], 1),
        ("first axis", &[3, 5], 0),
        ("one channel", &[7, 1], 1),
    ];
    shapes.into_iter().fold(Op::new("batch_norm"), |row, (name, shape, axis)| {
        let channels = [shape[axis.rem_euclid(shape.len() as isize) as usize]];
        row.at(name, &[(shape, UNIT), (&channels, UNIT), (&channels, UNIT)], move |x| {
            x[0].batch_norm(&x[1], &x[2], axis, 1e-3).0
        })
    })
}

type BatchNormLinear = fn(&Tensor, &Tensor, &Tensor, f64, &Tensor, &Tensor) -> (Tensor, Tensor, Tensor);

/// Rows and images that are tracked, and data, whole numbers, that is not.
fn batch_norm_linear(row: Op, f: BatchNormLinear) -> Op {
    let call = |f: BatchNormLinear, x: &[Tensor]| f(&x[0].cast(x[1].dtype()), &x[1], &x[2], 1e-3, &x[3], &x[4]).0;
    let shapes: [(&str, &[usize], Domain); 4] = [
        ("rows", &[6, 3], UNIT),
        ("images", &[2, 2, 2, 3], UNIT),
        ("data", &[7, 3], Domain::Index(10)),
        ("data, three axes", &[2, 3, 3], Domain::Index(10)),
    ];
    shapes.into_iter().fold(row, |row, (name, shape, domain)| {
        let inputs: [(&[usize], Domain); 5] =
            [(shape, domain), (&[3], UNIT), (&[3], UNIT), (&[3, 2], UNIT), (&[2], UNIT)];
        row.at(name, &inputs, move |x| call(f, x)).clear(move |x| off_zero(&call(Tensor::batch_norm_linear, x)))
    })
}

fn softmax(row: Op, f: fn(&Tensor, isize) -> Tensor) -> Op {
    row.at("rows", &[(&[3, 5], UNIT)], move |x| f(&x[0], -1))
        .at("columns", &[(&[3, 5], UNIT)], move |x| f(&x[0], 0))
        .at("middle", &[(&[2, 4, 3], UNIT)], move |x| f(&x[0], 1))
        .at("far out", &[(&[3, 4], Domain::Sixteenths)], move |x| f(&(&x[0] * 3.0 - 700.0), -1))
        .at("one class", &[(&[3, 1], UNIT)], move |x| f(&x[0], -1))
        .at("beyond a vector", &[(&[2, 19], UNIT)], move |x| f(&x[0], -1))
        .at("no rows", &[(&[0, 3], UNIT)], move |x| f(&x[0], -1))
}
