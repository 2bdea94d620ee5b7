//! The step in burn, on its backend flex.

use crate::digits::{Batches, PIXELS};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::hint::black_box;

#[derive(Module, Debug)]
struct Mlp {
    norm: BatchNorm,
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Self {
        Self {
            norm: BatchNormConfig::new(PIXELS).with_epsilon(1e-3).with_momentum(0.01).init(device),
            hidden: LinearConfig::new(PIXELS, 128).init(device),
            output: LinearConfig::new(128, 10).init(device),
        }
    }

    fn logits(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(self.norm.forward(x))))
    }
}

/// One step of Adam on the next batch, its loss read.
pub fn step(mut batches: Batches) -> Box<dyn FnMut()> {
    let device = Device::flex().autodiff();
    let mut model = Some(Mlp::new(&device));
    let mut optimizer = AdamConfig::new().with_epsilon(1e-7).init();
    let cross_entropy = CrossEntropyLossConfig::new().init(&device);
    Box::new(move || {
        let (images, labels) = batches.next::<i32>();
        let x = Tensor::from_data(TensorData::new(images, [batches.size, PIXELS]), &device);
        let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [batches.size]), &device);
        let before = model.take().expect("it is put back");
        let loss = cross_entropy.forward(before.logits(x), y);
        let grads = GradientsParams::from_grads(loss.backward(), &before);
        model = Some(optimizer.step(1e-3, before, grads));
        black_box(loss.into_scalar::<f32>());
    })
}
