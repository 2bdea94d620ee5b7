//! Parameters in files, and out of them.

#[path = "common/folder.rs"]
mod folder;

use cotangent_core::{DType, Device, Tensor};
use cotangent_data::{Safetensors, write_npz};
use cotangent_nn::{Activation::*, *};
use cotangent_train::{Model, Seed, Sequential};
use folder::Folder;
use std::fs;

fn network(seed: u64, units: usize) -> Model {
    Sequential::new([4, 4, 1])
        .add(Conv2d::new(2, (2, 2)).activation(Relu))
        .add(BatchNorm::new())
        .add(Flatten)
        .add(Dense::new(units).named("head"))
        .build(&Device::Cpu, Seed(seed))
        .unwrap()
}

/// Every bit of every parameter.
fn bits(model: &Model) -> Vec<(String, Vec<u32>)> {
    let bits = |value: &Tensor| value.to_vec::<f32>().iter().map(|x| x.to_bits()).collect();
    model.params().map(|(name, param)| (name, bits(&param.value))).collect()
}

#[track_caller]
fn says<T>(result: cotangent_core::Result<T>, parts: &[&str]) {
    let text = result.err().expect("an error").to_string();
    parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in: {text}"));
}

#[test]
fn both_formats_hold_every_bit() {
    let folder = Folder::new("weights");
    let mut model = network(1, 3);
    for (_, param) in model.params_mut().filter(|(name, _)| name == "head/bias") {
        param.value.set_(&Tensor::from([f32::NAN, -0.0, f32::MIN_POSITIVE / 4.0]));
    }
    for name in ["a.safetensors", "a.npz"] {
        let (path, mut other) = (folder.file(name), network(2, 3));
        assert_ne!(bits(&other), bits(&model));
        model.save(&path).unwrap();
        other.load(&path).unwrap();
        assert_eq!(bits(&other), bits(&model), "{name}");
    }
}

#[test]
fn what_was_loaded_can_be_trained() {
    let folder = Folder::new("weights-train");
    let path = folder.file("a.safetensors");
    let (x, y) = (Tensor::ones([8, 4, 4, 1]), Tensor::zeros([8, 3]));
    let step = |model: &mut Model| {
        model.compile(Adam::default(), MeanSquaredError, [MeanAbsoluteError]);
        model.train_step(&x, &y).unwrap();
    };
    let (mut model, mut other) = (network(1, 3), network(2, 3));
    model.save(&path).unwrap();
    other.load(&path).unwrap();
    let before = bits(&other);
    step(&mut model);
    step(&mut other);
    assert_ne!(bits(&other), before);
    assert_eq!(bits(&other), bits(&model));
}

#[test]
fn floats_of_another_width_are_converted() {
    let folder = Folder::new("weights-width");
    let (model, mut other) = (network(1, 3), network(2, 3));
    let wide: Vec<_> = model.params().map(|(name, param)| (name, param.value.detach().cast(DType::F64))).collect();
    write_npz(folder.file("a.npz"), wide.iter().map(|(name, value)| (name.clone(), value))).unwrap();
    other.load(folder.file("a.npz")).unwrap();
    assert_eq!(bits(&other), bits(&model));
}

#[test]
fn everything_that_does_not_fit_is_listed_and_nothing_is_taken() {
    let folder = Folder::new("weights-misfit");
    let mut file = Safetensors::new();
    for (name, param) in network(1, 5).params().filter(|(name, _)| !name.starts_with("batch_norm")) {
        file.insert(name, param.value.detach());
    }
    file.insert("conv2d/bias", Tensor::from([1_i64, 2]));
    file.insert("fc/kernel", Tensor::zeros([2, 2]));
    let path = folder.file("a.safetensors");
    file.write(&path).unwrap();
    let mut model = network(2, 3);
    let before = bits(&model);
    let wrong = [
        "a.safetensors",
        "missing: batch_norm/gamma f32 [2]",
        "missing: batch_norm/beta",
        "missing: batch_norm/moving_mean",
        "missing: batch_norm/moving_variance",
        "misshapen: head/kernel is f32 [18, 5], the model's f32 [18, 3]",
        "misshapen: head/bias is f32 [5], the model's f32 [3]",
        "misshapen: conv2d/bias is i64 [2], the model's f32 [2]",
        "surplus: fc/kernel f32 [2, 2]",
        "the model is as it was",
    ];
    says(model.load(&path), &wrong);
    assert_eq!(bits(&model), before);
}

#[test]
fn files_that_cannot_be_read_leave_the_model_as_it_was() {
    let folder = Folder::new("weights-unreadable");
    let mut model = network(1, 3);
    let before = bits(&model);
    says(model.load(folder.file("absent.npz")), &["absent.npz", "cannot open"]);
    fs::write(folder.file("a.h5"), b"\x89HDF\r\n\x1a\n").unwrap();
    says(model.load(folder.file("a.h5")), &["a.h5", "not a safetensors file"]);
    says(model.save(folder.file("a.h5")), &["a.h5", "the name does not tell", ".safetensors"]);
    says(model.save(folder.file("b/a.npz")), &["b/a.npz", "there is no folder"]);
    for name in ["a.safetensors", "a.npz"] {
        let path = folder.file(name);
        let other = network(2, 3);
        other.save(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let weight = other.params().next().unwrap().1.value.to_vec::<f32>()[0].to_le_bytes();
        let at = bytes.windows(4).position(|four| four == weight).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        says(model.load(&path), &[name, "truncated"]);
        let mut flipped = bytes.clone();
        flipped[at] ^= 16;
        fs::write(&path, flipped).unwrap();
        says(model.load(&path), &[name, "CRC-32"]);
    }
    assert_eq!(bits(&model), before);
}

#[test]
fn pytorch_names_modules_in_modules_with_dots() {
    let folder = Folder::new("weights-nested");
    let path = folder.file("a.safetensors");
    let nested = |seed| {
        let encoder = Sequential::new([3]).name("encoder").add(Dense::new(4)).add(Dense::new(5).named("last"));
        Sequential::new([3]).add(encoder).add(Dense::new(2)).build(&Device::Cpu, Seed(seed)).unwrap()
    };
    let modules = [("features.2", "encoder/last"), ("head", "dense")];
    let (model, mut other) = (nested(1), nested(2));
    model.save_torch(&path, &modules).unwrap();
    let names: Vec<String> = Safetensors::read(&path).unwrap().tensors().map(|(name, _)| name.to_owned()).collect();
    let wanted = ["encoder.dense", "features.2", "head"].map(|m| [format!("{m}.bias"), format!("{m}.weight")]);
    assert_eq!(names, wanted.as_flattened());
    other.load_torch(&path, &modules).unwrap();
    assert_eq!(bits(&other), bits(&model));
}
