//! The callbacks that decide: stopping, learning rates.

use crate::{points, refused, regression, weights};
use cotangent_core::{DType, Device, Result};
use cotangent_nn::*;
use cotangent_train::{
    Callback, EarlyStopping, History, LambdaCallback, LearningRateScheduler, Mode, Model, ReduceLrOnPlateau, Seed,
    Sequential, TerminateOnNan,
};

/// Trains with a validation loss that is made up, one value for each epoch, and a callback that watches it.
fn with_losses(model: &mut Model, losses: &[f64], callback: impl Callback) -> Result<History> {
    let (x, y) = points(20);
    let feign = LambdaCallback::on_epoch_end(|context| {
        let loss = losses[context.epoch()];
        context.logs.set("val_loss", loss);
        context.logs.set("val_accuracy", -loss);
        Ok(())
    });
    model.fit(&x, &y).epochs(losses.len()).validation(&x, &y).callback(feign).callback(callback).verbose(0).run()
}

/// After which epoch (from 0 on) training stopped, and the best value and its epoch.
#[track_caller]
fn stops(mut stopping: EarlyStopping, losses: &[f64], at: Option<usize>, best: (f64, usize)) {
    let history = with_losses(&mut regression(Sgd::new(0.1)), losses, &mut stopping).unwrap();
    assert_eq!((stopping.stopped_epoch(), stopping.best()), (at, Some(best)));
    assert_eq!(history.epochs(), at.map_or(losses.len(), |epoch| epoch + 1));
}

#[test]
fn training_stops_when_it_ceases_to_get_better() {
    let watch = || EarlyStopping::new("val_loss");
    let losses = [5.0, 3.0, 4.0, 3.0, 2.0, 2.5];
    stops(watch(), &losses, Some(2), (3.0, 1));
    stops(watch().patience(2), &losses, Some(3), (3.0, 1));
    stops(watch().patience(3), &losses, None, (2.0, 4));
    stops(watch().patience(3).min_delta(1.5), &losses, Some(4), (3.0, 1));
    stops(watch().patience(2).baseline(2.5), &losses, Some(2), (3.0, 1));
    stops(watch().start_from_epoch(2), &losses, Some(5), (2.0, 4));
    stops(watch().mode(Mode::Max), &losses, Some(1), (5.0, 0));
    stops(EarlyStopping::new("val_accuracy"), &losses, Some(2), (-3.0, 1));
    stops(watch(), &[5.0, f64::NAN, 1.0], Some(1), (5.0, 0));
}

#[test]
fn the_best_weights_come_back() {
    for restore in [true, false] {
        let mut model = regression(Sgd::new(0.5));
        let mut after = Vec::new();
        let (x, y) = points(20);
        let losses = [5.0, 3.0, 4.0, 6.0];
        let keep = LambdaCallback::on_epoch_end(|context| {
            after.push(weights(context.model));
            context.logs.set("val_loss", losses[context.epoch()]);
            Ok(())
        });
        let stopping = EarlyStopping::new("val_loss").patience(2).restore_best_weights(restore);
        model.fit(&x, &y).epochs(9).validation(&x, &y).callback(keep).callback(stopping).verbose(0).run().unwrap();
        assert_eq!(after.len(), 4);
        assert_ne!(after[1], after[3]);
        assert_eq!(weights(&model), after[if restore { 1 } else { 3 }]);
    }
}

#[test]
fn the_learning_rate_falls_on_a_plateau() {
    let rates = |callback: ReduceLrOnPlateau, losses: &[f64]| {
        with_losses(&mut regression(Sgd::new(1.0)), losses, callback).unwrap()["learning_rate"].to_vec()
    };
    let flat = [1.0; 7];
    let reduce = || ReduceLrOnPlateau::new("val_loss").factor(0.5).patience(2);
    assert_eq!(rates(reduce(), &flat), [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(rates(reduce().cooldown(2), &flat), [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
    assert_eq!(rates(reduce().min_lr(0.4), &flat), [1.0, 1.0, 1.0, 0.5, 0.5, 0.4, 0.4]);
    assert_eq!(rates(reduce(), &[3.0, 2.0, 2.00005, 1.99995, 1.0, 0.9]), [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]);
}

#[test]
fn a_function_of_the_epoch_sets_the_learning_rate() {
    let (x, y) = points(20);
    let mut model = regression(Sgd::new(0.5));
    let halve = LearningRateScheduler::new(|epoch, rate| if epoch == 0 { rate } else { rate / 2.0 });
    let history = model.fit(&x, &y).epochs(3).callback(halve).verbose(0).run().unwrap();
    assert_eq!(history["learning_rate"], [0.5, 0.25, 0.125]);
    let schedule = StepDecay::new(0.5, 1, 0.1);
    let mut scheduled = regression(Adam::new(schedule));
    let fit = scheduled.fit(&x, &y).callback(LearningRateScheduler::new(|_, rate| rate)).verbose(0).run();
    refused(fit, &["follows the optimizer's schedule", "hint"]);
}

#[test]
fn a_loss_without_bounds_ends_the_training() {
    let (x, y) = points(64);
    let mut model = Sequential::new([4]).add(Dense::new(3)).build(&Device::Cpu, Seed(0)).unwrap();
    model.compile(Sgd::new(1e30), MeanSquaredError, [] as [Accuracy; 0]);
    let y = y.one_hot(3, DType::F32);
    let mut steps = 0;
    let count = LambdaCallback::on_batch_end(|_| {
        steps += 1;
        Ok(())
    });
    let fit = model.fit(&x, &y).batch_size(8).epochs(5).callback(TerminateOnNan).callback(count).verbose(0);
    let history = fit.run().unwrap();
    assert_eq!((history.epochs(), history["loss"][0].is_finite()), (1, false));
    assert!(steps < 8, "{steps}");
}

#[test]
fn what_cannot_be_watched_is_refused_before_the_first_step() {
    let (x, y) = points(20);
    let mut model = regression(Sgd::new(0.5));
    let before = weights(&model);
    let fit = model.fit(&x, &y).callback(EarlyStopping::new("val_loss")).verbose(0).run();
    refused(fit, &["[early_stopping]", "\"val_loss\"", "[\"loss\", \"accuracy\"]", "validation_split"]);
    let fit = model.fit(&x, &y).validation(&x, &y).callback(ReduceLrOnPlateau::new("val_auc")).verbose(0).run();
    refused(fit, &["[reduce_lr_on_plateau]", "\"val_accuracy\"", "compile the model with that metric"]);
    let fit = model.fit(&x, &y).callback(ReduceLrOnPlateau::new("loss").factor(1.5)).verbose(0).run();
    refused(fit, &["factor 1.5"]);
    let fit = model.fit(&x, &y).callback(EarlyStopping::new("loss").min_delta(-1.0)).verbose(0).run();
    refused(fit, &["min_delta is -1"]);
    assert_eq!(weights(&model), before);
}
