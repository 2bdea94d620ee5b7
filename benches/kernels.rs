//! The time of the kernels that training spends its time in: `cargo bench --bench kernels`.
//!
//! Throughput is floating-point operations (a multiply and an add are two) for products and convolutions, bytes read
//! and written for the rest.

use cotangent::WindowSpec;
use cotangent::ops::Conv2dSpec;
use cotangent::prelude::*;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

fn random(shape: &[usize]) -> Tensor {
    Tensor::uniform(shape, -1.0, 1.0, DType::F32, &mut Rng::new(0))
}

/// The products of the MNIST models, and cubes.
fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul");
    for [m, n, k] in [[64; 3], [512; 3], [1024; 3], [32, 128, 784], [128, 128, 9216], [9216, 128, 128]] {
        let (a, b) = (random(&[m, k]), random(&[k, n]));
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{m}x{n}x{k}")), |bench| {
            bench.iter(|| black_box(a.matmul(&b)));
        });
    }
    group.finish();
}

/// The second convolution of the MNIST convnet, forward and backward.
fn conv2d(c: &mut Criterion) {
    let (x, w) = (random(&[128, 26, 26, 32]), random(&[3, 3, 32, 64]));
    let spec = Conv2dSpec::new(WindowSpec::new([3, 3]));
    let mut group = c.benchmark_group("conv2d 128x26x26x32 to 64");
    group.sample_size(20);
    group.throughput(Throughput::Elements(2 * 128 * 24 * 24 * 64 * 9 * 32));
    group.bench_function("forward", |bench| bench.iter(|| black_box(x.conv2d(&w, None, &spec))));
    let dy = random(&[128, 24, 24, 64]);
    for (name, x, w) in [("dx", x.tracked(), w.clone()), ("dw", x.clone(), w.tracked())] {
        group.bench_function(format!("forward and {name}"), |bench| {
            bench.iter(|| black_box(x.conv2d(&w, None, &spec).backward_with(&dy)));
        });
    }
    group.finish();
}

/// What memory limits.
fn elementwise(c: &mut Criterion) {
    let count = 1 << 20;
    let (a, b) = (random(&[count]), random(&[count]));
    let halves = WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) };
    let mut group = c.benchmark_group("1M elements");
    let mut bench = |name: &str, bytes: usize, f: &dyn Fn() -> Tensor| {
        group.throughput(Throughput::Bytes((bytes * count) as u64));
        group.bench_function(name, |bench| bench.iter(|| black_box(f())));
    };
    bench("add", 12, &|| &a + &b);
    bench("relu", 8, &|| a.relu());
    bench("exp", 8, &|| a.exp());
    bench("gelu", 8, &|| a.gelu());
    bench("sum", 4, &|| a.sum(..));
    bench("softmax of rows of 1024", 8, &|| a.reshape([1024, 1024]).softmax(-1));
    bench("max_pool2d 2x2", 5, &|| a.reshape([16, 32, 32, 64]).max_pool2d(&halves, DataFormat::ChannelsLast));
    group.finish();
}

/// What a small op costs beside its arithmetic.
fn overhead(c: &mut Criterion) {
    let (a, b) = (random(&[16]), random(&[16]));
    let tracked = a.tracked();
    c.bench_function("add of 16 elements", |bench| bench.iter(|| black_box(&a + &b)));
    c.bench_function("add of 16 elements, recorded", |bench| bench.iter(|| black_box(&tracked + &b)));
}

criterion_group!(benches, matmul, conv2d, elementwise, overhead);
criterion_main!(benches);
