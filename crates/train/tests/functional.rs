//! Functional models: several inputs and outputs, shared layers, models in models, and what is refused.

use cotangent_core::{DType, Device, Result, Rng, Shape, Tensor};
use cotangent_nn::{Activation::*, *};
use cotangent_train::*;

const CPU: Device = Device::Cpu;

fn uniform(shape: impl Into<Shape>, seed: u64) -> Tensor {
    Tensor::uniform(shape, -1.0, 1.0, DType::F32, &mut Rng::new(seed))
}

fn bits(model: &Model) -> Vec<(String, Vec<u32>)> {
    model.params().map(|(path, p)| (path, p.value.to_vec::<f32>().iter().map(|w| w.to_bits()).collect())).collect()
}

fn param(model: &Model, path: &str) -> Tensor {
    model.params().find(|(p, _)| p == path).unwrap_or_else(|| panic!("no {path}")).1.value.clone()
}

#[track_caller]
fn close(a: &Tensor, b: &Tensor) {
    assert_eq!(a.shape(), b.shape());
    let difference = (a - b).abs().max(..).item();
    if !(difference < 1e-6) {
        panic!("they differ by {difference}");
    }
}

#[track_caller]
fn refused<T>(result: Result<T>, parts: &[&str]) {
    let Err(e) = result else { panic!("not refused") };
    let text = e.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn a_chain_is_the_sequential_bit_for_bit() {
    let inputs = Input::new([4, 2]);
    let x = inputs.apply(Flatten);
    let x = x.apply(BatchNorm::new());
    let x = x.apply(Dense::new(6).activation(Relu));
    let x = x.apply(Dropout::new(0.25));
    let outputs = x.apply(Dense::new(3).activation(Softmax));
    assert_eq!((inputs.shape(), outputs.shape()), ([4, 2].into(), [3].into()));
    let mut functional = Model::new(&inputs, &outputs, &CPU, Seed(5)).unwrap();
    let mut sequential = Sequential::new([4, 2])
        .add(Flatten)
        .add(BatchNorm::new())
        .add(Dense::new(6).activation(Relu))
        .add(Dropout::new(0.25))
        .add(Dense::new(3).activation(Softmax))
        .build(&CPU, Seed(5))
        .unwrap();
    let (x, y) = (uniform([20, 4, 2], 1), Tensor::from_vec((0..20).map(|i| i % 3).collect::<Vec<i64>>()));
    let mut histories = Vec::new();
    for model in [&mut functional, &mut sequential] {
        model.compile(Adam::default(), SparseCategoricalCrossentropy, [Accuracy]);
        histories.push(model.fit(&x, &y).epochs(3).batch_size(8).validation(&x, &y).verbose(0).run().unwrap());
    }
    assert_eq!(histories[0], histories[1]);
    assert_eq!(bits(&functional), bits(&sequential));
    assert!(functional.describe().contains("input_layer (InputLayer)"));
    assert!(!functional.describe().contains("Connected to"));
}

/// Two inputs, joined; two outputs from one trunk.
fn two_by_two() -> Model {
    let (image, age) = (Input::named("image", [2, 3]), Input::named("age", [1]));
    let x = image.apply(Flatten);
    let x = [&x, &age].apply(Concatenate::new());
    let x = x.apply(Dense::new(8).activation(Tanh));
    let class = x.apply(Dense::new(3).activation(Softmax).named("class"));
    let size = x.apply(Dense::new(1).named("size"));
    Model::new([&image, &age], [&class, &size], &CPU, Seed(0)).unwrap()
}

#[test]
fn two_inputs_and_two_outputs_are_trained_and_reported_by_name() {
    let (image, age) = (uniform([90, 2, 3], 1), uniform([90, 1], 2));
    let class = image.flatten(1).narrow(1, 0, 3).argmax(1);
    let size = &age * 2.0 + 0.5;
    let mut model = two_by_two();
    let objectives = [
        ("size", Objective::new(MeanSquaredError).weight(0.25).metrics([MeanAbsoluteError])),
        ("class", Objective::new(SparseCategoricalCrossentropy).metrics([Accuracy])),
    ];
    model.compile_outputs(Adam::new(0.02), objectives).unwrap();
    let history = model
        .fit([&image, &age], [&class, &size])
        .epochs(60)
        .validation([&image, &age], [&class, &size])
        .verbose(0)
        .run()
        .unwrap();
    let names: Vec<&str> = history.names().take(5).collect();
    assert_eq!(names, ["loss", "class_loss", "size_loss", "class_accuracy", "size_mean_absolute_error"]);
    assert!(history["val_class_accuracy"][59] > 0.9, "{:?}", &history["val_class_accuracy"]);
    assert!(history["val_size_loss"][59] < 0.05, "{:?}", &history["val_size_loss"]);

    let score = model.evaluate([&image, &age], [&class, &size]).unwrap();
    let sum = score["class_loss"] + 0.25 * score["size_loss"];
    assert!((score.loss - sum).abs() < 1e-6, "{} is not {sum}", score.loss);
    assert_eq!(score.loss, history["val_loss"][59]);

    let predicted = model.predict_all([&image, &age]).unwrap();
    let called = model.call_all([&image, &age]);
    assert_eq!((predicted[0].dims(), predicted[1].dims()), ([90, 3], [90, 1]));
    predicted.iter().zip(&called).for_each(|(a, b)| close(a, b));
    assert!((predicted[0].sum(1).to_vec::<f32>().iter().all(|sum| (sum - 1.0).abs() < 1e-5)));
    refused(model.predict([&image, &age]), &["2 outputs", "predict_all"]);
}

#[test]
fn one_loss_is_that_of_every_output() {
    let (a, b) = (Input::new([2]), Input::new([2]));
    let (y, z) = (a.apply(Dense::new(1)), b.apply(Dense::new(1)));
    let mut model = Model::new([&a, &b], [&y, &z], &CPU, Seed(0)).unwrap();
    model.compile(Sgd::new(0.1), MeanSquaredError, [MeanAbsoluteError]);
    let names = ["loss", "dense_loss", "dense_1_loss", "dense_mean_absolute_error", "dense_1_mean_absolute_error"];
    assert_eq!(model.reports().unwrap(), names);
    let (x, t) = (uniform([8, 2], 1), uniform([8, 1], 2));
    let values = model.train_step([&x, &x], [&t, &t]).unwrap();
    assert!((values[0] - values[1] - values[2]).abs() < 1e-6);
}

#[test]
fn the_bits_do_not_depend_on_the_order_of_objectives_or_threads() {
    let (image, age) = (uniform([40, 2, 3], 1), uniform([40, 1], 2));
    let class = Tensor::from_vec((0..40).map(|i| i % 3).collect::<Vec<i64>>());
    let train = |threads, turned: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = two_by_two();
            let mut objectives =
                [("class", Objective::new(SparseCategoricalCrossentropy)), ("size", Objective::new(MeanSquaredError))];
            if turned {
                objectives.reverse();
            }
            model.compile_outputs(Adam::default(), objectives).unwrap();
            model.fit([&image, &age], [&class, &age]).epochs(2).verbose(0).run().unwrap();
            bits(&model)
        })
    };
    assert_eq!(train(1, false), train(3, true));
}

