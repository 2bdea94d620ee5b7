//! Matrix products and convolutions in every precision against f64 on the CPU, in every order that operands can have in memory.

use cotangent::prelude::*;
use cotangent::{Conv2dSpec, MatmulPrecision, WindowSpec};
use cotangent_cuda_suite::{counts_in, device, on_device, simulator, this_program};

pub const PRECISIONS: [MatmulPrecision; 3] = [MatmulPrecision::Fp32, MatmulPrecision::Tf32, MatmulPrecision::Bf16];

/// The greatest relative error of an operand: half a unit in its last place. For fp32 it is that of the two TF32 that an operand
/// is taken apart into.
fn unit(precision: MatmulPrecision) -> f64 {
    match precision {
        MatmulPrecision::Fp32 => 2f64.powi(-22),
        MatmulPrecision::Tf32 => 2f64.powi(-11),
        MatmulPrecision::Bf16 => 2f64.powi(-8),
    }
}

fn in_precision(precision: MatmulPrecision) -> Device {
    device().with_precision(precision).expect("it has tensor cores")
}

pub fn there(x: &Tensor, precision: MatmulPrecision) -> Tensor {
    x.to_device(&in_precision(precision)).expect("it fits")
}

fn host(x: &Tensor) -> Vec<f64> {
    x.cast(DType::F64).to_vec()
}

pub fn wide(x: &Tensor) -> Tensor {
    x.cast(DType::F64)
}

/// The greatest error of `got` as a part of `size`, which is what `want` would be without cancellation: the same products, and
/// sums of their absolute values. Where `want` is not finite, `got` has to be the same.
fn error(got: &Tensor, want: &Tensor, size: &Tensor) -> f64 {
    assert_eq!(got.shape(), want.shape());
    let each = host(got).into_iter().zip(host(want)).zip(host(size));
    let errors = each.map(|((got, want), size)| match (want.is_finite(), size == 0.0) {
        (false, _) => f64::from(u8::from(!(got == want || got.is_nan() && want.is_nan()))),
        (true, true) => got.abs(),
        (true, false) => (got - want).abs() / size,
    });
    errors.fold(0.0, |worst, error| if error <= worst || worst.is_nan() { worst } else { error })
}

/// Fails unless the error is that of rounded operands, and of sums of `depth` products in fp32.
pub fn check(got: &Tensor, want: &Tensor, size: &Tensor, depth: usize, precision: MatmulPrecision, what: &str) {
    let bound = 2.0 * unit(precision) + 2.0 * (depth as f64).sqrt() * 2f64.powi(-24);
    let error = error(got, want, size);
    assert!(error <= bound, "{what}, {precision}: the error is {error:e}, more than {bound:e}");
}

/// A matrix, and how its elements are in memory: by rows (`r`), by columns (`c`), or by rows with gaps and from an odd offset (`g`).
#[derive(Clone)]
struct Matrix {
    stored: Tensor,
    order: char,
}

impl Matrix {
    fn draw(rows: usize, columns: usize, order: char, rng: &mut Rng) -> Self {
        let shape = match order {
            'r' => [rows, columns],
            'c' => [columns, rows],
            _ => [rows, columns + 5],
        };
        Self { stored: Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng), order }
    }

    /// The matrix with its memory changed by `f`, which keeps the order.
    fn view(&self, f: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let stored = f(&self.stored);
        match self.order {
            'r' => stored,
            'c' => stored.t(),
            _ => stored.narrow(1, 3, stored.shape()[1] - 5),
        }
    }
}

/// Two operands in two orders.
fn matrices(m: usize, n: usize, k: usize, orders: &str, rng: &mut Rng) -> [Matrix; 2] {
    let mut orders = orders.chars();
    let mut draw = |rows, columns| Matrix::draw(rows, columns, orders.next().expect("two letters"), rng);
    [draw(m, k), draw(k, n)]
}

fn matrix_products(m: usize, n: usize, k: usize, orders: &[&str]) {
    let rng = &mut Rng::new(3);
    for orders in orders {
        let [a, b] = matrices(m, n, k, orders, rng);
        let (want, size) =
            (a.view(wide).matmul(&b.view(wide)), a.view(|x| wide(x).abs()).matmul(&b.view(|x| wide(x).abs())));
        for precision in PRECISIONS {
            let y = a.view(|x| there(x, precision)).matmul(&b.view(|x| there(x, precision)));
            check(&y, &want, &size, k, precision, &format!("[{m}, {k}]·[{k}, {n}] in {orders}"));
        }
    }
}

