//! Batch normalisation and softmax in sizes around the edges of their kernels' rows, strips and chunks.

use cotangent::{DType, Rng, Tensor};
use cotangent_cuda_suite::{device, on_device};

fn there(x: &Tensor) -> Tensor {
    x.to_device(&device()).expect("it fits")
}

fn assert_near(what: &str, got: &Tensor, want: &Tensor) {
    let bound = if want.dtype() == DType::F64 { 3e-14 } else { 4e-6 };
    let [got, want] = [got, want].map(|x| x.detach().cast(DType::F64).to_vec::<f64>());
    let scale = want.iter().fold(1e-3_f64, |most, x| most.max(x.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        assert!((got - want).abs() <= bound * scale, "{what}, element {i}: {got}, on the CPU {want}");
    }
}

/// Values and gradients of `f` on the device and on the CPU.
fn compare(what: &str, x: &Tensor, others: &[Tensor], f: impl Fn(&Tensor, &[Tensor]) -> Vec<Tensor>) {
    let run = |move_: &dyn Fn(&Tensor) -> Tensor| {
        let x = move_(x).tracked();
        let others: Vec<Tensor> =
            others.iter().map(move_).map(|x| if x.dtype().is_float() { x.tracked() } else { x }).collect();
        let y = f(&x, &others);
        let u = Tensor::uniform(y[0].shape(), -1.0, 1.0, x.dtype(), &mut Rng::new(9));
        let grads = y[0].backward_with(&move_(&u));
        let tracked = std::iter::once(&x).chain(&others).filter(|x| x.is_tracked());
        let grads: Vec<Tensor> = tracked.map(|x| grads.wrt(x).clone()).collect();
        y.into_iter().chain(grads).collect::<Vec<_>>()
    };
    for (i, (got, want)) in run(&there).iter().zip(&run(&Tensor::clone)).enumerate() {
        assert_near(&format!("{what}: result {i}"), got, want);
    }
}

on_device! {
    fn batch_norm_of_every_size() {
        let shapes: [(&[usize], usize); 9] = [
            (&[1, 1], 1), (&[513, 33], 1), (&[3, 40, 7], 1), (&[2, 3, 25, 24], 1), (&[2, 25, 24, 3], 3),
            (&[600, 2, 3], 2), (&[2, 700], 0), (&[70_000, 2], 1), (&[2, 1, 140_001], 1),
        ];
        for (shape, channel) in shapes {
            let mut rng = Rng::new(1);
            let x = Tensor::normal(shape, 3.0, 2.0, DType::F32, &mut rng);
            let mut row = || Tensor::uniform([shape[channel]], 0.5, 1.5, DType::F32, &mut rng);
            let others = [row(), row()];
            compare(&format!("batch_norm {shape:?}, {channel}"), &x, &others, |x, others| {
                let (y, mean, variance) = x.batch_norm(&others[0], &others[1], channel as isize, 1e-3);
                vec![y, mean, variance]
            });
        }
    }

    fn a_mean_far_from_zero_costs_the_variance_little() {
        let x = Tensor::normal([3000, 2], 0.0, 1.0, DType::F32, &mut Rng::new(2)) + 1000.0;
        let ones = there(&Tensor::ones([2]));
        let (_, _, variance) = there(&x).batch_norm(&ones, &ones, 1, 1e-3);
        let exact = x.cast(DType::F64);
        let exact = (&exact - exact.mean_keepdim(0)).square().mean(0).to_vec::<f64>();
        for (got, want) in variance.to_vec::<f32>().into_iter().zip(exact) {
            assert!((got as f64 - want).abs() <= 1e-3 * want, "{got}, wants {want}");
        }
    }

    fn softmax_of_every_length() {
        for n in [1, 2, 31, 33, 64, 512, 513, 2050] {
            let x = Tensor::normal([9, n], 0.0, 4.0, DType::F32, &mut Rng::new(n as u64));
            let labels = Tensor::from((0..9).map(|i| (i * 5 % n) as i64).collect::<Vec<_>>());
            compare(&format!("softmax of {n}"), &x, &[], |x, _| vec![x.softmax(-1)]);
            compare(&format!("log_softmax of {n}"), &x, &[], |x, _| vec![x.log_softmax(-1)]);
            compare(&format!("cross entropy of {n}"), &x, &[labels], |x, labels| vec![x.softmax_cross_entropy(&labels[0])]);
            compare(&format!("softmax of a view of {n}"), &x.t(), &[], |x, _| vec![x.t().softmax(-1)]);
        }
    }

    fn softmax_wherever_the_greatest_is() {
        for (dtype, height) in [(DType::F32, 120.0), (DType::F64, 1000.0)] {
            for n in [40, 700, 2700] {
                // on both sides of every step of the kernels' loops and of their pairwise joins; one that is missed leads to an
                // infinity
                let near = |power: usize| [(1 << power) - 1, 1 << power, (1 << power) * 5 / 4];
                let places: Vec<usize> = (0..12).flat_map(near).chain([n - 1]).filter(|&i| i < n).collect();
                let peaks: Vec<f64> = places.iter().flat_map(|&at| (0..n).map(move |i| if i == at { height } else { 0.0 })).collect();
                let rows = places.len();
                let low = Tensor::uniform([rows, n], -1.0, 1.0, dtype, &mut Rng::new(n as u64));
                let high = &low + Tensor::from_slice(&peaks, [rows, n]).cast(dtype);
                let labels = Tensor::from(places.iter().map(|&at| (at as i64 + 1) % n as i64).collect::<Vec<_>>());
                for (what, x) in [("even", &low), ("with peaks", &high)] {
                    compare(&format!("softmax of {n} {what}"), x, &[], |x, _| vec![x.softmax(-1)]);
                    compare(&format!("log_softmax of {n} {what}"), x, &[], |x, _| vec![x.log_softmax(-1)]);
                    compare(&format!("cross entropy of {n} {what}"), x, std::slice::from_ref(&labels), |x, labels| {
                        vec![x.softmax_cross_entropy(&labels[0])]
                    });
                }
            }
        }
    }

    fn softmax_of_infinities() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        for row in [[0.0, -inf, 1.0], [-inf, -inf, -inf], [inf, 0.0, 1.0], [nan, 0.0, 1.0], [3e38, -3e38, 0.0]] {
            let x = Tensor::from([row]);
            for f in [|x: &Tensor| x.softmax(-1), |x: &Tensor| x.log_softmax(-1)] {
                let [got, want] = [f(&there(&x)), f(&x)].map(|y| y.to_vec::<f32>());
                let same = |(a, b): (&f32, &f32)| (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-6 || a == b;
                assert!(got.iter().zip(&want).all(same), "{row:?}: {got:?}, on the CPU {want:?}");
            }
        }
    }
}
