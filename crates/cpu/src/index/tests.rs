use super::{gather, index_add, index_select, scatter_add};
use crate::Buffer;
use crate::cases::*;
use crate::naive::index as naive;
use cotangent_base::{DType, Element, Shape, View};

/// `count` indices below `size`, with repetitions.
fn indices(count: usize, size: usize) -> Vec<i64> {
    (0..count).map(|i| ((i * i + 3 * i) % size) as i64).collect()
}

fn agrees<T: Element>(name: &str, x: View<Buffer>, all: &[f64]) {
    let shape = x.shape();
    for axis in 0..shape.rank() {
        let name = format!("{name} along {axis}");
        for count in [0, 1, 5] {
            let index = indices(count, shape[axis]);
            let slices = Buffer::from_slice(&index);
            let (each, picked) = naive::of_slices(&shape, axis, &index);
            let got = index_select(x, axis, whole(&slices, [count]));
            assert_eq!(values(&got), naive::gather(all, &shape, axis, &each, &picked), "select {name}");

            let zeros = vec![0.0; shape.with(axis, 7).count()];
            let (index, shape) = (indices(shape[axis], 7), shape);
            let (each, _) = naive::of_slices(&shape, axis, &index);
            let want = naive::scatter_add(&zeros, &shape.with(axis, 7), axis, &each, &shape, all);
            let got = index_add(x, axis, whole(&Buffer::from_slice(&index), [index.len()]), 7);
            assert_eq!(values(&got), want, "add {name}");
        }
        // an index longer along the axis, shorter along the others
        let smaller: Vec<usize> =
            (0..shape.rank()).map(|a| if a == axis { shape[a] + 2 } else { shape[a] - 1 }).collect();
        for picked in [Shape::new(&smaller), shape] {
            let index = indices(picked.count(), shape[axis]);
            let buffer = Buffer::from_slice(&index);
            let got = gather(x, axis, whole(&buffer, picked));
            assert_eq!(values(&got), naive::gather(all, &shape, axis, &index, &picked), "gather {name}");

            let terms: Vec<f64> = (0..picked.count()).map(|i| (i % 3) as f64).collect();
            let got = scatter_add(x, axis, whole(&buffer, picked), whole(&crate::cases::buffer::<T>(&terms), picked));
            let want = naive::scatter_add(all, &shape, axis, &index, &picked, &terms);
            assert_eq!(values(&got), want, "scatter {name}");
        }
    }
}

/// `for_views` with elements that are small integers: exact in every dtype, and so are their sums.
fn for_integer_views<T: Element>(shape: impl Into<Shape>) {
    for (name, layout) in layouts(shape.into()) {
        let all: Vec<f64> = (0..layout.end()).map(|i| (i * 7 % 11) as f64).collect();
        let x = buffer::<T>(&all);
        let values: Vec<f64> = layout.places().map(|place| all[place]).collect();
        agrees::<T>(&format!("{name} {}", layout.shape), View { buffer: &x, layout }, &values);
    }
}

#[test]
fn agrees_with_the_naive_loops() {
    for shape in [vec![6], vec![4, 5], vec![3, 2, 4], vec![2, 3, 1, 17]] {
        for_integer_views::<f32>(shape.clone());
        for_integer_views::<f64>(shape.clone());
        for_integer_views::<u8>(shape.clone());
        for_integer_views::<u32>(shape.clone());
        for_integer_views::<i64>(shape);
    }
}

#[test]
fn picks_bools() {
    let x = Buffer::from_slice(&[true, false, false, true]);
    let index = Buffer::from_slice(&[1_i64, 0, 1]);
    let rows = index_select(whole(&x, [2, 2]), 0, whole(&index, [3]));
    assert_eq!(rows.as_slice::<bool>(), [false, true, true, false, false, true]);
    assert_eq!(gather(whole(&x, [4]), 0, whole(&index, [3])).as_slice::<bool>(), [false, true, false]);
}

#[test]
fn nothing_is_picked_from_nothing() {
    let (x, index) = (Buffer::uninit(DType::F32, 0), Buffer::uninit(DType::I64, 0));
    assert!(index_select(whole(&x, [3, 0]), 1, whole(&index, [0])).is_empty());
    assert!(gather(whole(&x, [3, 0]), 1, whole(&index, [3, 0])).is_empty());
    assert_eq!(values(&index_add(whole(&x, [0, 2]), 0, whole(&index, [0]), 3)), [0.0; 6]);
    let base = Buffer::from_slice(&[1.0_f32, 2.0]);
    assert_eq!(values(&scatter_add(whole(&base, [2]), 0, whole(&index, [0]), whole(&x, [0]))), [1.0, 2.0]);
}

#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let x = buffer::<f32>(&numbers(200_000, 1));
    let index = Buffer::from_slice(&indices(2000, 37));
    let each = Buffer::from_slice(&indices(200_000, 100));
    let base = buffer::<f32>(&numbers(2000 * 100, 2));
    assert_same_on_any_threads(|| {
        let slices = index_add(whole(&x, [2000, 100]), 0, whole(&index, [2000]), 37);
        let rows = scatter_add(whole(&base, [2000, 100]), 1, whole(&each, [2000, 100]), whole(&x, [2000, 100]));
        let columns = scatter_add(whole(&base, [2000, 100]), 0, whole(&each, [2000, 100]), whole(&x, [2000, 100]));
        vec![slices, rows, columns]
    });
}
