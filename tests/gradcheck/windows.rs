//! Random windows: stride beyond and below the kernel, padding, dilation, groups, sizes that do not divide, floor and
//! ceil, both formats.

use cotangent::gradcheck::sample::{self, Arrangement, Domain};
use cotangent::gradcheck::{Check, Method};
use cotangent::{Conv2dSpec, DataFormat, Padding, Tensor, WindowSpec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same on every run.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(2), ..Config::default() }
}

fn format() -> impl Strategy<Value = DataFormat> {
    prop_oneof![Just(DataFormat::ChannelsLast), Just(DataFormat::ChannelsFirst)]
}

/// A window and an image size that it fits into.
fn window() -> impl Strategy<Value = (WindowSpec, [usize; 2])> {
    let axis = || (1usize..4, 1usize..4, 1usize..3, 0usize..2, 0usize..2, 0usize..4);
    (axis(), axis(), 0u8..3, any::<bool>()).prop_map(|(h, w, padding, ceil)| {
        let padding = match padding {
            0 => Padding::Valid,
            1 => Padding::Same,
            _ => Padding::Explicit([h.3.min(h.0 - 1), h.4.min(h.0 - 1), w.3.min(w.0 - 1), w.4.min(w.0 - 1)]),
        };
        let window = WindowSpec { kernel: [h.0, w.0], stride: [h.1, w.1], padding, dilation: [h.2, w.2], ceil };
        (window, [(h.0 - 1) * h.2 + 1 + h.5, (w.0 - 1) * w.2 + 1 + w.5])
    })
}

fn check(op: &str, seed: u64) -> Check {
    Check::new(op).method(Method::Directions(1)).seed(seed)
}

proptest! {
    #![proptest_config(cases(1000))]
    #[test]
    fn convolutions((window, [h, w]) in window(), format in format(), (n, groups, per_group, filters) in (1usize..3, 1usize..4, 1usize..3, 1usize..3), at in 0usize..5, seed in any::<u64>()) {
        let spec = Conv2dSpec { window, groups, format };
        let x = sample::uniform(format.shape([n, h, w, groups * per_group]), -1.0, 1.0, seed);
        let k = sample::uniform([window.kernel[0], window.kernel[1], per_group, groups * filters], -1.0, 1.0, seed ^ 1);
        let b = sample::uniform([groups * filters], -1.0, 1.0, seed ^ 2);
        let x = [x, k, b].map(|x| Arrangement::ALL[at].of(&x));
        check("conv2d", seed).first(&|x| vec![x[0].conv2d(&x[1], Some(&x[2]), &spec)], &x).unwrap();
    }

    #[test]
    fn pools((window, [h, w]) in window(), format in format(), (n, c) in (1usize..3, 1usize..4), kind in 0u8..3, at in 0usize..5, seed in any::<u64>()) {
        let window = if kind == 0 { window } else { WindowSpec { dilation: [1, 1], ..window } };
        let x = Domain::Distinct.sample(format.shape([n, h, w, c]), seed);
        // more elements than 100 lie closer than two steps: take smaller ones
        let check = check("pool2d", seed).step(1e-3f64.min(0.6 / x.count() as f64 / 3.0));
        let f = |x: &[Tensor]| vec![match kind {
            0 => x[0].max_pool2d(&window, format),
            1 => x[0].avg_pool2d(&window, format, false),
            _ => x[0].avg_pool2d(&window, format, true),
        }];
        check.first(&f, &[Arrangement::ALL[at].of(&x)]).unwrap();
    }
}

proptest! {
    #![proptest_config(cases(200))]
    #[test]
    fn second_derivatives_of_convolutions((window, [h, w]) in window(), format in format(), groups in 1usize..3, seed in any::<u64>()) {
        let spec = Conv2dSpec { window, groups, format };
        let x = sample::uniform(format.shape([1, h, w, groups]), -1.0, 1.0, seed);
        let k = sample::uniform([window.kernel[0], window.kernel[1], 1, groups * 2], -1.0, 1.0, seed ^ 1);
        check("conv2d", seed).second(&|x| vec![x[0].conv2d(&x[1], None, &spec)], &[x, k]).unwrap();
    }
}
