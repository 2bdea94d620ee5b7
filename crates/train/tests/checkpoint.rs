//! Checkpoints: training that goes on from one ends as if never interrupted, and a bad one changes nothing.

#[path = "common/folder.rs"]
mod folder;

use cotangent_core::{DType, Device, Error, Result, Rng, Tensor};
use cotangent_data::Safetensors;
use cotangent_nn::{Activation::*, *};
use cotangent_train::{
    EarlyStopping, Fit, History, LambdaCallback, Model, ModelCheckpoint, ReduceLrOnPlateau, Seed, Sequential,
};
use folder::Folder;
use std::fs;
use std::path::Path;

const SAMPLES: usize = 20;
const BATCH: usize = 6;
const STEPS: usize = 4;
const EPOCHS: usize = 3;

fn samples() -> (Tensor, Tensor) {
    let x = Tensor::uniform([SAMPLES, 5], -1.0, 1.0, DType::F32, &mut Rng::new(1));
    let y = Tensor::from_vec((0..SAMPLES as i64).map(|i| i * 7 % 3).collect());
    (x, y)
}

/// Random numbers (dropout), statistics that a layer keeps, an optimizer chosen by the test.
fn network(seed: u64, optimizer: impl Optimizer + 'static) -> Model {
    let mut model = Sequential::new([5])
        .add(Dense::new(7).activation(Relu))
        .add(BatchNorm::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(3).activation(Softmax))
        .build(&Device::Cpu, Seed(seed))
        .unwrap();
    model.compile(
        optimizer,
        SparseCategoricalCrossentropy,
        [Box::new(Accuracy) as Box<dyn Metric>, Box::new(Auc::default())],
    );
    model
}

/// The run that all tests interrupt.
fn fit<'a>(model: &'a mut Model, x: &Tensor, y: &Tensor) -> Fit<'a> {
    model.fit(x, y).batch_size(BATCH).epochs(EPOCHS).validation(x, y).verbose(0)
}

/// The bits of each parameter, and of each column of the history.
type Bits = (Vec<Vec<u32>>, Vec<(String, Vec<u64>)>);

fn bits(model: &Model, history: &History) -> Bits {
    let columns = history.columns().iter();
    (
        model.params().map(|(_, p)| p.value.to_vec::<f32>().iter().map(|x| x.to_bits()).collect()).collect(),
        columns.map(|(name, values)| (name.clone(), values.iter().map(|x| x.to_bits()).collect())).collect(),
    )
}

/// Trains until `steps` steps are done, writing a checkpoint at each, and breaks off there.
fn break_off(mut model: Model, path: &Path, steps: usize) {
    let (x, y) = samples();
    let mut done = 0;
    let crash = LambdaCallback::on_batch_end(|_| {
        done += 1;
        if done > steps { Err(Error::new("test", "the power is out")) } else { Ok(()) }
    });
    let result = fit(&mut model, &x, &y).callback(ModelCheckpoint::new(path).save_freq(1)).callback(crash).run();
    assert!(result.unwrap_err().to_string().contains("the power is out"));
}

fn on_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// Breaks a run off at each of `breaks`, and holds the run that goes on from there against one in one piece.
fn goes_on_as_if_never_interrupted<O: Optimizer + 'static>(
    test: &str,
    optimizer: impl Fn() -> O + Sync,
    breaks: impl IntoIterator<Item = usize>,
) {
    let (folder, (x, y)) = (Folder::new(test), samples());
    let path = folder.file("run.safetensors");
    let mut whole = network(1, optimizer());
    let history = fit(&mut whole, &x, &y).run().unwrap();
    let wanted = bits(&whole, &history);
    for steps in breaks {
        break_off(network(1, optimizer()), &path, steps);
        let went_on = on_threads(1 + steps % 3, || {
            // other weights and random numbers, all to be replaced
            let mut model = network(2, optimizer());
            let history = fit(&mut model, &x, &y).resume(&path).run().unwrap();
            bits(&model, &history)
        });
        assert_eq!(went_on, wanted, "{test}: broken off after {steps} steps");
    }
}

#[test]
fn resumed_at_any_step_the_result_is_the_same_to_the_bit() {
    goes_on_as_if_never_interrupted("resume-adam", || Adam::new(0.05), 1..EPOCHS * STEPS);
}

