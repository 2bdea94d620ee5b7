//! Single kernels, and what the machine can do at best.

use super::Work;
use cotangent::WindowSpec;
use cotangent::prelude::*;
use cotangent_base::{ConvGeometry, Shape, View};
use cotangent_cpu::simd::{self, Kernel, Vector};
use cotangent_cpu::{Buffer, conv, par};
use rayon::prelude::*;
use std::hint::black_box;

fn random(shape: impl Into<Shape>) -> Tensor {
    Tensor::uniform(shape, 0.0, 1.0, DType::F32, &mut Rng::new(0))
}

/// `c = a·b` with `a [m, k]`, `b [k, n]`.
pub fn gemm([m, n, k]: [usize; 3]) -> Work {
    let (a, b) = (random([m, k]), random([k, n]));
    Box::new(move || drop(black_box(a.matmul(&b))))
}

/// A convolution of `n` images of `size × size × c`, `forward`, or backward to its images (`dx`) or weights (`dw`).
pub fn conv(which: &str, format: &str, [n, size, c, k, kernel, stride, pad]: [usize; 7]) -> Option<Work> {
    let format = if format == "first" { DataFormat::ChannelsFirst } else { DataFormat::ChannelsLast };
    let padding = Padding::Explicit([pad; 4]);
    let window = WindowSpec { stride: [stride; 2], padding, ..WindowSpec::new([kernel; 2]) };
    let window = window.over("conv2d", [size; 2]).ok()?;
    let g = ConvGeometry { batch: n, channels: c, filters: k, groups: 1, window, format };
    let [x, w, dy] = [g.x_shape(), g.w_shape(), g.y_shape()].map(|shape| (buffer(shape), shape));
    Some(match which {
        "forward" => Box::new(move || drop(black_box(conv::conv2d(view(&x), view(&w), None, false, &g)))),
        "dx" => Box::new(move || drop(black_box(conv::conv2d_dx(view(&dy), view(&w), &g)))),
        "dw" => Box::new(move || drop(black_box(conv::conv2d_dw(view(&x), view(&dy), &g)))),
        _ => return None,
    })
}

fn buffer(shape: Shape) -> Buffer {
    Buffer::from_slice(&random(shape).to_vec::<f32>())
}

fn view((buffer, shape): &(Buffer, Shape)) -> View<'_, Buffer> {
    View::whole(buffer, *shape)
}

/// An op over `count` numbers.
pub fn over(name: &str, count: usize) -> Option<Work> {
    let (a, b) = (random([count]), random([count]));
    let table = a.reshape([count / 1024, 1024]);
    let images = a.reshape([count / (32 * 32 * 64), 32, 32, 64]);
    let (gamma, beta) = (Tensor::ones([64]), Tensor::zeros([64]));
    let halves = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let op: Box<dyn Fn() -> Tensor> = match name {
        "add" => Box::new(move || &a + &b),
        "relu" => Box::new(move || a.relu()),
        "exp" => Box::new(move || a.exp()),
        "gelu" => Box::new(move || a.gelu()),
        "sum" => Box::new(move || a.sum(..)),
        "softmax" => Box::new(move || table.softmax(-1)),
        "batch_norm" => Box::new(move || images.batch_norm(&gamma, &beta, -1, 1e-5).0),
        "max_pool" => Box::new(move || images.max_pool2d(&halves, DataFormat::ChannelsLast)),
        _ => return None,
    };
    Some(Box::new(move || drop(black_box(op()))))
}

/// A sum of 16 numbers and 16 numbers, recorded for a backward pass.
pub fn overhead() -> Work {
    let (a, b) = (random([16]).tracked(), random([16]));
    Box::new(move || drop(black_box(&a + &b)))
}

/// `count` f32 copied into memory that is there, by all threads.
pub fn copy(count: usize) -> Work {
    let (from, mut to) = (vec![1.0_f32; count], vec![0.0_f32; count]);
    let part = count.div_ceil(rayon::current_num_threads());
    Box::new(move || {
        to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
        black_box(&mut to);
    })
}

/// So many floating-point operations, as fused multiply-adds on registers, by all threads.
pub fn peak(flops: usize) -> Work {
    Box::new(move || {
        let threads = par::threads();
        par::for_ranges(threads, 1, move |_, _| _ = black_box(simd::run(MultiplyAdd { flops: flops / threads })));
    })
}

/// Enough independent sums to hide the latency of two multiply-add units, and few enough for AVX2's registers.
const SUMS: usize = 12;

struct MultiplyAdd {
    flops: usize,
}

impl Kernel<f32> for MultiplyAdd {
    type Output = f32;
    #[inline(always)]
    fn run<V: Vector<Scalar = f32>>(self) -> f32 {
        let (factor, mut sums) = (V::broadcast(black_box(0.5)), [V::broadcast(black_box(1.0)); SUMS]);
        for _ in 0..self.flops / (2 * SUMS * V::WIDTH) {
            for sum in &mut sums {
                *sum = V::fma(*sum, factor, factor);
            }
        }
        sums.into_iter().map(V::sum).sum()
    }
}
