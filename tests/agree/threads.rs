//! The same bits whatever the number of threads.

use cotangent::gradcheck::compare::same_bits;
use cotangent::{Conv2dSpec, DType, DataFormat, Rng, Tensor, WindowSpec};

fn uniform(shape: &[usize], seed: u64) -> Tensor {
    Tensor::uniform(shape, -1.0, 1.0, DType::F32, &mut Rng::new(seed))
}

/// Results and gradients of ops that are large enough to be split.
fn results() -> Vec<Tensor> {
    let x = uniform(&[16, 28, 28, 3], 1).tracked();
    let k = uniform(&[3, 3, 3, 20], 2).tracked();
    let b = uniform(&[20], 3).tracked();
    let w = uniform(&[169 * 20, 33], 4).tracked();
    let gamma = uniform(&[20], 5).tracked();
    let y = x.conv2d(&k, Some(&b), &Conv2dSpec::new(WindowSpec::new([3, 3]))).relu();
    let pooled = y.max_pool2d(&WindowSpec { stride: [2, 2], ..WindowSpec::new([2, 2]) }, DataFormat::ChannelsLast);
    let normal = pooled.batch_norm(&gamma, &b, -1, 1e-3).0.dropout(0.3, &mut Rng::new(6));
    let logits = normal.flatten(1).matmul(&w);
    let labels = Tensor::arange(0.0, 16.0, 1.0, DType::I64);
    let loss = logits.softmax_cross_entropy(&labels).mean(..);
    let grads = loss.backward();
    let sums = [x.sum(..), x.sum([0, 1, 2]), x.sum(-1), x.mean(0), x.max([1, 2]), x.softmax(-1).sum([0, 1])];
    let mut all: Vec<Tensor> = [&x, &k, &b, &w, &gamma].map(|p| grads.wrt(p).clone()).into();
    all.extend(sums.iter().map(Tensor::detach));
    all.extend([logits.detach(), loss.detach(), uniform(&[100_003], 7), x.detach().exp().tanh()]);
    all
}

#[test]
fn results_have_the_same_bits_on_any_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts");
        pool.install(results)
    };
    let one = on(1);
    for threads in [2, 3, 4, 8] {
        for (i, (got, want)) in on(threads).iter().zip(&one).enumerate() {
            same_bits(got, want).unwrap_or_else(|e| panic!("result {i} on {threads} threads: {e}"));
        }
    }
}