/// What an optimizer says it keeps is what it keeps.
#[test]
fn slots_have_names() {
    let (x, y) = samples();
    let optimizers: [Box<dyn Optimizer>; 12] = [
        Box::new(Sgd::new(0.1)),
        Box::new(Sgd::new(0.1).momentum(0.9)),
        Box::new(Sgd::new(0.1).momentum(0.9).nesterov(true)),
        Box::new(RmsProp::default()),
        Box::new(RmsProp::default().momentum(0.5)),
        Box::new(RmsProp::default().centered(true)),
        Box::new(RmsProp::default().centered(true).momentum(0.5)),
        Box::new(Adadelta::default()),
        Box::new(Adagrad::default()),
        Box::new(Adam::default()),
        Box::new(Adam::default().amsgrad(true)),
        Box::new(AdamW::default()),
    ];
    for optimizer in optimizers {
        let mut model = network(1, optimizer);
        model.train_step(&x, &y).unwrap();
        let (optimizer, (_, kernel)) = (model.optimizer().unwrap(), model.params().next().unwrap());
        assert_eq!(optimizer.state().get(&kernel.value).len(), optimizer.slot_names().len(), "{}", optimizer.name());
    }
}

#[test]
fn every_optimizer_goes_on() {
    let breaks = || [2, STEPS, STEPS + 3];
    goes_on_as_if_never_interrupted("resume-sgd", || Sgd::new(0.1).momentum(0.9), breaks());
    goes_on_as_if_never_interrupted("resume-rmsprop", || RmsProp::new(0.01).centered(true), breaks());
    goes_on_as_if_never_interrupted("resume-adadelta", Adadelta::default, breaks());
    goes_on_as_if_never_interrupted("resume-adagrad", Adagrad::default, breaks());
    // skipped at first, and again whenever the scale has doubled
    let scale = LossScale::Dynamic { initial: 2f64.powi(126), growth_steps: 2 };
    let scaled = || Adam::new(0.05).loss_scale(scale);
    goes_on_as_if_never_interrupted("resume-loss-scale", scaled, 1..2 * STEPS);
    let everything = || AdamW::new(CosineDecay::new(0.05, 12)).average(0.9).accumulate(3).clip(Clip::GlobalNorm(0.5));
    goes_on_as_if_never_interrupted("resume-adamw", everything, breaks());
}

#[test]
fn callbacks_remember() {
    let (folder, (x, y)) = (Folder::new("resume-callbacks"), samples());
    let path = folder.file("run.safetensors");
    let run = |model: &mut Model, broken: Option<usize>, resume: bool| -> Result<(History, Option<usize>, f64)> {
        let mut stopping = EarlyStopping::new("val_loss").patience(2).min_delta(0.3).restore_best_weights(true);
        let mut epochs = 0;
        let crash = LambdaCallback::on_epoch_end(|_| {
            epochs += 1;
            if Some(epochs) == broken { Err(Error::new("test", "the power is out")) } else { Ok(()) }
        });
        let fit = fit(model, &x, &y).epochs(9).callback(&mut stopping);
        let fit = fit.callback(ReduceLrOnPlateau::new("loss").min_delta(0.3).patience(1)).callback(crash);
        let fit = fit.callback(ModelCheckpoint::new(&path));
        let history = if resume { fit.resume(&path).run()? } else { fit.run()? };
        Ok((history, stopping.stopped_epoch(), model.optimizer().unwrap().learning_rate()))
    };
    let mut whole = network(1, Sgd::new(0.5));
    let (history, stopped, rate) = run(&mut whole, None, false).unwrap();
    assert!(stopped.is_some() && rate < 0.5, "both callbacks did something: {stopped:?}, {rate}");
    let wanted = bits(&whole, &history);
    for epochs in 2..=history.epochs() {
        run(&mut network(1, Sgd::new(0.5)), Some(epochs), false).unwrap_err();
        let mut model = network(2, Sgd::new(0.5));
        let (history, again, rate_again) = run(&mut model, None, true).unwrap();
        assert_eq!((bits(&model, &history), again, rate_again), (wanted.clone(), stopped, rate), "epoch {epochs}");
    }
}

