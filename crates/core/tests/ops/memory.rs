//! Who holds what, and until when: seen through what an op of our own drops.

use cotangent_core::{Op, Saved, Saves, ShapeError, Spec, Tensor, apply};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// y = x, saving a token that counts itself.
struct Witness(Arc<AtomicUsize>);

struct Token(Arc<AtomicUsize>);

impl Drop for Token {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Op<1> for Witness {
    const NAME: &'static str = "witness";
    const SAVES: Saves = Saves::Both;
    const SECOND_ORDER: bool = true;
    type Aux = Token;

    fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
        Ok(x)
    }

    fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, Token) {
        self.0.fetch_add(1, Ordering::Relaxed);
        (x.detach() + 0.0, Token(self.0.clone()))
    }

    fn vjp(&self, saved: Saved<1, Token>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
        assert!(saved.aux.0.load(Ordering::Relaxed) > 0);
        [Some(dy)]
    }
}

fn chain(count: &Arc<AtomicUsize>, x: &Tensor, length: usize) -> Tensor {
    (0..length).fold(x.clone(), |y, _| apply(Witness(count.clone()), [&y]))
}

#[test]
fn backward_frees_what_was_saved_while_the_loss_lives() {
    let count = Arc::new(AtomicUsize::new(0));
    let x = Tensor::ones([]).tracked();
    let y = chain(&count, &x, 10);
    assert_eq!(count.load(Ordering::Relaxed), 10);
    y.backward();
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert_eq!(y.item(), 1.0);
}

#[test]
fn each_rule_goes_before_the_next_runs() {
    /// Checks, when the cotangent arrives, that all later witnesses are gone.
    struct Check(Arc<AtomicUsize>);
    impl Op<1> for Check {
        const NAME: &'static str = "check";
        const SAVES: Saves = Saves::Nothing;
        type Aux = ();
        fn infer(&self, [x]: [Spec; 1]) -> Result<Spec, ShapeError> {
            Ok(x)
        }
        fn forward(&self, [x]: [&Tensor; 1], _: Spec) -> (Tensor, ()) {
            (x.detach(), ())
        }
        fn vjp(&self, _: Saved<1, ()>, dy: Tensor, _: [bool; 1]) -> [Option<Tensor>; 1] {
            assert_eq!(self.0.load(Ordering::Relaxed), 0, "a later op still holds what it saved");
            [Some(dy)]
        }
    }
    let count = Arc::new(AtomicUsize::new(0));
    let x = Tensor::ones([]).tracked();
    let y = chain(&count, &apply(Check(count.clone()), [&x]), 5);
    y.backward();
}

#[test]
fn dropping_the_loss_frees_the_graph() {
    let count = Arc::new(AtomicUsize::new(0));
    let x = Tensor::ones([]).tracked();
    drop(chain(&count, &x, 10));
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn nothing_is_saved_without_a_tracked_operand() {
    let count = Arc::new(AtomicUsize::new(0));
    let y = chain(&count, &Tensor::ones([]), 10);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(!y.is_tracked());
}

#[test]
fn a_graph_can_move_to_another_thread() {
    let x = Tensor::ones([4]).tracked();
    let y = x.exp().sum(..);
    let grads = std::thread::spawn(move || y.backward()).join().unwrap();
    assert_eq!(grads.wrt(&x).to_vec::<f32>(), [1.0_f32.exp(); 4]);
}
