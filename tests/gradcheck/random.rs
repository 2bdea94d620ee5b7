//! Random shapes and compositions: derivatives of what nobody wrote down.

use cotangent::gradcheck::compare::close;
use cotangent::gradcheck::sample::{self, Arrangement, Domain};
use cotangent::gradcheck::{Check, Method};
use cotangent::{Order, Shape, Tensor, grad};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same on every run.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..Config::default() }
}

/// An op that keeps numbers tame: from a matrix, and an earlier matrix of the same shape, to one of the same shape.
type Step = fn(&Tensor, &Tensor) -> Tensor;

const STEPS: [(&str, Step); 24] = [
    ("add", |x, z| x + z),
    ("sub", |x, z| z - x),
    ("mul", |x, z| x * z),
    ("div", |x, z| x / (z.square() + 1.5)),
    ("sin", |x, _| x.sin()),
    ("cos", |x, _| x.cos()),
    ("tanh", |x, _| x.tanh()),
    ("sigmoid", |x, _| x.sigmoid()),
    ("gelu", |x, _| x.tanh().gelu()),
    ("softplus", |x, _| x.tanh().softplus()),
    ("exp", |x, _| x.tanh().exp()),
    ("ln", |x, _| (x.square() + 1.0).ln()),
    ("sqrt", |x, _| (x.square() + 0.5).sqrt()),
    ("softmax", |x, _| x.softmax(-1)),
    ("log_softmax", |x, _| x.tanh().log_softmax(0)),
    ("matmul", |x, z| x.tanh().matmul(&z.tanh().t()).matmul(z).tanh()),
    ("centre", |x, z| x - z.mean_keepdim(0)),
    ("normalise", |x, _| (x - x.mean_keepdim(1)) / (x.var_keepdim(1, 0) + 0.5).sqrt()),
    ("total", |x, z| x + z.sum(..) * 0.1),
    ("flip", |x, _| x.flip(0).flip(1)),
    ("through the transpose", |x, z| (x.t() + z.t().sin()).t()),
    ("parts in another order", |x, _| Tensor::concat(&[&x.slice(0, 1..), &x.slice(0, ..1)], 0)),
    ("logsumexp", |x, z| z.tanh() + x.tanh().logsumexp(0)),
    ("strided", |x, z| x.slice_step(1, .., -1) + z.reshape([z.count()]).reshape(z.shape())),
];

/// Up to 8 steps: which op, and which earlier result is its second operand.
fn steps() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..STEPS.len(), any::<usize>()), 1..=8)
}

fn composed(steps: &[(usize, usize)], x: &[Tensor]) -> Tensor {
    let mut results = x.to_vec();
    for &(op, other) in steps {
        let y = STEPS[op].1(&results[results.len() - 1], &results[other % results.len()]);
        results.push(y);
    }
    results.pop().expect("there are operands")
}

fn named(steps: &[(usize, usize)]) -> String {
    steps.iter().map(|&(op, _)| STEPS[op].0).collect::<Vec<_>>().join(" → ")
}

/// Compositions bend sharply, and have no kinks.
const STEP: f64 = 3e-4;

fn matrices(rows: usize, columns: usize, seed: u64) -> Vec<Tensor> {
    (0..2).map(|i| sample::uniform([rows, columns], -1.0, 1.0, seed.wrapping_add(i))).collect()
}