#[test]
fn a_complete_run_has_nothing_to_add() {
    let (folder, (x, y)) = (Folder::new("resume-complete"), samples());
    let path = folder.file("run.safetensors");
    let mut model = network(1, Adam::new(0.05));
    let history = fit(&mut model, &x, &y).callback(ModelCheckpoint::new(&path)).run().unwrap();
    let written = fs::read(&path).unwrap();
    let mut again = network(2, Adam::new(0.05));
    let resumed = fit(&mut again, &x, &y).resume(&path).run().unwrap();
    assert_eq!(bits(&again, &resumed), bits(&model, &history));
    // three epochs more are the same, in one run or two
    let longer = fit(&mut again, &x, &y).epochs(EPOCHS + 3).resume(&path).run().unwrap();
    let mut whole = network(1, Adam::new(0.05));
    let history = fit(&mut whole, &x, &y).epochs(EPOCHS + 3).run().unwrap();
    assert_eq!(bits(&again, &longer), bits(&whole, &history));
    // the file depends on the state alone
    fit(&mut network(1, Adam::new(0.05)), &x, &y).callback(ModelCheckpoint::new(&path)).run().unwrap();
    assert!(fs::read(&path).unwrap() == written);
    assert_eq!(folder.names(), ["run.safetensors"]);
}

#[test]
fn the_parameters_alone_can_be_taken_from_a_checkpoint() {
    let (folder, (x, y)) = (Folder::new("resume-load"), samples());
    let path = folder.file("run.safetensors");
    let mut model = network(1, Adam::new(0.05));
    fit(&mut model, &x, &y).callback(ModelCheckpoint::new(&path)).run().unwrap();
    let mut other = network(2, Sgd::default());
    other.load(&path).unwrap();
    assert_eq!(bits(&other, &History::default()), bits(&model, &History::default()));
}

/// Fails unless resuming `model` fails with `parts` in its message and leaves the model as it was.
#[track_caller]
fn refuses(model: &mut Model, parts: &[&str], set: impl for<'a> FnOnce(Fit<'a>) -> Fit<'a>) {
    let (x, y) = samples();
    let before = bits(model, &History::default());
    let (steps, rate) = (model.optimizer().unwrap().state().steps(), model.optimizer().unwrap().learning_rate());
    let text = set(fit(model, &x, &y)).run().expect_err("an error").to_string();
    parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in: {text}"));
    assert_eq!(bits(model, &History::default()), before, "{text}");
    assert_eq!(model.optimizer().unwrap().state().steps(), steps);
    assert_eq!(model.optimizer().unwrap().learning_rate(), rate);
}

#[test]
fn files_that_are_no_sound_checkpoint_are_refused() {
    let folder = Folder::new("resume-unsound");
    let path = folder.file("run.safetensors");
    let mut model = network(2, Adam::new(0.01));
    let mut refuses = |parts: &[&str]| refuses(&mut model, parts, |fit| fit.resume(&path));
    refuses(&["run.safetensors", "cannot open the file"]);
    fs::write(&path, b"").unwrap();
    refuses(&["run.safetensors", "not a safetensors file", "empty"]);
    fs::write(&path, b"PK\x03\x04 and whatever else").unwrap();
    refuses(&["not a safetensors file", "zip"]);
    network(1, Adam::new(0.05)).save(&path).unwrap();
    refuses(&["no course of training", "model.load"]);

    break_off(network(1, Adam::new(0.05)), &path, 5);
    let bytes = fs::read(&path).unwrap();
    for length in [4, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        refuses(&["run.safetensors"]);
    }
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    refuses(&["truncated"]);
    for i in 0..200 {
        let mut flipped = bytes.clone();
        let bit = i * flipped.len() * 8 / 200 + i % 8;
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, flipped).unwrap();
        refuses(&["run.safetensors"]);
    }
    let mut newer = Safetensors::new();
    newer.insert_text("checkpoint", "2");
    newer.write(&path).unwrap();
    refuses(&["a checkpoint of format 2; this version reads up to 1"]);
}

