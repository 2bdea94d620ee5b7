//! Negative controls: rules that are wrong on purpose. Each must be refused, and the cause named.

use cotangent::gradcheck::sample::{self, Domain};
use cotangent::gradcheck::{Cause, Check, Failure, Kind, Mismatch, gradcheck, gradgradcheck};
use cotangent::{Op, Rng, Saved, Saves, ShapeError, Spec, Tensor, apply, is_tracking};

/// An op with a value and a rule of its own.
struct Rule<const N: usize> {
    value: fn([&Tensor; N]) -> Tensor,
    vjp: fn([&Tensor; N], &Tensor) -> [Tensor; N],
}

impl<const N: usize> Op<N> for Rule<N> {
    const NAME: &'static str = "wrong on purpose";
    const SAVES: Saves = Saves::Inputs;
    const SECOND_ORDER: bool = true;
    type Aux = ();

    /// By computing it, on ones.
    fn infer(&self, x: [Spec; N]) -> Result<Spec, ShapeError> {
        let ones = x.map(|x| Tensor::full(x.shape, 1.0, x.dtype));
        Ok((self.value)(std::array::from_fn(|i| &ones[i])).spec())
    }

    fn forward(&self, x: [&Tensor; N], _: Spec) -> (Tensor, ()) {
        ((self.value)(x.map(|x| x)), ())
    }

    fn vjp(&self, saved: Saved<N, ()>, dy: Tensor, _: [bool; N]) -> [Option<Tensor>; N] {
        (self.vjp)(saved.x(), &dy).map(Some)
    }
}

fn unit(shape: &[usize]) -> Tensor {
    sample::uniform(shape, 0.3, 1.0, 5)
}

/// What the checker finds in this rule at numbers in [0.3, 1) of these shapes.
fn found<const N: usize>(
    shapes: [&[usize]; N],
    value: fn([&Tensor; N]) -> Tensor,
    vjp: fn([&Tensor; N], &Tensor) -> [Tensor; N],
) -> Failure {
    let x: Vec<Tensor> = shapes.iter().enumerate().map(|(i, &s)| sample::uniform(s, 0.3, 1.0, i as u64)).collect();
    let check = Check::new("wrong");
    check.first(&|x| vec![apply(Rule { value, vjp }, std::array::from_fn(|i| &x[i]))], &x).unwrap_err()
}

fn cause<const N: usize>(
    shapes: [&[usize]; N],
    value: fn([&Tensor; N]) -> Tensor,
    vjp: fn([&Tensor; N], &Tensor) -> [Tensor; N],
) -> Cause {
    let failure = found(shapes, value, vjp);
    failure.cause().unwrap_or_else(|| panic!("{failure}")).clone()
}

fn mismatch(failure: Failure) -> Mismatch {
    match *failure.kind {
        Kind::Gradient(mismatch) => mismatch,
        _ => panic!("{failure}"),
    }
}

#[test]
fn a_wrong_sign() {
    assert_eq!(cause([&[3, 4]], |[x]| x.exp(), |[x], dy| [-(dy * x.exp())]), Cause::Sign);
    assert_eq!(cause([&[5], &[5]], |[a, b]| a.sub(b), |_, dy| [dy.clone(), dy.clone()]), Cause::Sign);
}

#[test]
fn a_wrong_factor() {
    let half = cause([&[3, 4]], |[x]| x.square(), |[x], dy| [dy * x]);
    assert!(matches!(half, Cause::Factor(c, _) if (c - 0.5).abs() < 1e-4), "{half}");
    let mean = cause([&[3, 4]], |[x]| x.mean(..), |[x], dy| [dy.expand(x.shape())]);
    assert_eq!(mean.to_string(), "a factor: the gradient is 12 times too large, the number of elements");
    let rows = cause([&[3, 5]], |[x]| x.mean(1), |[x], dy| [dy.unsqueeze(1).expand(x.shape())]);
    assert!(rows.to_string().ends_with("5 times too large, the size of axis 1"), "{rows}");
}

#[test]
fn a_missing_factor() {
    assert_eq!(cause([&[3, 4]], |[x]| x * x * x, |[x], dy| [dy * x * 3.0]), Cause::Power(1));
    assert_eq!(cause([&[3, 4]], |[x]| x.ln(), |_, dy| [dy.clone()]), Cause::Power(-1));
}

