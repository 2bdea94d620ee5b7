//! Training gives the same bits on every run, on any number of threads, wherever the data lies in memory.

use cotangent::prelude::*;
use sha2::{Digest, Sha256};

const STEPS: usize = 200;
const BATCH: usize = 32;

/// Numbers in a buffer of their own, `shift` elements after its start.
fn shifted(values: &Tensor, shift: usize) -> Tensor {
    let flat = values.flatten(0).pad(&[(shift, 0)], 0.0);
    let view = flat.slice(0, shift as isize..).reshape(values.shape());
    assert_eq!(view.layout().offset, shift);
    view
}

/// The digest of losses, weights and the optimizer's state after training a small convolutional network.
fn trained(shift: usize) -> String {
    let mut model = Sequential::new([12, 12, 1])
        .add(Conv2d::new(8, (3, 3)).activation(Relu))
        .add(Conv2d::new(12, (3, 3)).activation(Relu))
        .add(MaxPool2d::new((2, 2)))
        .add(Dropout::new(0.25))
        .add(Flatten)
        .add(BatchNorm::new())
        .add(Dense::new(32).activation(Relu))
        .add(Dense::new(10).activation(Softmax))
        .build(&Device::Cpu, Seed(3))
        .expect("the shapes fit");
    model.compile(Adadelta::new(1.0), SparseCategoricalCrossentropy, [Accuracy]);
    for (_, param) in model.params_mut().filter(|(_, param)| param.trainable) {
        param.value = shifted(&param.value.detach(), shift).tracked();
    }
    let mut rng = Rng::new(5);
    let x = Tensor::uniform([BATCH, 12, 12, 1], 0.0, 1.0, DType::F32, &mut rng);
    let y = Tensor::from_vec((0..BATCH as i64).map(|i| i * 7 % 10).collect());
    let mut digest = Sha256::new();
    for _ in 0..STEPS {
        let values = model.train_step(&shifted(&x, shift), &y).expect("a step succeeds");
        values.iter().for_each(|v| digest.update(v.to_le_bytes()));
    }
    let mut hash = |x: &Tensor| x.detach().to_vec::<f32>().iter().for_each(|v| digest.update(v.to_le_bytes()));
    let state = model.optimizer().expect("the model is compiled").state();
    let mut kept = 0;
    for (_, param) in model.params() {
        hash(&param.value);
        state.get(&param.value).iter().for_each(&mut hash);
        kept += state.get(&param.value).len();
    }
    assert!(kept >= 20, "Adadelta keeps two tensors of each parameter, and here are {kept}");
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn two_hundred_steps_have_one_digest() {
    let on = |threads: usize, shift: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts");
        pool.install(|| trained(shift))
    };
    let first = on(1, 0);
    for threads in [1, 2, 3, 4, 8] {
        // 0, 4, 20 and 60 bytes
        for shift in [0, 1, 5, 15] {
            for run in 1..=3 {
                assert_eq!(on(threads, shift), first, "{threads} threads, {shift} elements further, run {run}");
            }
        }
    }
}