#[test]
fn checkpoints_of_another_run_are_refused() {
    let folder = Folder::new("resume-foreign");
    let path = folder.file("run.safetensors");
    break_off(network(1, Adam::new(0.05)), &path, 5);
    let path = &path;
    refuses(&mut network(2, Sgd::new(0.1)), &["of the optimizer adam", "compiled with sgd"], |fit| fit.resume(path));

    let parts = ["adam keeps [m v] of each parameter, the model's keeps [m v greatest_v]"];
    refuses(&mut network(2, Adam::new(0.1).amsgrad(true)), &parts, |fit| fit.resume(path));

    let mut other = Sequential::new([5]).add(Dense::new(4)).add(Dense::new(3)).build(&Device::Cpu, Seed(1)).unwrap();
    other.compile(Adam::new(0.05), SparseCategoricalCrossentropy, [Accuracy]);
    let parts = ["misshapen: dense/kernel is f32 [5, 7], the model's f32 [5, 4]", "surplus: batch_norm/gamma"];
    refuses(&mut other, &parts, |fit| fit.resume(path));

    let mut other = network(2, Adam::new(0.05));
    other.compile(Adam::new(0.05), SparseCategoricalCrossentropy, [Accuracy]);
    refuses(&mut other, &["reports [\"loss\", \"accuracy\", \"auc\"]", "same metrics"], |fit| fit.resume(path));

    let mut model = network(2, Adam::new(0.05));
    let parts = ["amid an epoch of 20 samples in batches of 6, shuffled", "has 20 samples in batches of 5, shuffled"];
    refuses(&mut model, &parts, |fit| fit.resume(path).batch_size(5));
    refuses(&mut model, &["in batches of 6, in order"], |fit| fit.resume(path).shuffle(false));
    let (x, _) = samples();
    let parts = ["checksum", "this run has 20 samples in batches of 6, shuffled", "go on with the data"];
    let weights = Tensor::full([SAMPLES], 2.0, DType::F32);
    refuses(&mut model, &parts, |fit| fit.resume(path).sample_weight(&weights));
    let (_, y) = samples();
    let text = fit(&mut model, &(x + 1e-3), &y).resume(path).run().expect_err("other data").to_string();
    assert!(text.contains(parts[0]) && text.contains(parts[2]), "{text}");
    let parts = ["a run with 0 callbacks that remember something, not 1", "same callbacks"];
    refuses(&mut model, &parts, |fit| fit.resume(path).callback(EarlyStopping::new("loss")));
}

#[test]
fn a_callbacks_foreign_memory_is_refused() {
    let (folder, (x, y)) = (Folder::new("resume-memory"), samples());
    let path = folder.file("run.safetensors");
    let mut model = network(1, Adam::new(0.05));
    let fit = fit(&mut model, &x, &y).callback(ReduceLrOnPlateau::new("loss"));
    fit.callback(ModelCheckpoint::new(&path)).run().unwrap();
    let path = &path;
    let parts = ["early_stopping", "no \"best_epoch\""];
    refuses(&mut network(2, Adam::new(0.01)), &parts, |fit| fit.resume(path).callback(EarlyStopping::new("loss")));
}

#[test]
fn the_path_and_the_choice_of_moments_are_kerass() {
    let (folder, (x, y)) = (Folder::new("model-checkpoint"), samples());
    let train = |callback: ModelCheckpoint| {
        let mut model = network(1, Sgd::new(0.1));
        fit(&mut model, &x, &y).callback(callback).run().map(|history| (model, history))
    };
    let (model, history) = train(ModelCheckpoint::new(folder.file("{epoch:02}-{val_loss:.3}.safetensors"))).unwrap();
    let wanted: Vec<String> =
        (0..EPOCHS).map(|i| format!("{:02}-{:.3}.safetensors", i + 1, history["val_loss"][i])).collect();
    assert_eq!(folder.names(), wanted);
    let mut last = network(2, Sgd::new(0.1));
    last.load(folder.file(&wanted[EPOCHS - 1])).unwrap();
    assert_eq!(bits(&last, &history), bits(&model, &history));
    wanted.iter().for_each(|name| fs::remove_file(folder.file(name)).unwrap());

    let weights = ModelCheckpoint::new(folder.file("{epoch}.npz")).save_weights_only(true).save_best_only("val_loss");
    let (_, history) = train(weights).unwrap();
    let best = |i: &usize| history["val_loss"][..*i].iter().all(|before| history["val_loss"][*i] < *before);
    let wanted: Vec<String> = (0..EPOCHS).filter(best).map(|i| format!("{}.npz", i + 1)).collect();
    assert_eq!(folder.names(), wanted);

    for (callback, part) in [
        (ModelCheckpoint::new(folder.file("a")).save_freq(0), "save_freq is 0"),
        (ModelCheckpoint::new(folder.file("a")).save_freq(2).save_best_only("loss"), "after an epoch, not amid one"),
        (ModelCheckpoint::new(folder.file("a")).save_best_only("los"), "\"los\""),
        (ModelCheckpoint::new(folder.file("{los}")), "nothing reports \"los\""),
        (ModelCheckpoint::new(folder.file("b/a")), "[model_checkpoint] no checkpoint can be written to"),
        (ModelCheckpoint::new(folder.file("1.npz/a")), "there is no folder"),
        (ModelCheckpoint::new(folder.file("b{epoch}/a")), "b1/a] cannot write the file"),
        (ModelCheckpoint::new(folder.file("a")).save_weights_only(true), "the name does not tell the file's format"),
    ] {
        let text = train(callback).err().expect("an error").to_string();
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert_eq!(folder.names(), wanted, "failures leave nothing");
}
