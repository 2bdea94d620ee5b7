//! The step in dfdx.

use crate::digits::{Batches, PIXELS};
use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;
use std::hint::black_box;

type Mlp = (BatchNorm1D<PIXELS>, (Linear<PIXELS, 128>, ReLU), Linear<128, 10>);

/// One step of Adam on the next batch, its loss read.
pub fn step(mut batches: Batches) -> Box<dyn FnMut()> {
    let device = Cpu::default();
    let mut model = device.build_module::<Mlp, f32>();
    (model.0.epsilon, model.0.momentum) = (1e-3, 0.01);
    let adam = AdamConfig { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-7, weight_decay: None };
    let mut optimizer = Adam::new(&model, adam);
    let mut kept = Some(model.alloc_grads());
    Box::new(move || {
        let (images, labels) = batches.next::<u8>();
        let chosen = labels.iter().flat_map(|&label| (0..10).map(move |class| (class == label) as u8 as f32));
        let x = device.tensor_from_vec(images, (batches.size, Const::<PIXELS>));
        let y = device.tensor_from_vec(chosen.collect(), (batches.size, Const::<10>));
        let grads = kept.take().expect("they are put back");
        let loss = cross_entropy_with_logits_loss(model.forward_mut(x.traced(grads)), y);
        black_box(loss.array());
        let mut grads = loss.backward();
        optimizer.update(&mut model, &grads).expect("all parameters are used");
        model.zero_grads(&mut grads);
        kept = Some(grads);
    })
}
