//! Parameters change in place only where nobody else can see it.

use crate::support::{numbers, panic_text};
use cotangent_core::{Lane, Tensor, Update};

/// p ← p − rate·g, and the state counts.
#[derive(Clone, Copy)]
struct Descend {
    rate: f64,
}

impl Update<1> for Descend {
    fn step<L: Lane>(self, p: L, g: L, [count]: [L; 1]) -> (L, [L; 1]) {
        (p - L::splat(self.rate) * g, [count + L::one()])
    }
}

const STEP: Descend = Descend { rate: 0.5 };

#[test]
fn a_step_changes_parameter_and_state_and_keeps_the_leaf() {
    let mut p = Tensor::from([1.0_f32, 2.0]).tracked();
    let (id, mut count) = (p.leaf_id(), Tensor::zeros([2]));
    let grad = p.square().sum(..).backward().remove(&p).unwrap();
    p.update(STEP, &grad, [&mut count]);
    assert_eq!((numbers(&p), numbers(&count)), (vec![0.0, 0.0], vec![1.0, 1.0]));
    assert_eq!(p.leaf_id(), id);
}

#[test]
fn clones_and_views_keep_the_old_values() {
    let mut p = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    let (clone, view) = (p.clone(), p.t());
    p.update(STEP, &p.ones_like(), [&mut Tensor::zeros([2, 2])]);
    assert_eq!(numbers(&p), [0.5, 1.5, 2.5, 3.5]);
    assert_eq!(numbers(&clone), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers(&view), [1.0, 3.0, 2.0, 4.0]);
}

#[test]
fn a_graph_that_stands_keeps_the_old_values() {
    let mut p = Tensor::from([3.0_f32]).tracked();
    let old = p.clone();
    let loss = p.square().sum(..);
    p.update(STEP, &Tensor::ones([1]), [&mut Tensor::zeros([1])]);
    p.set_(&Tensor::from([100.0_f32]));
    assert_eq!(loss.backward().wrt(&old).item(), 6.0);
    assert_eq!(p.item(), 100.0);
}

#[test]
fn a_view_is_updated_apart_from_its_base() {
    let base = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    let mut column = base.select(1, 0);
    column.update(STEP, &Tensor::ones([2]), [&mut Tensor::zeros([2])]);
    assert_eq!(numbers(&column), [0.5, 2.5]);
    assert_eq!(numbers(&base), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn other_shapes_are_refused() {
    let mut p = Tensor::zeros([2, 2]);
    let text = panic_text(|| p.clone().update(STEP, &Tensor::zeros([2]), [&mut Tensor::zeros([2, 2])]));
    assert_eq!(text, "[update] parameter f32 [2, 2], gradient or state f32 [2]");
    let text = panic_text(|| p.set_(&Tensor::zeros([4])));
    assert_eq!(text, "[set_] f32 [4] into f32 [2, 2]");
}