#[test]
fn a_missing_term() {
    // the mean's own dependence on x is forgotten, as in a normalisation with detached statistics
    let centred = cause([&[4, 3]], |[x]| x - x.mean_keepdim(0), |_, dy| [dy.clone()]);
    assert_eq!(centred, Cause::MissingAlong(0));
    // softmax without − y·Σ dy·y
    let softmax = cause([&[3, 4]], |[x]| x.softmax(-1), |[x], dy| [dy * x.softmax(-1)]);
    assert_eq!(softmax, Cause::Unknown);
    // the product rule cut in half
    let product = found([&[4]], |[x]| x * x.sin(), |[x], dy| [dy * x.sin()]);
    assert!(product.to_string().contains("likely cause"), "{product}");
}

#[test]
fn a_wrong_axis() {
    let sum = cause([&[4, 4]], |[x]| x.sum(0), |[x], dy| [dy.unsqueeze(1).expand(x.shape())]);
    assert_eq!(sum, Cause::Transposed(vec![1, 0]));
    let flipped = cause([&[5, 2]], |[x]| x.flip(0), |_, dy| [dy.clone()]);
    assert_eq!(flipped, Cause::Reversed(0));
}

#[test]
fn a_transposed_argument() {
    let failure = found([&[3, 4], &[4, 4]], |[a, b]| a.matmul(b), |[a, b], dy| [dy.matmul(&b.t()), dy.t().matmul(a)]);
    let m = mismatch(failure);
    assert_eq!((m.input, m.cause), (1, Cause::Transposed(vec![1, 0])));
    let forgotten = found([&[3, 3], &[3, 3]], |[a, b]| a.matmul(b), |[a, b], dy| [dy.matmul(b), a.t().matmul(dy)]);
    assert_eq!(mismatch(forgotten).input, 0);
}

#[test]
fn exchanged_operands() {
    assert_eq!(cause([&[5], &[5]], |[a, b]| a * b, |[a, b], dy| [dy * a, dy * b]), Cause::Exchanged(1));
}

#[test]
fn a_stale_or_inverted_mask() {
    let x = Domain::Away(-1.0, 1.0, &[0.0, 0.4, -0.4]).sample([24].into(), 3);
    let relu = |vjp| {
        let check = Check::new("relu");
        check
            .first(&|x| vec![apply(Rule { value: |[x]| x.relu(), vjp }, [&x[0]])], std::slice::from_ref(&x))
            .unwrap_err()
    };
    let wide = relu(|[x], dy| [x.gt(0.4).where_(dy, &dy.zeros_like())]);
    assert_eq!(wide.cause(), Some(&Cause::MaskTooWide));
    let narrow = relu(|[x], dy| [x.gt(-0.4).where_(dy, &dy.zeros_like())]);
    assert_eq!(narrow.cause(), Some(&Cause::MaskTooNarrow));
    let inverted = relu(|[x], dy| [x.lt(0.0).where_(dy, &dy.zeros_like())]);
    assert!(inverted.cause().is_some(), "{inverted}");
}

#[test]
fn an_off_by_one_in_a_window() {
    let slice = cause([&[7]], |[x]| x.slice(0, 1..6), |_, dy| [dy.pad(&[(0, 2)], 0.0)]);
    assert_eq!(slice, Cause::Shifted(0));
    let border = cause(
        [&[6, 2]],
        |[x]| x.scale(2.0),
        |_, dy| [Tensor::concat(&[&dy.slice(0, ..5).scale(2.0), &dy.slice(0, 5..)], 0)],
    );
    assert_eq!(border, Cause::Border(0));
}

#[test]
fn a_cut_graph() {
    let x = unit(&[3, 4]);
    let detached = gradcheck("detached", |[x]| x.detach().exp(), [&x]).unwrap_err();
    assert_eq!(detached.cause(), Some(&Cause::Cut));
    let half = gradcheck("half detached", |[x]| x * x.detach(), [&x]).unwrap_err();
    assert!(matches!(half.cause(), Some(Cause::Factor(c, _)) if (c - 0.5).abs() < 1e-4), "{half}");
    let one_of_two = gradcheck("one of two", |[a, b]| a * b.detach(), [&x, &x]).unwrap_err();
    assert_eq!(mismatch(one_of_two).input, 1);
}

#[test]
fn a_rule_that_gives_nan() {
    assert_eq!(cause([&[4]], |[x]| x.square(), |[x], dy| [dy * (x - x).ln()]), Cause::NotFinite);
}

