//! The time of the kernels that training spends its time in: `cargo bench --bench kernels`.
//!
//! Throughput is floating-point operations (a multiply and an add are two) for products and convolutions, bytes read
//! and written for passes.

#[path = "measure/works/mod.rs"]
mod works;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Each work, with its amount.
fn bench(c: &mut Criterion, group: &str, works: impl IntoIterator<Item = (String, Throughput)>) {
    let mut group = c.benchmark_group(group);
    group.sample_size(20);
    for (words, amount) in works {
        let mut work = works::make(&words.split(' ').collect::<Vec<_>>()).expect("there is such a work");
        group.throughput(amount);
        group.bench_function(words, |bench| bench.iter(&mut work));
    }
    group.finish();
}

/// The products of the MNIST models, and cubes.
fn products(c: &mut Criterion) {
    let cubes = [64, 512, 1024, 2048].map(|n| [n; 3]);
    let others = [[32, 128, 784], [128, 128, 9216], [64, 288, 73728], [73728, 64, 288]];
    let works = cubes.into_iter().chain(others);
    let work = |[m, n, k]: [u64; 3]| (format!("gemm {m} {n} {k}"), Throughput::Elements(2 * m * n * k));
    bench(c, "products", works.map(work).chain([("peak 1000000000".to_owned(), Throughput::Elements(1_000_000_000))]));
}

/// The second convolution of the MNIST convnet, and some of ResNet-18's, in all directions and both formats.
fn convolutions(c: &mut Criterion) {
    let layers: [[u64; 7]; 4] =
        [[128, 26, 32, 64, 3, 1, 0], [8, 56, 64, 64, 3, 1, 1], [8, 56, 64, 128, 1, 2, 0], [8, 14, 256, 512, 3, 2, 1]];
    for format in ["last", "first"] {
        let works = layers.into_iter().flat_map(|layer| {
            let [batch, size, channels, filters, kernel, stride, pad] = layer;
            let out = (size + 2 * pad - kernel) / stride + 1;
            let flops = 2 * batch * out * out * channels * filters * kernel * kernel;
            let sizes = layer.map(|size| size.to_string()).join(" ");
            ["forward", "dx", "dw"].map(|way| (format!("conv {way} {format} {sizes}"), Throughput::Elements(flops)))
        });
        bench(c, &format!("convolutions, channels {format}"), works);
    }
}

/// What does less than the dense arithmetic, by which the throughput is counted: the MNIST convnet's second convolution with its
/// ReLU and pooling, and its first dense layer behind them.
fn sparse(c: &mut Criterion) {
    let conv = 2 * 128 * 24 * 24 * 64 * 32 * 9;
    let dense = 2 * 128 * 9216 * 128;
    let works = [
        ("pooled forward 128 26 32 64", conv),
        ("pooled backward 128 26 32 64", 2 * conv),
        ("sparse 128 128 9216 75", dense),
        ("sparse 9216 128 128 75", dense),
    ];
    bench(c, "sparse", works.map(|(work, flops)| (work.to_owned(), Throughput::Elements(flops))));
}

/// What memory limits.
fn passes(c: &mut Criterion) {
    let ops = ["add", "relu", "exp", "gelu", "sum", "softmax", "batch_norm", "max_pool"];
    let bytes = [12, 8, 8, 8, 4, 8, 8, 5];
    for count in [1 << 20, 1 << 24] {
        let works =
            ops.iter().zip(bytes).map(|(op, bytes)| (format!("over {op} {count}"), Throughput::Bytes(bytes * count)));
        bench(
            c,
            &format!("passes over {count} numbers"),
            works.chain([(format!("copy {count}"), Throughput::Bytes(8 * count))]),
        );
    }
}

/// What a small op costs beside its arithmetic.
fn overhead(c: &mut Criterion) {
    bench(c, "overhead", [("overhead".to_owned(), Throughput::Elements(1))]);
}

criterion_group!(benches, products, convolutions, sparse, passes, overhead);
criterion_main!(benches);
