//! Taking and adding by index, along every axis of up to six.

use super::same::{assert_gradients, whole};
use cotangent::Tensor;
use cotangent_base::{DType, Kernels, Layout, Shape, View};
use cotangent_cpu::CpuDevice;
use cotangent_cuda::CudaDevice;
use cotangent_cuda_suite::on_device;

const SHAPES: [&[usize]; 4] = [&[5], &[37, 19], &[4, 1, 6, 3], &[3, 2, 4, 3, 2, 5]];

/// Indices along `axis`, of which some repeat and some are missing.
fn indices(count: usize, size: usize) -> Vec<i64> {
    (0..count).map(|i| ((i * i + i / 3) % size) as i64).collect()
}

fn view<B>(buffer: &B, shape: Shape) -> View<'_, B> {
    View { buffer, layout: Layout::contiguous(shape) }
}

/// `index_add` of a matrix of numbers, by any device's kernels.
fn added<K: Kernels>(device: &K, numbers: &[f64], dtype: DType, axis: usize) -> Vec<f64> {
    let shape = Shape::from([43, 31]);
    let x = device.upload(numbers).expect("it fits");
    let index = device.upload(&indices(shape[axis], 9)).expect("it fits");
    let x = device.cast(view(&x, shape), dtype);
    let y = device.index_add(view(&x, shape), axis, view(&index, Shape::from([shape[axis]])), 11);
    let shape = shape.with(axis, 11);
    device.download(view(&device.cast(view(&y, shape), DType::F64), shape))
}

on_device! {
    fn slices_by_index_along_every_axis() {
        for shape in SHAPES {
            for axis in 0..shape.len() {
                let index = indices(7, shape[axis]);
                let take = |x: &[Tensor]| {
                    let index = Tensor::from_slice(&index, [index.len()]).to_device(&x[0].device()).expect("it fits");
                    x[0].index_select(axis as isize, &index)
                };
                assert_gradients(&format!("axis {axis} of {shape:?}"), &[whole(shape)], 0.0, take);
            }
        }
    }

    fn elements_by_index_along_every_axis() {
        for shape in SHAPES {
            for axis in 0..shape.len() {
                let count = shape.iter().product();
                let index = Tensor::from_slice(&indices(count, shape[axis]), shape);
                let there = |x: &Tensor| index.to_device(&x.device()).expect("it fits");
                let what = format!("axis {axis} of {shape:?}");
                assert_gradients(&what, &[whole(shape)], 0.0, |x| x[0].gather(axis as isize, &there(&x[0])));
                let add = |x: &[Tensor]| x[0].scatter_add(axis as isize, &there(&x[0]), &x[1]);
                assert_gradients(&what, &[whole(shape), whole(shape)], 0.0, add);
            }
        }
    }

    fn views_are_added_by_index() {
        let index = Tensor::from_slice(&indices(6 * 4 * 5, 6), [5, 4, 6]);
        let add = |x: &[Tensor]| {
            let index = index.to_device(&x[0].device()).expect("it fits").permute(&[2, 1, 0]);
            x[0].permute(&[1, 2, 0]).scatter_add(0, &index, &x[1].narrow(1, 1, 4))
        };
        assert_gradients("of views", &[whole(&[5, 6, 4]), whole(&[6, 6, 5])], 0.0, add);
    }

    fn every_dtype_is_added_by_index() {
        let numbers: Vec<f64> = (0..43 * 31).map(|i| ((i * 13) % 61) as f64).collect();
        let there = CudaDevice::get(0).expect("a CUDA device");
        for dtype in [DType::F32, DType::F64, DType::U32, DType::I64, DType::U8] {
            for axis in [0, 1] {
                let (got, want) = (added(&there, &numbers, dtype, axis), added(&CpuDevice, &numbers, dtype, axis));
                assert_eq!(got, want, "axis {axis} in {dtype}");
            }
        }
    }
}