/// `y`, `dx` and `dw` of a convolution.
pub fn passes(x: &Tensor, w: &Tensor, b: &Tensor, dy: &Tensor, spec: &Conv2dSpec) -> [Tensor; 3] {
    let (x, w) = (x.tracked(), w.tracked());
    let y = x.conv2d(&w, Some(b), spec);
    let [dx, dw] =
        grad(&(&y * dy).sum(..), &[&x, &w], Order::First).expect("it has derivatives").try_into().expect("two");
    [y.detach(), dx, dw]
}

/// A convolution of 14 × 13 images, all passes.
fn convolution(channels: usize, filters: usize, kernel: [usize; 2], change: impl Fn(&mut Conv2dSpec)) {
    let mut spec = Conv2dSpec::new(WindowSpec::new(kernel));
    change(&mut spec);
    let rng = &mut Rng::new(5);
    let mut draw = |shape: [usize; 4]| Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng);
    let x = spec.format.shape([2, 14, 13, channels]);
    let x = draw([x[0], x[1], x[2], x[3]]);
    let w = draw([kernel[0], kernel[1], channels / spec.groups, filters]);
    let b = draw([1, 1, 1, filters]).reshape([filters]);
    let y = wide(&x).conv2d(&wide(&w), Some(&wide(&b)), &spec).shape();
    let dy = draw([y[0], y[1], y[2], y[3]]);
    let all = [&x, &w, &b, &dy];
    let [wx, ww, wb, wdy] = all.map(wide);
    let want = passes(&wx, &ww, &wb, &wdy, &spec);
    let size = passes(&wx.abs(), &ww.abs(), &wb.abs(), &wdy.abs(), &spec);
    let taps = kernel[0] * kernel[1];
    let depths = [taps * channels / spec.groups, taps * filters / spec.groups, 2 * 14 * 13];
    for precision in PRECISIONS {
        let [x, w, b, dy] = all.map(|x| there(x, precision));
        let got = passes(&x, &w, &b, &dy, &spec);
        for (i, name) in ["y", "dx", "dw"].iter().enumerate() {
            check(
                &got[i],
                &want[i],
                &size[i],
                depths[i],
                precision,
                &format!("{name} of {channels} → {filters}, {spec:?}"),
            );
        }
    }
}

