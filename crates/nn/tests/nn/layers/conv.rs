//! [`Conv2d`] and the pooling layers.

use super::{build, counts, infer};
use crate::assert_says;
use cotangent_core::{DataFormat::*, Padding, Tensor};
use cotangent_nn::{Activation::*, *};

/// 1, 2, …, as a `[1, 3, 4, 1]` image.
fn image() -> Tensor {
    Tensor::arange(1.0, 13.0, 1.0, cotangent_core::DType::F32).reshape([1, 3, 4, 1])
}

#[test]
fn convolution_sums_over_its_window() {
    let mut conv = Conv2d::new(1, (2, 2)).kernel_init(Init::Ones).bias_init(Init::Constant(-20.0)).activation(Relu);
    assert_eq!(*build(&mut conv, [3, 4, 1]).unwrap(), [2, 3, 1]);
    assert_eq!(infer(&conv, &image()).to_vec::<f32>(), [0.0, 0.0, 2.0, 10.0, 14.0, 18.0]);
}

#[test]
fn convolution_has_keras_options() {
    let cases: [(Conv2d, [usize; 3], usize); 6] = [
        (Conv2d::new(8, (3, 3)).padding(Padding::Same), [9, 10, 8], 8 * (9 * 4 + 1)),
        (Conv2d::new(8, (3, 3)).strides((2, 3)).padding(Padding::Same), [5, 4, 8], 8 * (9 * 4 + 1)),
        (Conv2d::new(8, (3, 2)).strides((2, 2)), [4, 5, 8], 8 * (6 * 4 + 1)),
        (Conv2d::new(8, (3, 3)).dilation((2, 1)), [5, 8, 8], 8 * (9 * 4 + 1)),
        (Conv2d::new(8, (3, 3)).groups(2).use_bias(false), [7, 8, 8], 8 * 9 * 2),
        (Conv2d::new(8, (3, 3)).padding(Padding::Explicit([1, 0, 2, 2])), [8, 12, 8], 8 * (9 * 4 + 1)),
    ];
    for (mut conv, output, count) in cases {
        assert_eq!(*build(&mut conv, [9, 10, 4]).unwrap(), output);
        assert_eq!(counts(&conv), (count, count));
        let y = infer(&conv, &Tensor::ones([2, 9, 10, 4]));
        assert_eq!(y.shape()[1..], output);
    }
}

#[test]
fn formats_differ_by_a_transpose_alone() {
    let x = Tensor::uniform([2, 5, 6, 4], -1.0, 1.0, cotangent_core::DType::F32, &mut cotangent_core::Rng::new(5));
    let layers: [fn(cotangent_core::DataFormat) -> Box<dyn Layer>; 4] = [
        |format| Box::new(Conv2d::new(6, (3, 3)).strides((2, 1)).groups(2).data_format(format)),
        |format| Box::new(MaxPool2d::new((2, 2)).data_format(format)),
        |format| Box::new(AveragePool2d::new((3, 3)).padding(Padding::Same).data_format(format)),
        |format| Box::new(GlobalAveragePool2d::new().data_format(format)),
    ];
    for make in layers {
        let (mut last, mut first) = (make(ChannelsLast), make(ChannelsFirst));
        build(last.as_mut(), [5, 6, 4]).unwrap();
        build(first.as_mut(), [4, 5, 6]).unwrap();
        let y = infer(last.as_ref(), &x);
        let z = infer(first.as_ref(), &x.permute(&[0, 3, 1, 2]));
        let z = if z.rank() == 4 { z.permute(&[0, 2, 3, 1]) } else { z };
        assert_eq!(y.shape(), z.shape(), "{}", last.kind());
        let (y, z) = (y.to_vec::<f32>(), z.to_vec::<f32>());
        let off = y.iter().zip(&z).map(|(y, z)| (y - z).abs()).fold(0.0, f32::max);
        if !(off <= 1e-6) {
            panic!("{}: the formats differ by {off}", last.kind());
        }
    }
}

#[test]
fn pooling_takes_its_size_for_stride() {
    let mut max = MaxPool2d::new((2, 2));
    assert_eq!(*build(&mut max, [3, 4, 1]).unwrap(), [1, 2, 1]);
    assert_eq!(infer(&max, &image()).to_vec::<f32>(), [6.0, 8.0]);
    let mut max = MaxPool2d::new((2, 2)).strides((1, 2)).padding(Padding::Same);
    assert_eq!(*build(&mut max, [3, 4, 1]).unwrap(), [3, 2, 1]);
    assert_eq!(infer(&max, &image()).to_vec::<f32>(), [6.0, 8.0, 10.0, 12.0, 10.0, 12.0]);
}

#[test]
fn averages_leave_the_padding_out() {
    let mut average = AveragePool2d::new((2, 2)).padding(Padding::Same);
    assert_eq!(*build(&mut average, [3, 4, 1]).unwrap(), [2, 2, 1]);
    assert_eq!(infer(&average, &image()).to_vec::<f32>(), [3.5, 5.5, 9.5, 11.5]);
    let mut global = GlobalAveragePool2d::new();
    assert_eq!(*build(&mut global, [3, 4, 1]).unwrap(), [1]);
    assert_eq!(infer(&global, &image()).to_vec::<f32>(), [6.5]);
}

#[test]
fn misfits_are_named() {
    assert_says(
        build(&mut Conv2d::new(8, (3, 3)), [28, 28]),
        &["[Conv2d] input [N, 28, 28] has 3 axes, wants [N, H, W, C]", "unsqueeze(-1)"],
    );
    assert_says(
        build(&mut MaxPool2d::new((2, 2)).data_format(ChannelsFirst), [784]),
        &["[MaxPool2d] input [N, 784] has 2 axes, wants [N, C, H, W]", "Reshape"],
    );
    assert_says(
        build(&mut Conv2d::new(8, (5, 5)), [4, 9, 1]),
        &["[Conv2d] the window does not fit", "height 4", "reach of 5", "Padding::Same"],
    );
    assert_says(build(&mut AveragePool2d::new((2, 2)), [1, 4, 1]), &["[AveragePool2d] the window does not fit"]);
    assert_says(build(&mut MaxPool2d::new((0, 2)), [4, 4, 1]), &["[MaxPool2d] kernel 0"]);
    assert_says(build(&mut Conv2d::new(8, (3, 3)).strides((0, 1)), [4, 4, 1]), &["[Conv2d]", "stride 0"]);
    assert_says(build(&mut Conv2d::new(0, (3, 3)), [4, 4, 1]), &["[Conv2d] 0 filters"]);
    assert_says(
        build(&mut Conv2d::new(8, (3, 3)).groups(3), [4, 4, 6]),
        &["[Conv2d] 3 groups of 6 input channels and 8 filters", "divide both"],
    );
    assert_says(build(&mut GlobalAveragePool2d::new(), [4]), &["[GlobalAveragePool2d] input [N, 4] has 2 axes"]);
}
