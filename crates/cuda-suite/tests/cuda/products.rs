//! Matrix products at sizes around the edges of the kernels' tiles, and along long sums that are cut in parts.

use super::same::{assert_gradients, whole};
use cotangent::Tensor;
use cotangent_cuda_suite::on_device;

/// Rows, depth, columns.
const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [2, 3, 5],
    [63, 15, 65],
    [65, 16, 63],
    [64, 17, 64],
    [130, 33, 3],
    [3, 31, 131],
    [1, 300, 7],
    [7, 1030, 1],
    [66, 520, 70],
    [4, 2, 260],
    [129, 1, 129],
];

on_device! {
    fn products_of_every_size() {
        for [m, k, n] in SIZES {
            let (a, b) = (whole(&[m, k]), whole(&[k, n]));
            assert_gradients(&format!("{m} × {k} × {n}"), &[a, b], 0.0, |x| x[0].matmul(&x[1]));
            let (a, b, bias) = (whole(&[m, k]), whole(&[k, n]), whole(&[n]));
            assert_gradients(&format!("{m} × {k} × {n} and a bias"), &[a, b, bias], 0.0, |x| x[0].linear(&x[1], Some(&x[2])));
        }
    }

    fn products_of_transposed_and_strided_matrices() {
        for [m, k, n] in [[5, 9, 3], [70, 20, 66], [3, 600, 5]] {
            let (a, b) = (whole(&[k, m]), whole(&[n, k]));
            assert_gradients(&format!("({k} × {m})ᵀ by ({n} × {k})ᵀ"), &[a, b], 0.0, |x| x[0].t().matmul(&x[1].t()));
            let (a, b) = (whole(&[2 * m, k + 3]), whole(&[k, n + 1]));
            let strided = |x: &[Tensor]| x[0].slice_step(0, .., 2).narrow(1, 2, k).matmul(&x[1].narrow(1, 1, n));
            assert_gradients(&format!("strided {m} × {k} × {n}"), &[a, b], 0.0, strided);
        }
    }

    fn products_of_many_matrices() {
        for (lead, [m, k, n]) in [(vec![3], [5, 7, 6]), (vec![2, 3], [65, 4, 9]), (vec![70], [1, 300, 2])] {
            let shape = |a: usize, b: usize| lead.iter().copied().chain([a, b]).collect::<Vec<usize>>();
            let (a, b) = (whole(&shape(m, k)), whole(&shape(k, n)));
            assert_gradients(&format!("{lead:?} of {m} × {k} × {n}"), &[a, b], 0.0, |x| x[0].matmul(&x[1]));
            let (a, b) = (whole(&shape(m, k)), whole(&[k, n]));
            assert_gradients(&format!("{lead:?} of {m} × {k} by one {k} × {n}"), &[a, b], 0.0, |x| x[0].matmul(&x[1]));
        }
    }
}
