//! What each op says when its operands do not fit: word by word, and at the caller's line.

use crate::support::panic_text;
use cotangent_core::ops::{Conv2d, infer_concat};
use cotangent_core::{Conv2dSpec, DType, DataFormat, Op, Rng, Spec, Tensor, WindowSpec};
use std::sync::{Arc, Mutex};

fn t<const N: usize>(shape: [usize; N]) -> Tensor {
    Tensor::zeros(shape)
}

fn ints<const N: usize>(shape: [usize; N]) -> Tensor {
    Tensor::full(shape, 0.0, DType::I64)
}

#[track_caller]
fn says<R>(text: &str, f: impl FnOnce() -> R) {
    assert_eq!(panic_text(f), text);
}

#[test]
fn pointwise_ops() {
    says("[add] shapes do not broadcast: [2, 3] and [4]; aligned at the last axis, sizes must be equal or 1", || {
        t([2, 3]) + t([4])
    });
    says("[mul] dtypes differ: f32 and i64; cast one of them", || t([2]) * ints([2]));
    says("[ln] wants f32 or f64, got i64 [2]; cast it first", || ints([2]).ln());
    says("[pow] wants f32 or f64, got i64 [2]; cast it first", || ints([2]).pow(&ints([2])));
    says("[add] wants numbers, got bool [2]; cast it first", || t([2]).gt(0.0).add(&t([2]).gt(0.0)));
    says("[floor] wants f32 or f64, got i64 [2]; cast it first", || ints([2]).floor());
    says("[mul] 0.5 is not a number of dtype i64; cast the tensor first", || ints([2]) * 0.5);
    says("[lt] 0.5 is not a number of dtype i64; cast the tensor first", || ints([2]).lt(0.5));
    says("[clamp] the limits 2 and 1 are not in order", || t([2]).clamp(2.0, 1.0));
    says("[and] wants bools, got f32 [2]; compare it with a number first", || t([2]).and(&t([2])));
    says("[where] the mask wants bools, got f32 [2]; compare it with a number", || t([2]).where_(&t([2]), &t([2])));
}

#[test]
fn reductions() {
    says("[sum] axis 2 of a tensor with 2 axes", || t([2, 3]).sum(2));
    says("[mean] axis -3 of a tensor with 2 axes", || t([2, 3]).mean(-3));
    says("[mean] wants f32 or f64, got i64 [2]; cast it first", || ints([2]).mean(..));
    says("[sum] wants numbers, got bool [2]; cast it first", || t([2]).gt(0.0).sum(..));
    says("[max] axis 1 of [2, 0] has no elements to choose from", || t([2, 0]).max(1));
    says("[min] axis 0 of [0] has no elements to choose from", || t([0]).min(..));
    says("[argmax] axis 1 of [2, 0] has no elements to choose from", || t([2, 0]).argmax(-1));
    says("[logsumexp] axis 0 of [0] has no elements to choose from", || t([0]).logsumexp(..));
    says("[any] wants bools, got f32 [2]; compare it with a number first", || t([2]).any(..));
}

#[test]
fn views_and_joins() {
    says("[reshape] [2, 3] has 6 elements, [4] has 4", || t([2, 3]).reshape([4]));
    says("[permute] [0, 0] does not name each axis of [2, 3] once", || t([2, 3]).permute(&[0, 0]));
    says("[expand] [2, 3] does not broadcast to [2, 4]", || t([2, 3]).expand([2, 4]));
    says("[slice] 1..4 reaches beyond axis 1 of [2, 3]", || t([2, 3]).slice(1, 1..4));
    says("[squeeze] axis 0 of [2, 3] is not 1", || t([2, 3]).squeeze(0));
    says("[concat] no tensors", || Tensor::concat(&[], 0));
    says("[concat] tensor 1 is [2, 4], tensor 0 is [2, 3]: they may differ in axis 0 alone", || {
        Tensor::concat(&[&t([2, 3]), &t([2, 4])], 0)
    });
    says("[concat] dtypes differ: f32 and i64; cast one of them", || Tensor::concat(&[&t([2]), &ints([2])], 0));
    says("[stack] tensor 1 is [3], tensor 0 is [2]", || Tensor::stack(&[&t([2]), &t([3])], 0));
    says("[split] the sizes [1, 1] do not sum to axis 0 of [3]", || t([3]).split(&[1, 1], 0));
    says("[chunk] 2 parts do not divide axis 0 of [3]", || t([3]).chunk(2, 0));
    says("[pad] 1 pairs for [2, 3]: one for each axis", || t([2, 3]).pad(&[(1, 1)], 0.0));
}

