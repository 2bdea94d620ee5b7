//! The step in candle.

use crate::digits::{Batches, PIXELS};
use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Linear, Module, ModuleT, Optimizer, ParamsAdamW, VarBuilder, VarMap, batch_norm,
    linear, loss,
};
use std::hint::black_box;

struct Mlp {
    norm: BatchNorm,
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(vars: VarBuilder) -> Result<Self> {
        let norm = BatchNormConfig { eps: 1e-3, momentum: 0.01, ..Default::default() };
        Ok(Self {
            norm: batch_norm(PIXELS, norm, vars.pp("norm"))?,
            hidden: linear(PIXELS, 128, vars.pp("hidden"))?,
            output: linear(128, 10, vars.pp("output"))?,
        })
    }

    fn logits(&self, x: &Tensor) -> Result<Tensor> {
        self.output.forward(&self.hidden.forward(&self.norm.forward_t(x, true)?)?.relu()?)
    }
}

/// One step of Adam on the next batch, its loss read.
pub fn step(batches: Batches) -> Box<dyn FnMut()> {
    let mut step = prepared(batches).expect("the model is sound");
    Box::new(move || {
        black_box(step().expect("a step"));
    })
}

fn prepared(mut batches: Batches) -> Result<impl FnMut() -> Result<f32>> {
    let (vars, device) = (VarMap::new(), Device::Cpu);
    let model = Mlp::new(VarBuilder::from_varmap(&vars, DType::F32, &device))?;
    let adam = ParamsAdamW { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-7, weight_decay: 0.0 };
    let mut optimizer = AdamW::new(vars.all_vars(), adam)?;
    Ok(move || {
        let (images, labels) = batches.next::<u32>();
        let x = Tensor::from_vec(images, (batches.size, PIXELS), &device)?;
        let y = Tensor::from_vec(labels, batches.size, &device)?;
        let loss = loss::cross_entropy(&model.logits(&x)?, &y)?;
        optimizer.backward_step(&loss)?;
        loss.to_scalar::<f32>()
    })
}