proptest! {
    #![proptest_config(cases(4000))]
    #[test]
    fn compositions_of_up_to_eight_ops(steps in steps(), rows in 1usize..5, columns in 1usize..5, seed in any::<u64>(), arrangement in select(&Arrangement::ALL[..])) {
        let x: Vec<Tensor> = matrices(rows, columns, seed).iter().map(|x| arrangement.of(x)).collect();
        let check = Check::new(named(&steps)).method(Method::Directions(1)).seed(seed).step(STEP);
        check.first(&|x| vec![composed(&steps, x)], &x).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(300))]
    #[test]
    fn second_derivatives_of_compositions(steps in prop::collection::vec((0..STEPS.len(), any::<usize>()), 1..=4), seed in any::<u64>()) {
        let check = Check::new(named(&steps)).method(Method::Directions(1)).seed(seed).step(STEP);
        check.second(&|x| vec![composed(&steps, x)], &matrices(2, 3, seed)).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(300))]
    /// (g ∘ f)ᵀu by one backward pass is fᵀ(gᵀu) by two.
    #[test]
    fn the_chain_rule(first in steps(), then in steps(), seed in any::<u64>()) {
        let x = &matrices(3, 3, seed)[0].tracked();
        let u = sample::uniform([3, 3], -1.0, 1.0, seed ^ 1);
        let f = |x: &Tensor| composed(&first, std::slice::from_ref(x));
        let g = |x: &Tensor| composed(&then, std::slice::from_ref(x));
        let whole = g(&f(x)).backward_with(&u);
        let middle = f(x);
        let leaf = middle.tracked();
        let inner = g(&leaf).backward_with(&u);
        let outer = middle.backward_with(inner.wrt(&leaf));
        close(outer.wrt(x), whole.wrt(x), 1e-9, 1e-12).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(300))]
    /// Jᵀ(αu + βv) is αJᵀu + βJᵀv.
    #[test]
    fn the_vjp_is_linear(steps in steps(), factors in (-2.0f64..2.0, -2.0f64..2.0), seed in any::<u64>()) {
        let x: Vec<Tensor> = matrices(3, 2, seed).iter().map(Tensor::tracked).collect();
        let [u, v] = [1, 2].map(|salt| sample::uniform([3, 2], -1.0, 1.0, seed ^ salt));
        let loss = |u: &Tensor| (composed(&steps, &x) * u).sum(..) + (&x[0] + &x[1]).sum(..) * 0.0;
        let [of_u, of_v, of_sum] = [&u, &v, &(&u * factors.0 + &v * factors.1)].map(|u| loss(u).backward());
        for x in &x {
            let sum = of_u.wrt(x) * factors.0 + of_v.wrt(x) * factors.1;
            close(of_sum.wrt(x), &sum, 1e-9, 1e-12).unwrap();
        }
    }
}

/// Two shapes that broadcast, and where some axes are 1 or missing in either.
fn broadcastable() -> impl Strategy<Value = (Vec<usize>, Vec<usize>)> {
    let axis = (0usize..5, 0u8..5).prop_map(|(n, kind)| match kind {
        0 => (1, n),
        1 => (n, 1),
        _ => (n.max(1), n.max(1)),
    });
    (prop::collection::vec(axis, 0..=4), 0usize..4, any::<bool>()).prop_map(|(axes, cut, left)| {
        let (mut a, mut b): (Vec<usize>, Vec<usize>) = axes.into_iter().unzip();
        let shorter = if left { &mut a } else { &mut b };
        shorter.drain(..cut.min(shorter.len()));
        (a, b)
    })
}

const PAIRS: [(&str, Step); 8] = [
    ("add", |a, b| a + b),
    ("sub", |a, b| a - b),
    ("mul", |a, b| a * b),
    ("div", |a, b| a / b),
    ("pow", |a, b| a.pow(b)),
    ("maximum", |a, b| a.maximum(b)),
    ("minimum", |a, b| a.minimum(b)),
    ("where", |a, b| a.gt(0.8).where_(a, b)),
];