on_device! {
    fn matrix_products_by_rows_and_columns() {
        matrix_products(129, 65, 33, &["rr", "rc", "cr", "cc"]);
        matrix_products(132, 68, 52, &["rr", "rc", "cr", "cc"]);
    }

    fn matrix_products_with_gaps() {
        matrix_products(64, 200, 49, &["gg", "rg", "cg"]);
    }

    fn deep_matrix_products_are_cut() {
        matrix_products(20, 24, 2000, &["rr", "cr"]);
    }

    fn matrix_products_in_batches_with_a_bias() {
        let rng = &mut Rng::new(7);
        let mut draw = |shape: &[usize]| Tensor::uniform(shape, -1.0, 1.0, DType::F32, rng);
        let (a, b, bias) = (draw(&[3, 70, 600]), draw(&[3, 600, 40]), draw(&[40]));
        let product = |x: [&Tensor; 3]| x[0].matmul(x[1]) + x[2];
        let (want, size) = (product([&a, &b, &bias].map(wide).each_ref()), product([&a, &b, &bias].map(|x| wide(x).abs()).each_ref()));
        for precision in PRECISIONS {
            let y = product([&a, &b, &bias].map(|x| there(x, precision)).each_ref());
            check(&y, &want, &size, 600, precision, "three products");
        }
    }

    fn convolutions_of_fours() {
        convolution(16, 20, [3, 3], |_| ());
    }

    fn convolutions_of_any_number_of_channels() {
        convolution(5, 30, [3, 2], |spec| spec.window.padding = Padding::Same);
    }

    fn convolutions_of_many_filters() {
        convolution(12, 70, [1, 1], |_| ());
    }

    fn convolutions_with_channels_first() {
        convolution(16, 20, [3, 3], |spec| spec.format = DataFormat::ChannelsFirst);
    }

    fn convolutions_with_strides_and_dilation() {
        convolution(8, 68, [3, 3], |spec| {
            spec.window.stride = [2, 3];
            spec.window.dilation = [1, 2];
            spec.window.padding = Padding::Explicit([2, 1, 3, 0]);
        });
    }

    fn convolutions_in_groups() {
        convolution(24, 48, [3, 3], |spec| spec.groups = 3);
        convolution(10, 10, [3, 3], |spec| spec.groups = 5);
    }

    fn fp32_is_as_exact_as_on_the_cpu() {
        let rng = &mut Rng::new(9);
        let [a, b] = matrices(128, 64, 1024, "rr", rng).map(|x| x.stored);
        let (want, size) = (wide(&a).matmul(&wide(&b)), wide(&a).abs().matmul(&wide(&b).abs()));
        let of = |precision| error(&there(&a, precision).matmul(&there(&b, precision)), &want, &size);
        let here = error(&a.matmul(&b), &want, &size);
        let [fp32, tf32, bf16] = PRECISIONS.map(of);
        println!("errors: fp32 on the CPU {here:.1e}; fp32 {fp32:.1e}, tf32 {tf32:.1e}, bf16 {bf16:.1e}");
        assert!(fp32 <= 2.0 * here, "fp32: {fp32:e}, on the CPU {here:e}");
        assert!(tf32 > 20.0 * fp32 && bf16 > 4.0 * tf32, "fp32 {fp32:e}, tf32 {tf32:e}, bf16 {bf16:e}");
    }

    fn numbers_that_are_not_finite_go_where_they_go_on_the_cpu() {
        let rng = &mut Rng::new(10);
        let [a, b] = matrices(140, 70, 80, "rr", rng).map(|x| x.stored);
        let mut values = a.to_vec::<f32>();
        for (row, value) in [(3, f32::INFINITY), (50, f32::NEG_INFINITY), (70, f32::NAN), (90, f32::MAX), (139, 1e38)] {
            values[row * 80 + row % 80] = value;
        }
        let a = Tensor::from_slice(&values, [140, 80]);
        let y = there(&a, MatmulPrecision::Fp32).matmul(&there(&b, MatmulPrecision::Fp32)).to_vec::<f32>();
        for (i, (got, want)) in y.into_iter().zip(a.matmul(&b).to_vec::<f32>()).enumerate() {
            let same = got == want || (got.is_nan() && want.is_nan()) || (got - want).abs() <= 1e-5 * want.abs().max(1.0);
            assert!(same, "element {i} is {got}, on the CPU {want}");
        }
    }

    fn precisions_do_not_mix_and_lead_to_each_other() {
        let x = Tensor::from([[1.0_f32 + 1.0 / 1024.0, 2.0], [3.0, 4.0]]);
        let (tf32, bf16) = (there(&x, MatmulPrecision::Tf32), there(&x, MatmulPrecision::Bf16));
        assert_eq!((tf32.device().precision(), bf16.device().to_string().as_str()), (MatmulPrecision::Tf32, "cuda:0 (bf16)"));
        assert!(tf32.device().describe().contains("tf32"), "{}", tf32.device().describe());
        let panic = std::panic::catch_unwind(|| &tf32 + &bf16).unwrap_err();
        let text = panic.downcast_ref::<String>().expect("a message");
        assert!(text.contains("cuda:0 (tf32)") && text.contains("cuda:0 (bf16)") && text.contains("to_device"), "{text}");
        let moved = tf32.to_device(&bf16.device()).expect("it fits");
        assert_eq!(moved.to_vec::<f32>(), x.to_vec::<f32>(), "nothing is rounded but in products");
        let one = Tensor::from([[1.0_f32], [0.0]]);
        let first = |x: &Tensor| x.matmul(&one.to_device(&x.device()).expect("it fits")).to_vec::<f32>()[0];
        assert_eq!((first(&tf32), first(&moved)), (1.0 + 1.0 / 1024.0, 1.0));
    }

    fn small_gradients_survive_in_every_precision() {
        for precision in PRECISIONS {
            let w = there(&Tensor::full([32, 16], 0.5, DType::F32), precision).tracked();
            let x = there(&Tensor::full([8, 32], 1e-15, DType::F32), precision);
            let loss = x.matmul(&w).sum(..) * 1e-15;
            let dw = loss.backward().get(&w).expect("a gradient").to_vec::<f32>();
            assert!(dw.iter().all(|d| (d / 8e-30 - 1.0).abs() <= 2f32.powi(-7)), "{precision}: {}", dw[0]);
        }
    }

    fn training_learns_in_every_precision() {
        let rng = &mut Rng::new(12);
        let x = Tensor::normal([64, 24], 0.0, 1.0, DType::F32, rng);
        let y = x.matmul(&Tensor::normal([24, 8], 0.0, 1.0, DType::F32, rng)).relu();
        let losses = PRECISIONS.map(|precision| {
            let [x, y] = [&x, &y].map(|x| there(x, precision));
            let model = Sequential::new([24]).add(Dense::new(64).activation(Relu)).add(Dense::new(8));
            let mut model = model.build(&in_precision(precision), Seed(1)).expect("the layers fit");
            model.compile(Adam::default(), MeanSquaredError, [MeanAbsoluteError]);
            let losses: Vec<f64> = (0..30).map(|_| model.train_step(&x, &y).expect("a step")[0]).collect();
            assert!(losses[29] < 0.8 * losses[0], "{precision}: {losses:?}");
            losses[29]
        });
        assert!(losses.iter().all(|loss| (loss / losses[0] - 1.0).abs() < 0.02) && losses[1] != losses[0], "{losses:?}");
    }
}

