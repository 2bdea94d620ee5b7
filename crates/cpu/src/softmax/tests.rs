use super::{softmax, softmax_cross_entropy, softmax_cross_entropy_dx};
use crate::Buffer;
use crate::cases::*;
use crate::naive::softmax as naive;
use crate::simd::SimdFloat;
use cotangent_base::{Layout, View};

fn agrees<T: SimdFloat>(name: &str, x: View<Buffer>, values: &[f64]) {
    let shape = x.shape();
    let columns = *shape.last().unwrap();
    assert_near::<T>(&softmax(x, false), &naive::softmax(values, columns), 8.0, name);
    assert_near::<T>(&softmax(x, true), &naive::log_softmax(values, columns), 16.0, name);
    if shape.rank() != 2 || columns == 0 {
        return;
    }
    let labels: Vec<i64> = (0..shape[0]).map(|i| (7 * i % columns) as i64).collect();
    // every other element of a longer buffer
    let spread = Buffer::from_slice(&labels.iter().flat_map(|&label| [label, -1]).collect::<Vec<_>>());
    let spread = View { buffer: &spread, layout: Layout::new([shape[0]].into(), &[2], 0) };
    let (loss, p) = softmax_cross_entropy(x, spread);
    assert_near::<T>(&loss, &naive::cross_entropy(values, columns, &labels), 16.0, name);
    assert_near::<T>(&p, &naive::softmax(values, columns), 8.0, name);
    let dy = numbers(shape[0], 3);
    let cotangent = buffer::<T>(&dy);
    let dx = softmax_cross_entropy_dx(whole(&p, shape), spread, whole(&cotangent, [shape[0]]));
    let want = naive::cross_entropy_dx(&crate::cases::values(&p), columns, &labels, &dy);
    assert_near::<T>(&dx, &want, 4.0, name);
}

#[test]
fn agrees_with_the_naive_loops_on_every_layout() {
    for shape in [vec![10], vec![5, 10], vec![3, 33], vec![2, 3, 4]] {
        for_views::<f32>(shape.clone(), 1, agrees::<f32>);
        for_views::<f64>(shape, 1, agrees::<f64>);
    }
}

#[test]
fn agrees_with_the_naive_loops_at_every_size() {
    for n in SIZES.into_iter().chain([1024, 1025, 5003]) {
        let values = numbers(3 * n, 2);
        let (single, double) = (buffer::<f32>(&values), buffer::<f64>(&values));
        agrees::<f32>("contiguous", whole(&single, [3, n]), &crate::cases::values(&single));
        agrees::<f64>("contiguous", whole(&double, [3, n]), &values);
    }
    let empty = Buffer::from_slice::<f32>(&[]);
    assert!(softmax(whole(&empty, [0, 10]), false).is_empty());
}

#[test]
fn great_and_infinite_logits_do_what_they_should() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for pad in [0, 20] {
        let of = |row: &[f32], log| {
            let row: Vec<f32> = row.iter().copied().chain(vec![-inf; pad]).collect();
            values(&softmax(whole(&Buffer::from_slice(&row), [1, row.len()]), log))
        };
        assert_eq!(of(&[1000.0, 1000.0], false)[..2], [0.5, 0.5]);
        assert_eq!(of(&[-1000.0, 0.0], true)[..2], [-1000.0, 0.0]);
        assert_eq!(of(&[-inf, 3.0], false)[..2], [0.0, 1.0]);
        for row in [[-inf, -inf], [inf, 0.0], [nan, 0.0], [0.0, nan]] {
            assert!(of(&row, false).iter().all(|y| y.is_nan()), "{row:?}");
            assert!(of(&row, true)[0].is_nan(), "{row:?}");
        }
    }
    let x = Buffer::from_slice(&[0.0_f32, -inf]);
    let labels = Buffer::from_slice(&[1_i64]);
    let (loss, _) = softmax_cross_entropy(whole(&x, [1, 2]), whole(&labels, [1]));
    assert_eq!(values(&loss), [f64::INFINITY]);
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = buffer::<f32>(&numbers(60_000, 6));
    for columns in [10, 600, 60_000] {
        let rows = 60_000 / columns;
        let labels = Buffer::from_slice(&vec![3_i64; rows]);
        let dy = buffer::<f32>(&numbers(rows, 7));
        assert_same_on_any_threads(|| {
            let (loss, p) = softmax_cross_entropy(whole(&x, [rows, columns]), whole(&labels, [rows]));
            let dx = softmax_cross_entropy_dx(whole(&p, [rows, columns]), whole(&labels, [rows]), whole(&dy, [rows]));
            vec![loss, p, dx, softmax(whole(&x, [rows, columns]), true)]
        });
    }
}
