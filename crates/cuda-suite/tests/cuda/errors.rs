//! What the device cannot do is said, and the device works on.

use std::panic::catch_unwind;

use cotangent::{DType, Device, Tensor};
use cotangent_cuda_suite::{device, on_device};

fn there(values: &[f32]) -> Tensor {
    Tensor::from_slice(values, [values.len()]).to_device(&device()).expect("it fits")
}

on_device! {
    fn tensors_come_back_as_they_went() {
        let x = there(&[1.0, -0.0, f32::INFINITY, 1e-40]);
        assert_eq!(x.device(), device());
        assert_eq!(x.to_vec::<f32>(), [1.0, -0.0, f32::INFINITY, 1e-40]);
        let big: Vec<i64> = (0..3_000_000).collect();
        let there = Tensor::from_slice(&big, [big.len()]).to_device(&device()).unwrap();
        assert_eq!(there.to_device(&Device::Cpu).unwrap().to_vec::<i64>(), big);
    }

    fn devices_do_not_mix() {
        let (here, there) = (Tensor::from([1.0_f32, 2.0]), there(&[3.0, 4.0]));
        let panic = catch_unwind(|| &here + &there).unwrap_err();
        let text = panic.downcast_ref::<String>().expect("a message");
        assert!(text.contains("[add]") && text.contains("cpu") && text.contains(&there.device().to_string()), "{text}");
    }

    fn too_much_memory_is_an_error_and_the_device_works_on() {
        let x = there(&[1.0]);
        let error = Device::attempt(|| (0..64).map(|_| x.new_full([1 << 30], 0.0)).collect::<Vec<_>>()).err();
        let error = error.expect("256 GiB are more than there are").to_string();
        assert!(error.contains("no 4096 MiB of memory") && error.contains("free") && error.contains("hint:"), "{error}");
        assert_eq!((&x + &x).item(), 2.0);
    }

    fn no_such_device_is_an_error() {
        let error = Device::cuda(7).unwrap_err().to_string();
        assert!(error.contains("[cuda:7]") && error.contains("ordinals are 0 to 0"), "{error}");
    }

    fn casts_are_those_of_rust() {
        let values = [0.0, -0.5, 0.5, 2.5, -1.0, 255.0, 256.0, 3e9, -3e9, 1e19, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        let (here, there) = (Tensor::from(values), there(&values));
        for to in DType::ALL {
            let (want, got) = (here.cast(to), there.cast(to));
            for back in [DType::F64, DType::I64, DType::U8, DType::Bool] {
                let text = |x: &Tensor| format!("{x:?}");
                let got = got.cast(back).to_device(&Device::Cpu).unwrap();
                assert_eq!(text(&got), text(&want.cast(back)), "f32 to {to} to {back}");
            }
        }
    }
}
