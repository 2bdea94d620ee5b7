//! Convolutions, by themselves and with what is behind them.

use super::Work;
use super::kernels::random;
use cotangent::prelude::*;
use cotangent_base::{ConvGeometry, PoolGeometry, Shape, View, WindowSpec};
use cotangent_cpu::{Buffer, conv};
use std::hint::black_box;

/// A convolution of `n` images of `size × size × c`, `forward`, or backward to its images (`dx`) or weights (`dw`).
pub fn conv(which: &str, format: &str, [n, size, c, k, kernel, stride, pad]: [usize; 7]) -> Option<Work> {
    let format = if format == "first" { DataFormat::ChannelsFirst } else { DataFormat::ChannelsLast };
    let padding = Padding::Explicit([pad; 4]);
    let window = WindowSpec { stride: [stride; 2], padding, ..WindowSpec::new([kernel; 2]) };
    let window = window.over("conv2d", [size; 2]).ok()?;
    let g = ConvGeometry { batch: n, channels: c, filters: k, groups: 1, window, format };
    let [x, w, dy] = [g.x_shape(), g.w_shape(), g.y_shape()].map(drawn);
    Some(match which {
        "forward" => Box::new(move || drop(black_box(conv::conv2d(view(&x), view(&w), None, false, &g)))),
        "dx" => Box::new(move || drop(black_box(conv::conv2d_dx(view(&dy), view(&w), &g)))),
        "dw" => Box::new(move || drop(black_box(conv::conv2d_dw(view(&x), view(&dy), &g)))),
        _ => return None,
    })
}

/// A convolution with 3 × 3 windows, ReLU and max pooling with 2 × 2 in one, `forward`, or `backward` to all of its operands, where
/// 60 % of the pooled windows have a cotangent.
pub fn pooled(which: &str, [n, size, c, k]: [usize; 4]) -> Option<Work> {
    let format = DataFormat::ChannelsLast;
    let window = WindowSpec::new([3; 2]).over("conv2d", [size; 2]).ok()?;
    let conv = ConvGeometry { batch: n, channels: c, filters: k, groups: 1, window, format };
    let halves = WindowSpec { stride: [2; 2], ..WindowSpec::new([2; 2]) }.over("max_pool2d", [size - 2; 2]).ok()?;
    let pool = PoolGeometry { batch: n, channels: k, window: halves, format };
    let [x, w, bias, dy] = [conv.x_shape(), conv.w_shape(), Shape::new(&[k]), pool.y_shape()].map(drawn);
    let alive = Tensor::uniform(pool.y_shape(), -0.4, 0.6, DType::F32, &mut Rng::new(1)).relu().to_vec::<f32>();
    let taps = Tensor::uniform(pool.y_shape(), 0.0, 4.0, DType::F32, &mut Rng::new(2)).cast(DType::U32).to_vec::<u32>();
    let [y, taps] = [Buffer::from_slice(&alive), Buffer::from_slice(&taps)].map(|buffer| (buffer, pool.y_shape()));
    Some(match which {
        "forward" => Box::new(move || {
            drop(black_box(conv::conv2d_max_pool2d(view(&x), view(&w), Some(view(&bias)), true, &conv, &pool)));
        }),
        "backward" => Box::new(move || {
            let (operands, results) = ([view(&x), view(&w)], [view(&dy), view(&taps)]);
            drop(black_box(conv::conv2d_max_pool2d_vjp(operands, results, Some(view(&y)), &conv, &pool, [true; 3])));
        }),
        _ => return None,
    })
}

/// A buffer of this shape.
type Shaped = (Buffer, Shape);

fn drawn(shape: Shape) -> Shaped {
    (Buffer::from_slice(&random(shape).to_vec::<f32>()), shape)
}

fn view((buffer, shape): &Shaped) -> View<'_, Buffer> {
    View::whole(buffer, *shape)
}