#[test]
fn products_and_convolutions() {
    says("[matmul] a [2, 3], b [4, 5]: a has 3 columns, b has 4 rows", || t([2, 3]).matmul(&t([4, 5])));
    says("[linear] x [32, 784] has 784 features, w [100, 10] wants 100", || t([32, 784]).linear(&t([100, 10]), None));
    says("[linear] the bias has shape [11], w [100, 10] wants [10]", || {
        t([32, 100]).linear(&t([100, 10]), Some(&t([11])))
    });
    let spec = Conv2dSpec::new(WindowSpec::new([3, 3]));
    says("[conv2d] in-channels differ: x [32, 28, 28, 3] has C=3, w [3, 3, 1, 16] wants 1", || {
        t([32, 28, 28, 3]).conv2d(&t([3, 3, 1, 16]), None, &spec)
    });
    says("[conv2d] w [5, 5, 1, 16] has a [5, 5] kernel, the window [3, 3]", || {
        t([1, 28, 28, 1]).conv2d(&t([5, 5, 1, 16]), None, &spec)
    });
    says("[conv2d] 2 groups do not divide 3 channels and 16 filters", || {
        t([1, 28, 28, 3]).conv2d(&t([3, 3, 1, 16]), None, &Conv2dSpec { groups: 2, ..spec })
    });
    says("[conv2d] x [28, 28, 1] has 3 axes, wants 4", || t([28, 28, 1]).conv2d(&t([3, 3, 1, 16]), None, &spec));
    says("[max_pool2d] the window does not fit: height 1 with padding 0 + 0 is below the kernel's reach of 2", || {
        t([1, 1, 2, 1]).max_pool2d(&WindowSpec::new([2, 2]), DataFormat::ChannelsLast)
    });
}

#[test]
fn layers_and_losses() {
    says("[batch_norm] gamma [2] for x [4, 3] with 3 channels on axis 1", || {
        t([4, 3]).batch_norm(&t([2]), &t([3]), -1, 1e-3)
    });
    says("[dropout] rate 1 is not within [0, 1)", || t([4]).dropout(1.0, &mut Rng::new(0)));
    says("[softmax_cross_entropy] labels [5] for logits [4, 3]: wants [4]", || {
        t([4, 3]).softmax_cross_entropy(&ints([5]))
    });
    says("[softmax_cross_entropy] indices are i64, got f32 [4]; cast them", || {
        t([4, 3]).softmax_cross_entropy(&t([4]))
    });
    says("[softmax_cross_entropy_one_hot] shapes differ: [4, 3] and [4, 2]", || {
        t([4, 3]).softmax_cross_entropy_one_hot(&t([4, 2]))
    });
}

#[test]
fn infer_says_the_same_without_a_panic() {
    let op = Conv2d(Conv2dSpec::new(WindowSpec::new([3, 3])));
    let spec = |shape: &[usize]| Spec::new(shape, DType::F32);
    let y = op.infer([spec(&[32, 28, 28, 1]), spec(&[3, 3, 1, 16])]);
    assert_eq!(y, Ok(spec(&[32, 26, 26, 16])));
    let e = op.infer([spec(&[32, 28, 28, 3]), spec(&[3, 3, 1, 16])]).unwrap_err();
    assert!(e.to_string().starts_with("[conv2d] in-channels differ"), "{e}");
    assert_eq!(infer_concat(&[spec(&[2, 3]), spec(&[4, 3])], 0), Ok(spec(&[6, 3])));
}

/// A panic names this file, not one of the library's.
#[test]
fn the_callers_line_is_blamed() {
    let blamed = Arc::new(Mutex::new(Vec::new()));
    let (seen, here) = (blamed.clone(), std::thread::current().id());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // other tests panic at the same time
        if std::thread::current().id() == here {
            seen.lock().unwrap().extend(info.location().map(|l| l.file().to_string()));
        }
    }));
    panic_text(|| t([2]) + t([3]));
    panic_text(|| t([2, 3]).linear(&t([2, 3]), None));
    panic_text(|| t([2, 3]).softmax(7));
    panic_text(|| t([2, 3]).maximum(&t([5])));
    panic_text(|| t([2, 3]).gather(0, &ints([9, 9, 9])));
    panic_text(|| t([2, 3]).mean(4));
    panic_text(|| t([2, 3]).softmax_cross_entropy(&ints([3])));
    std::panic::set_hook(before);
    let blamed = blamed.lock().unwrap();
    assert!(blamed.len() == 7 && blamed.iter().all(|file| file.ends_with("infer.rs")), "{blamed:?}");
}