#[test]
fn a_shared_layer_has_its_parameters_once_and_its_gradients_add_up() {
    let (left, right) = (Input::new([3]), Input::new([3]));
    let embed = Shared::new(Dense::new(2));
    let y = [left.apply(&embed), right.apply(&embed)].apply(Add);
    let model = Model::new([&left, &right], &y, &CPU, Seed(0)).unwrap();
    let paths: Vec<String> = model.params().map(|(path, _)| path).collect();
    assert_eq!(paths, ["dense/kernel", "dense/bias"]);
    let (a, b) = (uniform([4, 3], 1), uniform([4, 3], 2));
    let kernel = param(&model, "dense/kernel");
    close(&model.call([&a, &b]), &(&a + &b).matmul(&kernel));
    let grads = model.call([&a, &b]).sum(..).backward();
    let ones = Tensor::ones([4, 2]);
    close(grads.wrt(&kernel), &(a.transpose(0, 1).matmul(&ones) + b.transpose(0, 1).matmul(&ones)));
    close(grads.wrt(&param(&model, "dense/bias")), &Tensor::full([2], 8.0, DType::F32));
}

#[test]
fn a_shared_convolution_takes_images_of_several_sizes() {
    let (big, small) = (Input::new([8, 8, 1]), Input::new([6, 5, 1]));
    let conv = Shared::new(Conv2d::new(4, (3, 3)).activation(Relu));
    let pooled = [&big, &small].map(|x| x.apply(&conv).apply(GlobalAveragePool2d::default()));
    let y = pooled.apply(Concatenate::new()).apply(Dense::new(1));
    let model = Model::new([&big, &small], &y, &CPU, Seed(0)).unwrap();
    assert_eq!(model.param_count(), 9 * 4 + 4 + 8 + 1);
    assert_eq!(model.predict([&uniform([3, 8, 8, 1], 1), &uniform([3, 6, 5, 1], 2)]).unwrap().dims(), [3, 1]);
}