/// A product of 256³ in each order, and a convolution of all passes.
fn aligned_work() {
    let rng = &mut Rng::new(11);
    for orders in ["rr", "rc", "cr"] {
        let [a, b] = matrices(256, 256, 256, orders, rng);
        for precision in PRECISIONS {
            a.view(|x| there(x, precision)).matmul(&b.view(|x| there(x, precision)));
        }
    }
    convolution(32, 64, [3, 3], |_| ());
}

#[test]
fn no_bank_conflicts_and_no_needless_sectors() {
    let path = concat!(module_path!(), "::no_bank_conflicts_and_no_needless_sectors");
    let Some(report) = counts_in(path, || simulator(this_program()), aligned_work) else { return };
    let tensor: Vec<_> = report.iter().filter(|(_, counts)| counts["macs"] > 0).collect();
    assert_eq!(tensor.len(), 3 + 3, "{tensor:?}");
    for (name, counts) in tensor {
        assert_eq!(counts["bank_conflicts"], 0, "{name}: {counts:?}");
        if name.starts_with("gemm") {
            // three precisions: 3 + 1 + 1 products, 4 tiles that read 2·128·256 numbers each, and a result
            assert_eq!(counts["macs"], 5 * 256 * 256 * 256, "{name}");
            assert_eq!(counts["sectors"], 3 * (4 * 2 * 128 * 256 + 256 * 256) / 8, "{name}");
        }
    }
}

/// Products and a convolution that are copied element by element.
fn scattered_work() {
    let rng = &mut Rng::new(11);
    for orders in ["rr", "rc", "cr"] {
        let [a, b] = matrices(254, 250, 253, orders, rng);
        for precision in PRECISIONS {
            a.view(|x| there(x, precision)).matmul(&b.view(|x| there(x, precision)));
        }
    }
    convolution(31, 61, [3, 3], |_| ());
    convolution(31, 61, [3, 3], |spec| spec.format = DataFormat::ChannelsFirst);
}

#[test]
fn elements_are_copied_by_neighbours() {
    let path = concat!(module_path!(), "::elements_are_copied_by_neighbours");
    let Some(report) = counts_in(path, || simulator(this_program()), scattered_work) else { return };
    let tensor: Vec<_> = report.iter().filter(|(_, counts)| counts["macs"] > 0).collect();
    assert_eq!(tensor.len(), 3 + 3, "{tensor:?}");
    for (name, counts) in tensor {
        // 32 lanes that are no neighbours take 32
        assert!(counts["sectors"] <= 8 * counts["global_requests"], "{name}: {counts:?}");
    }
}

#[test]
fn a_gpu_without_tensor_cores_has_fp32() {
    let path = concat!(module_path!(), "::a_gpu_without_tensor_cores_has_fp32");
    let old = || {
        let mut command = simulator(this_program());
        command.env("PTXSIM_ARCH", "75");
        command
    };
    let report = counts_in(path, old, || {
        let error = device().with_precision(MatmulPrecision::Tf32).unwrap_err().to_string();
        assert!(error.contains("compute capability 7.5") && error.contains("tf32") && error.contains("8.0"), "{error}");
        let rng = &mut Rng::new(12);
        let [a, b] = matrices(100, 80, 90, "rr", rng).map(|x| x.stored);
        let y = there(&a, MatmulPrecision::Fp32).relu().matmul(&there(&b, MatmulPrecision::Fp32));
        let close = |(got, want): (&f32, &f32)| (got - want).abs() <= 1e-5;
        assert!(y.to_vec::<f32>().iter().zip(&a.relu().matmul(&b).to_vec::<f32>()).all(close));
    });
    let Some(report) = report else { return };
    assert!(report.contains_key("gemm_f32") && report.values().all(|counts| counts["macs"] == 0), "{report:?}");
}

#[test]
fn the_cpu_has_fp32() {
    assert_eq!(Device::Cpu.with_precision(MatmulPrecision::Fp32).unwrap(), Device::Cpu);
    let error = Device::Cpu.with_precision(MatmulPrecision::Bf16).unwrap_err().to_string();
    assert!(error.contains("[cpu]") && error.contains("bf16") && error.contains("hint:"), "{error}");
}
