//! Numbers whose sums and products are exact, so that device and CPU must agree to the last bit whatever the order.

use cotangent::{DType, Device, Tensor};
use cotangent_cuda_suite::device;

/// Whole numbers from −5 to 5 with no short period.
pub fn whole(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| ((i * 7 + i / 11 * 3 + i / 130 + 3) % 11) as f64 - 5.0).collect();
    Tensor::from_slice(&values, shape).cast(DType::F32)
}

/// The tensors on the device.
pub fn there(x: &[Tensor]) -> Vec<Tensor> {
    x.iter().map(|x| x.to_device(&device()).expect("it fits")).collect()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    x.detach().to_device(&Device::Cpu).expect("it comes back").cast(DType::F64).to_vec()
}

/// Fails unless the values are the same, or are within `bound` of the greatest of them.
#[track_caller]
pub fn assert_near(what: &str, got: &Tensor, want: &Tensor, bound: f64) {
    assert_eq!((got.shape(), got.dtype()), (want.shape(), want.dtype()), "{what}");
    let (got, want) = (numbers(got), numbers(want));
    let scale = want.iter().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let same = got == want || (got.is_nan() && want.is_nan());
        if !(same || (got - want).abs() <= bound * scale) {
            panic!("{what}: element {i} is {got}, on the CPU {want}");
        }
    }
}

/// Fails unless `f` gives the same on the device as on the CPU.
#[track_caller]
pub fn assert_same(what: &str, x: &[Tensor], f: impl Fn(&[Tensor]) -> Tensor) {
    assert_near(what, &f(&there(x)), &f(x), 0.0);
}

/// Fails unless `f` and its gradients by all operands are the CPU's, within `bound`; in f32 and in f64.
#[track_caller]
pub fn assert_gradients(what: &str, x: &[Tensor], bound: f64, f: impl Fn(&[Tensor]) -> Tensor) {
    for dtype in [DType::F32, DType::F64] {
        let here: Vec<Tensor> = x.iter().map(|x| x.cast(dtype)).collect();
        let run = |x: &[Tensor]| {
            let x: Vec<Tensor> = x.iter().map(Tensor::tracked).collect();
            let y = f(&x);
            let dy = whole(&y.shape()).cast(dtype).to_device(&y.device()).expect("it fits");
            let grads = y.backward_with(&dy);
            let of = |x: &Tensor| grads.get(x).expect("every operand has one").clone();
            std::iter::once(y.detach()).chain(x.iter().map(of)).collect::<Vec<Tensor>>()
        };
        for (k, (got, want)) in run(&there(&here)).iter().zip(&run(&here)).enumerate() {
            assert_near(&format!("{what} in {dtype}, result {k}"), got, want, bound);
        }
    }
}