#[test]
fn shared_batch_norm_follows_the_batch_of_each_input() {
    let (left, right) = (Input::new([1]), Input::new([1]));
    let norm = Shared::new(BatchNorm::new().momentum(0.5));
    let outputs = [left.apply(&norm), right.apply(&norm)].apply(Add);
    let mut model = Model::new([&left, &right], &outputs, &CPU, Seed(0)).unwrap();
    model.compile(Sgd::new(0.0), MeanSquaredError, [Accuracy; 0]);
    let (a, b) = (Tensor::full([4, 1], 8.0, DType::F32), Tensor::full([4, 1], 2.0, DType::F32));
    model.train_step([&a, &b], &a).unwrap();
    // 0 → (0 + 8) / 2 = 4 → (4 + 2) / 2
    assert_eq!(param(&model, "batch_norm/moving_mean").item(), 3.0);
}

#[test]
fn a_residual_block_is_the_identity_plus_what_it_learns() {
    let inputs = Input::new([4]);
    let inner = inputs.apply(Dense::new(inputs.shape()[0]).activation(Relu));
    let outputs = [&inputs, &inner].apply(Add);
    let model = Model::new(&inputs, &outputs, &CPU, Seed(1)).unwrap();
    let x = uniform([5, 4], 3);
    close(&model.call(&x), &(&x + x.matmul(&param(&model, "dense/kernel")).relu()));
}

#[test]
fn a_diamond_sums_the_gradients_of_its_ways() {
    let inputs = Input::new([2]);
    let top = inputs.apply(Dense::new(2).activation(Softmax).named("top")); // its activation is applied once for both
    let (a, b) = (top.apply(Dense::new(2).named("a")), top.apply(Dense::new(2).named("b")));
    let outputs = [&a, &b, &top].apply(Multiply);
    let model = Model::new(&inputs, [&outputs, &top], &CPU, Seed(1)).unwrap();
    let x = uniform([6, 2], 3);
    let [kernel, a, b] = ["top/kernel", "a/kernel", "b/kernel"].map(|path| param(&model, path));
    let top = x.matmul(&kernel).softmax(-1);
    let by_hand = top.matmul(&a) * top.matmul(&b) * &top;
    let called = model.call_all(&x);
    close(&called[0], &by_hand);
    close(&called[1], &top);
    let (grads, wanted) = (called[0].sum(..).backward(), by_hand.sum(..).backward());
    for param in [&kernel, &a, &b] {
        close(grads.wrt(param), wanted.wrt(param));
    }
}

#[test]
fn a_cross_entropy_behind_a_shared_softmax_is_still_computed_from_logits() {
    let inputs = Input::new([1]);
    let saturated = Dense::new(2).kernel_init(Init::Constant(0.0)).activation(Softmax).named("probability");
    let probability = inputs.apply(saturated);
    let other = probability.apply(Dense::new(1).named("other"));
    let mut model = Model::new(&inputs, [&probability, &other], &CPU, Seed(0)).unwrap();
    model
        .params_mut()
        .find(|(path, _)| path == "probability/bias")
        .unwrap()
        .1
        .value
        .set_(&Tensor::from([200.0_f32, 0.0]));
    let objectives = [
        ("probability", Objective::new(SparseCategoricalCrossentropy)),
        ("other", Objective::new(MeanSquaredError).weight(0.0)),
    ];
    model.compile_outputs(Sgd::new(0.1), objectives).unwrap();
    let score = model.evaluate(&Tensor::ones([1, 1]), [&Tensor::from([1_i64]), &Tensor::zeros([1, 1])]).unwrap();
    assert_eq!(score["probability_loss"], 200.0); // softmax itself underflows to 0
}

