use super::*;
use crate::{EarlyStopping, Fit, Seed, Sequential};
use cotangent_core::{DType, Device, Rng, Tensor};
use cotangent_nn::{Activation::*, *};

/// Has training end after so many steps, and keeps the cursor, as a checkpoint does.
struct Interrupter {
    after: usize,
    steps: usize,
    cursor: Option<Cursor>,
}

impl Interrupter {
    fn after(steps: usize) -> Self {
        Self { after: steps, steps: 0, cursor: None }
    }
}

impl Callback for Interrupter {
    fn on_batch_end(&mut self, context: &mut Context) -> Result<()> {
        self.steps += 1;
        context.cursor.history.set_interrupted(self.steps == self.after);
        Ok(())
    }

    fn on_train_end(&mut self, context: &mut Context) -> Result<()> {
        self.cursor = Some(context.cursor.clone());
        Ok(())
    }

    fn runs_last(&self) -> bool {
        true
    }
}

fn model() -> Model {
    let mut model = Sequential::new([3])
        .add(Dense::new(8).activation(Tanh))
        .add(Dropout::new(0.25))
        .add(BatchNorm::new())
        .add(Dense::new(2).activation(Softmax))
        .build(&Device::Cpu, Seed(3))
        .unwrap();
    let optimizer = Adam::new(ExponentialDecay::new(0.1, 3, 0.5)).average(0.5).accumulate(2);
    model.compile(optimizer, SparseCategoricalCrossentropy, [Precision::default()]);
    model
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.params().map(|(_, p)| p.value.to_vec()).collect()
}

fn fit<'a>(model: &'a mut Model, x: &Tensor, y: &Tensor) -> Fit<'a> {
    model.fit(x, y).batch_size(5).epochs(5).validation_split(0.2).verbose(0)
}

/// Training of five epochs of four steps, the last one smaller, that was interrupted after `steps` of them, or not at
/// all if there are fewer.
fn trained(steps: usize) -> (Vec<Vec<f32>>, History) {
    let x = Tensor::uniform([22, 3], -1.0, 1.0, DType::F32, &mut Rng::new(1));
    let y = x.narrow(1, 0, 2).argmax(1);
    let mut model = model();
    let stopping = || EarlyStopping::new("val_loss").patience(2).restore_best_weights(true);
    let mut interrupter = Interrupter::after(steps);
    let history = fit(&mut model, &x, &y).callback(stopping()).callback(&mut interrupter).run().unwrap();
    if !history.interrupted() {
        return (weights(&model), history);
    }
    let mut run = fit(&mut model, &x, &y).callback(stopping()).start().unwrap();
    run.cursor = interrupter.cursor.unwrap();
    run.cursor.callbacks.truncate(1);
    let history = run.go().unwrap();
    (weights(&model), history)
}

#[test]
fn a_run_goes_on_from_any_step_as_if_it_had_never_ended() {
    let whole = trained(usize::MAX);
    for steps in 1..4 * whole.1.epochs() {
        let (weights, history) = trained(steps);
        assert_eq!(history, whole.1, "interrupted after {steps} steps");
        assert_eq!(weights, whole.0, "interrupted after {steps} steps");
    }
}