proptest! {
    #![proptest_config(cases(2000))]
    #[test]
    fn any_two_shapes_that_broadcast((a, b) in broadcastable(), op in 0..PAIRS.len(), layouts in any::<(u8, u8)>(), seed in any::<u64>()) {
        let arranged = |shape: &[usize], at: u8, offset: f64| {
            let x = Domain::Grid(offset).sample(Shape::from(shape), seed ^ at as u64);
            Arrangement::ALL[at as usize % 5].of(&x)
        };
        // multiples of 0.1 with other offsets: no ties, and 0.8 is not among them
        let x = [arranged(&a, layouts.0, 1.33), arranged(&b, layouts.1, 1.37)];
        let check = Check::new(PAIRS[op].0).method(Method::Directions(1)).seed(seed);
        check.first(&|x| vec![PAIRS[op].1(&x[0], &x[1])], &x).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(600))]
    #[test]
    fn reductions_over_any_axes(shape in prop::collection::vec(1usize..4, 1..=4), mask in any::<u8>(), op in 0usize..7, at in 0usize..5, seed in any::<u64>()) {
        let axes: Vec<isize> = (0..shape.len()).filter(|a| mask >> a & 1 == 1).map(|a| a as isize).collect();
        let f = |x: &[Tensor]| {
            let (x, axes) = (&x[0], axes.as_slice());
            vec![match op {
                0 => x.sum(axes),
                1 => x.mean_keepdim(axes),
                2 => x.prod(axes),
                3 => x.max(axes),
                4 => x.min_keepdim(axes),
                5 => x.logsumexp(axes),
                _ => x.var(axes, 0),
            }]
        };
        let x = Arrangement::ALL[at].of(&Domain::Distinct.sample(Shape::from(shape), seed));
        Check::new(format!("reduction {op} over {axes:?}")).method(Method::Directions(1)).first(&f, &[x]).unwrap();
    }
}

/// A view of a view of a view: which kind, and a number that decides how.
fn viewed(x: &Tensor, chain: &[(u8, usize)]) -> Tensor {
    chain.iter().fold(x.clone(), |x, &(kind, n)| {
        let axis = if x.rank() == 0 { 0 } else { n % x.rank() };
        let size = if x.rank() == 0 { 0 } else { x.shape()[axis] };
        match kind {
            _ if x.rank() == 0 => x.unsqueeze(0),
            0 => x.transpose(axis as isize, -1),
            1 => x.flip(axis as isize),
            2 if size > 1 => x.slice(axis as isize, 1..),
            3 if size > 2 => x.slice_step(axis as isize, .., 2),
            4 if x.rank() < 5 => x.unsqueeze(axis as isize),
            5 => x.reshape([x.count()]),
            6 if size == 1 => x.expand(x.shape().with(axis, 3)),
            7 if size > 1 => x.slice_step(axis as isize, .., -2),
            8 if size > 1 => x.select(axis as isize, -1),
            _ => x.pad(&vec![(1, 0); x.rank()], 0.5),
        }
    })
}

proptest! {
    #![proptest_config(cases(600))]
    #[test]
    fn views_of_views(shape in prop::collection::vec(1usize..4, 1..=3), chain in prop::collection::vec((0u8..9, any::<usize>()), 1..6), seed in any::<u64>()) {
        let x = sample::uniform(Shape::from(shape), -1.0, 1.0, seed);
        let f = |x: &[Tensor]| vec![viewed(&x[0], &chain).sin()];
        Check::new(format!("{chain:?}")).method(Method::Directions(1)).first(&f, &[x]).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(200))]
    /// What `grad` and `backward` give is the same, leaf by leaf.
    #[test]
    fn grad_and_backward_agree(steps in steps(), seed in any::<u64>()) {
        let x: Vec<Tensor> = matrices(2, 3, seed).iter().map(Tensor::tracked).collect();
        let loss = || (composed(&steps, &x) + &x[0] * 0.0 + &x[1] * 0.0).square().sum(..);
        let by_grad = grad(&loss(), &[&x[0], &x[1]], Order::First).unwrap();
        let by_second = grad(&loss(), &[&x[0], &x[1]], Order::Second).unwrap();
        let grads = loss().backward();
        for i in 0..2 {
            close(&by_grad[i], grads.wrt(&x[i]), 0.0, 0.0).unwrap();
            close(&by_second[i].detach(), grads.wrt(&x[i]), 1e-9, 1e-12).unwrap();
        }
    }
}