fn encoder() -> Sequential {
    Sequential::new([6]).name("encoder").add(Dense::new(4).activation(Relu)).add(BatchNorm::new()).add(Dense::new(2))
}

#[test]
fn a_sequential_within_a_model_has_the_weights_it_would_have_flat() {
    let nested = Sequential::new([6]).add(encoder()).add(Dense::new(3)).build(&CPU, Seed(7)).unwrap();
    let flat = Sequential::new([6])
        .add(Dense::new(4).activation(Relu))
        .add(BatchNorm::new())
        .add(Dense::new(2))
        .add(Dense::new(3))
        .build(&CPU, Seed(7))
        .unwrap();
    let values = |model: &Model| bits(model).into_iter().map(|(_, bits)| bits).collect::<Vec<_>>();
    assert_eq!(values(&nested), values(&flat));
    let paths: Vec<String> = nested.params().map(|(path, _)| path).collect();
    assert_eq!((&paths[0][..], &paths[8][..]), ("encoder/dense/kernel", "dense/kernel"));
    assert!(nested.describe().contains("encoder (Sequential)"), "{}", nested.describe());
}

#[test]
fn a_trained_model_within_a_model_keeps_its_weights_and_learns_on() {
    let (x, y) = (uniform([64, 6], 1), uniform([64, 2], 2));
    let mut trained = encoder().build(&CPU, Seed(1)).unwrap();
    trained.compile(Adam::new(0.01), MeanSquaredError, [Accuracy; 0]);
    trained.fit(&x, &y).epochs(2).verbose(0).run().unwrap();
    let (before, answer) = (bits(&trained), trained.call(&x));

    let (left, right) = (Input::new([6]), Input::new([6]));
    let shared = Shared::new(trained);
    let (a, b) = (left.apply(&shared), right.apply(&shared));
    let distance = [&a, &b].apply(Subtract).apply(Dense::new(1));
    let mut twin = Model::new([&left, &right], [&distance, &a], &CPU, Seed(2)).unwrap();
    assert_eq!(bits(twin.submodel("encoder").unwrap()), before);
    close(&twin.call_all([&x, &x])[1], &answer);
    assert!(twin.submodel("dense").is_none());

    twin.compile(Adam::new(0.01), MeanSquaredError, [Accuracy; 0]);
    twin.train_step([&x, &y.matmul(&Tensor::ones([2, 6]))], [&Tensor::zeros([64, 1]), &y]).unwrap();
    let after = bits(twin.submodel("encoder").unwrap());
    for ((path, before), (_, after)) in before.iter().zip(&after) {
        assert_ne!(before, after, "{path} did not move");
    }
    // the part trains by itself too, with the optimizer that it was compiled with
    let (part, rest) = (twin.submodel_mut("encoder").unwrap(), after);
    part.train_step(&x, &y).unwrap();
    assert_ne!(bits(part), rest);
}