#[test]
fn a_rule_that_is_not_linear() {
    let squared = found([&[3]], |[x]| x.scale(2.0), |_, dy| [dy.square() * 2.0]);
    assert!(matches!(*squared.kind, Kind::NotLinear { input: 0, .. }), "{squared}");
    let ignored = found([&[3]], |[x]| x.sin(), |[x], _| [x.cos()]);
    assert!(matches!(*ignored.kind, Kind::NotLinear { .. }), "{ignored}");
}

#[test]
fn a_gradient_of_another_shape() {
    let check = || found([&[3, 4], &[4]], |[a, b]| a + b, |_, dy| [dy.clone(), dy.clone()]);
    if cfg!(debug_assertions) {
        assert!(std::panic::catch_unwind(check).is_err(), "a debug build refuses inside backward");
    } else {
        let failure = check();
        assert!(matches!(*failure.kind, Kind::Shape { input: 1, .. }), "{failure}");
    }
}

#[test]
fn a_point_where_there_is_no_derivative() {
    let at = |x: f64| Tensor::from([x, 0.5]);
    assert_eq!(gradcheck("relu", |[x]| x.relu(), [&at(0.0)]).unwrap_err().cause(), Some(&Cause::Kink));
    assert_eq!(gradcheck("ln", |[x]| x.ln(), [&at(-1.0)]).unwrap_err().cause(), Some(&Cause::OutsideDomain));
}

#[test]
fn what_is_no_function_or_nothing() {
    let x = unit(&[40]);
    let rng = std::sync::Mutex::new(Rng::new(1));
    let random = gradcheck("dropout", |[x]| x.dropout(0.5, &mut rng.lock().unwrap()), [&x]).unwrap_err();
    assert!(matches!(*random.kind, Kind::NotAFunction), "{random}");
    let labels = Tensor::from([1_i64, 2]);
    let constant = gradcheck("labels", |[x]| x.one_hot(3, x.dtype()), [&labels]).unwrap_err();
    assert!(matches!(*constant.kind, Kind::Nothing(_)), "{constant}");
}

#[test]
fn a_wrong_second_derivative() {
    // right once: the saved operand is detached, so the rule does not depend on it
    let cube = |[x]: [&Tensor; 1]| {
        let op = Rule { value: |[x]| x * x * x, vjp: |[x], dy| [dy * x.detach().square() * 3.0] };
        apply(op, [x])
    };
    let x = unit(&[4]);
    gradcheck("cube", cube, [&x]).unwrap();
    let failure = gradgradcheck("cube", cube, [&x]).unwrap_err();
    assert!(failure.to_string().starts_with("[cube, second order]"), "{failure}");
    assert_eq!(failure.cause(), Some(&Cause::Cut));
}

#[test]
fn a_rule_that_differs_where_it_is_recorded() {
    let twofold = |[x]: [&Tensor; 1]| {
        let vjp: fn([&Tensor; 1], &Tensor) -> [Tensor; 1] = |[x], dy| {
            let right = dy * x.cos();
            [if is_tracking() { right * 1.001 } else { right }]
        };
        apply(Rule { value: |[x]| x.sin(), vjp }, [x])
    };
    let x = unit(&[4]);
    gradcheck("sin", twofold, [&x]).unwrap();
    let failure = gradgradcheck("sin", twofold, [&x]).unwrap_err();
    assert!(matches!(*failure.kind, Kind::OrdersDiffer { input: 0, .. }), "{failure}");
}

#[test]
fn one_wrong_element_of_many_is_located() {
    let x = sample::uniform([50, 100], -1.0, 1.0, 2);
    let mut weight = vec![1.0_f64; 5000];
    weight[3217] = 1.001;
    let wrong = Tensor::from_slice(&weight, [50, 100]);
    let f = |[x]: [&Tensor; 1]| x.sin() + (x.sin() * &wrong - x.sin()) - (x.detach().sin() * &wrong - x.detach().sin());
    let m = mismatch(gradcheck("one of 5000", f, [&x]).unwrap_err());
    assert_eq!(m.element, [32, 17]);
    assert!((m.analytic / m.numeric - 1.001).abs() < 1e-6, "{m}");
}

#[test]
fn the_message_names_op_input_element_values_and_cause() {
    let failure = found([&[2, 2]], |[x]| x.square(), |[x], dy| [dy * x]);
    let text = failure.to_string();
    for part in ["[wrong]", "input 0", "f64 [2, 2]", "element [", "analytic", "numeric", "4 of 16", "2 times too small"]
    {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}
