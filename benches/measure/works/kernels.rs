//! Products and passes, and what the machine can do at best.

use super::Work;
use cotangent::WindowSpec;
use cotangent::prelude::*;
use cotangent_base::Shape;
use cotangent_cpu::par;
use cotangent_cpu::simd::{self, Kernel, Vector};
use rayon::prelude::*;
use std::hint::black_box;

pub(super) fn random(shape: impl Into<Shape>) -> Tensor {
    Tensor::uniform(shape, 0.0, 1.0, DType::F32, &mut Rng::new(0))
}

/// `c = a·b` with `a [m, k]`, `b [k, n]`.
pub fn gemm([m, n, k]: [usize; 3]) -> Work {
    let (a, b) = (random([m, k]), random([k, n]));
    Box::new(move || drop(black_box(a.matmul(&b))))
}

/// The same, where so many percent of a's numbers are 0, as behind a ReLU and dropout.
pub fn sparse([m, n, k, percent]: [usize; 4]) -> Work {
    let share = percent as f64 / 100.0;
    let (a, b) = (Tensor::uniform([m, k], -share, 1.0 - share, DType::F32, &mut Rng::new(1)).relu(), random([k, n]));
    Box::new(move || drop(black_box(a.matmul(&b))))
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
        "dropout" => Box::new(move || a.dropout(0.25, &mut Rng::new(0))),
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