#[test]
fn models_of_several_inputs_and_outputs_can_be_layers() {
    let mut model = two_by_two().named("inner");
    model.params_mut().for_each(|(_, p)| p.trainable = false);
    let (image, age) = (Input::new([2, 3]), Input::new([1]));
    let parts = [&image, &age].apply_all(model);
    let outputs = parts.apply(Concatenate::new()).apply(Dense::new(1));
    let outer = Model::new([&image, &age], [&outputs, &parts[0]], &CPU, Seed(0)).unwrap();
    let names: Vec<String> = outer.outputs().map(|(name, _)| name).collect();
    assert_eq!(names, ["dense", "inner_class"]);
    let (x, a) = (uniform([5, 2, 3], 1), uniform([5, 1], 2));
    let called = outer.call_all([&x, &a]);
    close(&called[1], &two_by_two().call_all([&x, &a])[0]);
    assert_eq!(called[0].dims(), [5, 1]);
    let text = outer.describe();
    for part in ["Connected to", "inner (Functional)", "[(None, 3), (None, 1)]", "input_layer_1[0][0]", "inner[0][1]"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_layer_of_ones_own_merges_in_ten_lines() {
    struct Dot;
    impl Merge for Dot {
        fn kind(&self) -> &'static str {
            "Dot"
        }
        fn build(&mut self, _: &[Shape], _: &mut Build) -> Result<Shape> {
            Ok([1].into())
        }
        fn call(&self, x: &[&Tensor], _: &mut Pass) -> Tensor {
            (x[0] * x[1]).sum(1).unsqueeze(1)
        }
    }
    let (a, b) = (Input::new([3]), Input::new([3]));
    let model = Model::new([&a, &b], [&a, &b].apply(Dot), &CPU, Seed(0)).unwrap();
    let (x, y) = (Tensor::from([[1.0_f32, 2.0, 3.0]]), Tensor::from([[4.0_f32, 5.0, 6.0]]));
    assert_eq!(model.call([&x, &y]).item(), 32.0);
}

#[test]
fn depth_overflows_no_stack() {
    let inputs = Input::new([1]);
    let outputs = (0..30_000).fold(inputs.clone(), |x, _| x.apply(Relu));
    let model = Model::new(&inputs, &outputs, &CPU, Seed(0)).unwrap();
    assert_eq!(model.call(&Tensor::from([[2.0_f32]])).item(), 2.0);
    drop((inputs, outputs));
}

#[test]
fn a_model_can_be_sent_to_another_thread() {
    let model = two_by_two();
    let parameters = std::thread::spawn(move || model.param_count()).join().unwrap();
    assert_eq!(parameters, 7 * 8 + 8 + 8 * 3 + 3 + 8 + 1);
}

#[test]
fn the_summary_tells_what_is_connected() {
    let (left, right) = (Input::named("left", [3]), Input::named("right", [3]));
    let embed = Shared::new(Dense::new(2).named("embed"));
    let y = [left.apply(&embed), right.apply(&embed)].apply(Subtract);
    let model = Model::new([&left, &right], &y, &CPU, Seed(0)).unwrap();
    let wanted = "\
Model: \"functional\"
┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━┓
┃ Layer (type)        ┃ Output Shape ┃ Param # ┃ Connected to ┃
┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━┩
│ left (InputLayer)   │ (None, 3)    │       0 │ -            │
│ right (InputLayer)  │ (None, 3)    │       0 │ -            │
│ embed (Dense)       │ (None, 2)    │       8 │ left[0][0]   │
│                     │              │         │ right[0][0]  │
│ subtract (Subtract) │ (None, 2)    │       0 │ embed[0][0]  │
│                     │              │         │ embed[1][0]  │
└─────────────────────┴──────────────┴─────────┴──────────────┘
 Total params: 8 (32.00 B)
 Trainable params: 8 (32.00 B)
 Non-trainable params: 0 (0.00 B)
";
    assert_eq!(model.describe(), wanted);
}

#[test]
fn models_that_make_no_sense_are_refused() {
    let (a, b) = (Input::named("a", [3]), Input::new([4]));
    let y = a.apply(Dense::new(2));
    refused(Model::new(&b, &y, &CPU, Seed(0)), &["no output depends on inputs[0], [N, 4]", "tests/functional.rs"]);
    refused(Model::new([&a, &b], &y, &CPU, Seed(0)), &["no output depends on inputs[1]", "leave it out"]);
    let both = [&y, &b.apply(Dense::new(2))].apply(Add);
    refused(Model::new(&b, &both, &CPU, Seed(0)), &["input that is not listed", "`a` [N, 3]"]);
    refused(Model::new([&a, &a], &y, &CPU, Seed(0)), &["inputs[1], `a` [N, 3]", "listed twice"]);
    refused(Model::new([&y, &b], &both, &CPU, Seed(0)), &["inputs[0], [N, 2] (applied at", "is no input"]);
    refused(Model::new([&a; 0], &y, &CPU, Seed(0)), &["at least one input"]);
    // none of these took a layer
    let model = Model::new(&a, &y, &CPU, Seed(0)).unwrap();
    assert_eq!(model.param_count(), 8);
    refused(Model::new([&a, &b], &both, &CPU, Seed(0)), &["another model", "submodel"]);
}

#[test]
fn shapes_that_do_not_fit_are_refused_with_the_layers_name() {
    let input = Input::new([3, 3]);
    let y = input.apply(Dense::new(2)).apply(Dense::new(4));
    refused(Model::new(&input, &y, &CPU, Seed(0)), &["[build: dense] cannot take", "[3, 3]", "Flatten"]);

    let (a, b) = (Input::new([3]), Input::new([4]));
    let sum = [&a, &b].apply(Add.named("sum"));
    refused(Model::new([&a, &b], &sum, &CPU, Seed(0)), &["build: sum", "[N, 3], [N, 4]"]);

    let both = [&a, &b].apply(Dense::new(2));
    refused(Model::new([&a, &b], &both, &CPU, Seed(0)), &["build: dense", "takes one input", "Concatenate"]);

    let shared = Shared::new(Dense::new(2).named("embed"));
    let y = [a.apply(&shared), b.apply(&shared)].apply(Add);
    refused(Model::new([&a, &b], &y, &CPU, Seed(0)), &["build: embed", "kernel is [3, 2]", "would be [4, 2] here"]);

    let y = a.apply(encoder());
    refused(Model::new(&a, &y, &CPU, Seed(0)), &["build: encoder", "[N, 6]", "[N, 3]"]);

    let y = a.apply(Dense::new(2).named("x")).apply(Dense::new(2).named("x"));
    refused(Model::new(&a, &y, &CPU, Seed(0)), &["two layers are named \"x\""]);
}

#[test]
#[should_panic(expected = "Flatten")]
fn a_symbol_without_a_shape_says_why() {
    Input::new([3, 3]).apply(Dense::new(2)).apply(Relu).shape();
}

#[test]
#[should_panic(expected = "use `apply_all`")]
fn a_model_of_two_outputs_makes_no_single_one() {
    [&Input::new([2, 3]), &Input::new([1])].apply(two_by_two());
}

#[test]
fn data_that_do_not_suit_are_refused_by_name() {
    let (image, age) = (uniform([8, 2, 3], 1), uniform([8, 1], 2));
    let class = Tensor::from_vec(vec![0_i64; 8]);
    let mut model = two_by_two();
    refused(model.evaluate([&image, &age], [&class, &age]), &["not compiled"]);
    let objective = || Objective::new(MeanSquaredError);
    refused(model.compile_outputs(Adam::default(), [("class", objective())]), &["no objective for output \"size\""]);
    refused(model.compile_outputs(Adam::default(), [("klass", objective())]), &["\"klass\"", "named class, size"]);
    let twice = [("size", objective()), ("size", objective())];
    refused(model.compile_outputs(Adam::default(), twice), &["two objectives for output \"size\""]);
    let objectives = [("class", Objective::new(SparseCategoricalCrossentropy)), ("size", objective())];
    model.compile_outputs(Adam::default(), objectives).unwrap();
    let before = bits(&model);

    refused(model.fit(&image, [&class, &age]).run(), &["x is one tensor, the model has 2 inputs"]);
    refused(model.fit([&image, &age], &class).run(), &["y is one tensor, the model has 2 outputs"]);
    refused(model.fit([&age, &image], [&class, &age]).run(), &["x[0] (`image`) has shape [8, 1]", "[N, 2, 3]"]);
    let short = age.narrow(0, 0, 5);
    refused(model.fit([&image, &short], [&class, &age]).run(), &["x[1] (`age`) has 5", "x[0] has 8"]);
    refused(model.fit([&image, &age], [&class, &short]).run(), &["y[1] (`size`) [5, 1] has 5"]);
    refused(model.fit([&image, &age], [&age, &age]).run(), &["y[0] (`class`) does not suit"]);
    refused(model.train_step(&image, &class), &["[train_step] x is one tensor"]);
    let hole = &age * f32::NAN as f64;
    refused(model.train_step([&image, &hole], [&class, &age]), &["x[1] holds NaN"]);
    assert_eq!(bits(&model), before);
}
