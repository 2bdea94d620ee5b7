//! What holds memory. In one test, since it is the whole process that is counted.

use cotangent_core::inspect::{LiveTensor, Phase, memory_report, reset_peak_memory, scope, track_memory};
use cotangent_core::{Shape, Tensor};
use std::sync::Mutex;

/// The tests below take turns.
static TURN: Mutex<()> = Mutex::new(());

const MB: u64 = 1 << 20;

fn largest(shape: impl Into<Shape>) -> Option<LiveTensor> {
    let shape = shape.into();
    memory_report().tensors?.into_iter().find(|x| x.spec.shape == shape)
}

#[test]
fn what_is_live_and_what_was_at_most() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let before = memory_report();
    let x = Tensor::ones([16, 1024, 1024]); // 64 MB, far more than the tests beside this one
    let now = memory_report();
    assert!(now.live >= before.live + 60 * MB && now.peak >= now.live, "{before} {now}");
    let view = x.reshape([1024, 16, 1024]).transpose(0, 1);
    drop(x);
    assert!(memory_report().live >= before.live + 60 * MB, "a view keeps the memory");
    std::thread::spawn(move || drop(view)).join().unwrap();
    let after = memory_report();
    assert!(after.live <= before.live + 6 * MB && after.peak >= before.live + 60 * MB, "{before} {after}");
    reset_peak_memory();
    assert!(memory_report().peak <= before.live + 6 * MB);
}

#[test]
fn the_largest_tensors_are_named_with_op_and_layer() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    assert!(memory_report().tensors.is_none(), "nobody tracks");
    let guard = track_memory();
    let w = Tensor::ones([999, 501]).tracked();
    let y = scope("model", || scope("dense", || w.exp()));
    let found = largest([999, 501]).expect("it is live");
    assert_eq!(found.bytes(), 4 * 999 * 501);
    let tensors = memory_report().tensors.unwrap();
    let exp = tensors.iter().find(|x| x.op == Some("exp")).expect("made by exp");
    assert_eq!((exp.phase, exp.layer.as_deref()), (Some(Phase::Forward), Some("model/dense")));
    assert!(tensors.windows(2).all(|pair| pair[0].bytes() >= pair[1].bytes()), "the largest first");

    let grads = y.sum(..).backward();
    let tensors = memory_report().tensors.unwrap();
    let dx = tensors.iter().find(|x| x.phase == Some(Phase::Backward)).expect("the gradient");
    assert_eq!((dx.op, dx.layer.as_deref()), (Some("exp"), Some("model/dense")));
    let text = memory_report().to_string();
    assert!(text.contains("1.91 MB  f32 [999, 501]  exp, backward, in model/dense"), "{text}");

    drop((w, y, grads));
    assert!(largest([999, 501]).is_none(), "nothing is left");
    drop(guard);
    assert!(memory_report().tensors.is_none());
}

#[test]
fn training_is_flat_in_bytes() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let _guard = track_memory();
    let mut w = Tensor::ones([300, 299]).tracked();
    let x = Tensor::ones([8, 300]);
    let mut counts = Vec::new();
    for _ in 0..20 {
        let grads = x.matmul(&w).square().mean(..).backward();
        w.set_(&(w.detach() - grads.wrt(&w) * 0.1));
        drop(grads);
        counts.push(memory_report().tensors.unwrap().iter().filter(|x| x.spec.shape.contains(&299)).count());
    }
    assert!(counts.iter().all(|&n| n == 1), "the weight alone is left after each step: {counts:?}");
}

/// A cotangent that came to several operands at once, or is a view, is not copied to be added to.
#[test]
fn cotangents_are_added_in_memory_that_is_there() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let _guard = track_memory();
    let x = Tensor::ones([400, 50]).tracked();
    let (branch, dy) = (|factor: f64| &x * factor, Tensor::full([400, 50], 7.0, x.dtype()));
    let held = (branch(3.0) + &x).backward_with(&dy); // dy is ours as well
    let stretched = (branch(3.0) + &x).sum(..).backward();
    let part = (Tensor::concat(&[&branch(3.0), &x], 0) * 5.0).sum(..).backward();
    let shared = ((branch(2.0) + branch(3.0) + &x) * 2.0).sum(..).backward();
    let values = [&held, &stretched, &part, &shared].map(|grads| grads.wrt(&x).narrow(0, 399, 1).max(..).item());
    assert_eq!(values, [28.0, 4.0, 20.0, 12.0]);
    assert_eq!(dy.max(..).item(), 7.0);
    let tensors = memory_report().tensors.unwrap();
    let gradients: Vec<_> = tensors.iter().filter(|x| x.phase == Some(Phase::Backward)).map(|x| x.op).collect();
    assert_eq!(gradients, [Some("scale"); 4], "made by an op, not by adding two cotangents");
}
