//! What the kernels' tests share: numbers, views of every kind, comparisons, thread pools.

use crate::Buffer;
use cotangent_base::{DType, Element, Float, Layout, Shape, Stream, View, rng};

/// Sizes around the widths of vectors and blocks.
pub const SIZES: [usize; 14] = [0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 127, 129, 1021];

/// `count` numbers in [−1, 1).
pub fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let stream = Stream { seed, stream: 0 };
    (0..count as u64).map(|i| 2.0 * rng::unit_f64(stream.word(2 * i), stream.word(2 * i + 1)) - 1.0).collect()
}

/// A buffer of `values` as `T`.
pub fn buffer<T: Element>(values: &[f64]) -> Buffer {
    Buffer::from_slice(&values.iter().map(|&x| T::from_f64(x)).collect::<Vec<T>>())
}

/// The whole buffer in this shape.
pub fn whole(buffer: &Buffer, shape: impl Into<Shape>) -> View<'_, Buffer> {
    View { buffer, layout: Layout::contiguous(shape.into()) }
}

/// Views of `shape` in every kind of layout, by name.
pub fn layouts(shape: Shape) -> Vec<(&'static str, Layout)> {
    let rank = shape.rank();
    let backwards: Vec<usize> = (0..rank).rev().collect();
    let sizes: Vec<usize> = shape.iter().rev().copied().collect();
    let transposed = Layout::contiguous(Shape::new(&sizes)).permute(&backwards);
    let wider: Vec<usize> = shape.iter().map(|n| 2 * n + 1).collect();
    let mut strided = Layout::contiguous(Shape::new(&wider));
    let mut reversed = Layout::contiguous(shape);
    for axis in 0..rank {
        strided = strided.slice(axis, 1, shape[axis], 2);
        reversed = reversed.slice(axis, shape[axis].max(1) - 1, shape[axis], -1);
    }
    let mut all = vec![
        ("contiguous", Layout::contiguous(shape)),
        ("offset", Layout::new(shape, Layout::contiguous(shape).strides(), 5)),
        ("transposed", transposed),
        ("strided", strided),
        ("reversed", reversed),
    ];
    for (name, axis) in [("broadcast along the first axis", 0), ("broadcast along the last axis", rank.max(1) - 1)] {
        if rank > 0 && shape[axis] > 0 {
            all.push((name, Layout::contiguous(shape.with(axis, 1)).expand(shape).expect("an axis of 1 stretches")));
        }
    }
    all
}

/// Calls `test` with the name, a view and its elements for every kind of layout of `shape`.
pub fn for_views<T: Element>(shape: impl Into<Shape>, seed: u64, mut test: impl FnMut(&str, View<Buffer>, &[f64])) {
    for (name, layout) in layouts(shape.into()) {
        let buffer = buffer::<T>(&numbers(layout.end(), seed));
        let all: Vec<f64> = buffer.as_slice::<T>().iter().map(|x| x.to_f64()).collect();
        let values: Vec<f64> = layout.places().map(|place| all[place]).collect();
        test(&format!("{name} {}", layout.shape), View { buffer: &buffer, layout }, &values);
    }
}

/// The elements as f64.
pub fn values(buffer: &Buffer) -> Vec<f64> {
    crate::dispatch::for_dtype!(buffer.dtype(), T => buffer.as_slice::<T>().iter().map(|x| x.to_f64()).collect())
}

/// Asserts that `got` is within `roundings` units in the last place (of 1, or of `want` if that is more).
#[track_caller]
pub fn assert_near<T: Float>(got: &Buffer, want: &[f64], roundings: f64, what: &str) {
    assert_eq!(got.dtype(), T::DTYPE, "{what}: the dtype");
    let got = values(got);
    assert_eq!(got.len(), want.len(), "{what}: the number of elements");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let tolerance = roundings * T::UNIT_ROUNDOFF * want.abs().max(1.0);
        // an infinite result allows no error: infinity less a number is not above infinity
        let within = want.is_finite() && (got - want).abs() <= tolerance;
        let near = within || got == want || (got.is_nan() && want.is_nan());
        assert!(near, "{what}: element {i} is {got}, wants {want} ± {tolerance}");
    }
}

/// The bits of the elements.
fn bits(buffer: &Buffer) -> Vec<u64> {
    match buffer.dtype() {
        DType::F32 => buffer.as_slice::<f32>().iter().map(|x| x.to_bits() as u64).collect(),
        DType::F64 => buffer.as_slice::<f64>().iter().map(|x| x.to_bits()).collect(),
        _ => values(buffer).into_iter().map(|x| x as u64).collect(),
    }
}

/// Asserts that `make` gives the same bits on 1, 2 and 3 threads.
#[track_caller]
pub fn assert_same_on_any_threads(make: impl Fn() -> Vec<Buffer> + Sync) {
    let run = |threads: usize| -> Vec<Vec<u64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool starts");
        pool.install(|| make().iter().map(bits).collect())
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3), "the bits depend on the number of threads");
}

/// Layouts of many kinds and sizes: contiguous, transposed, strided, reversed, broadcast, offset, empty, and
/// longer than one block of any kernel.
pub fn every_layout() -> Vec<Layout> {
    let mut all: Vec<Layout> = [0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 1023, 1024, 1025, 70_001]
        .into_iter()
        .map(|n| Layout::contiguous(Shape::from([n])))
        .collect();
    for sizes in [[0, 3, 2], [1, 1, 1], [2, 3, 4], [5, 1, 9], [3, 17, 33], [2, 70, 41]] {
        let full = Layout::contiguous(Shape::from(sizes));
        let wide = Layout::contiguous(Shape::from([sizes[0] + 1, sizes[1] + 2, 3 * sizes[2] + 1]));
        all.push(full);
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            all.push(full.permute(&order));
        }
        all.push(wide.slice(0, 1, sizes[0], 1).slice(1, 2, sizes[1], 1).slice(2, 1, sizes[2], 3));
        if full.shape.count() > 0 {
            all.push(full.slice(2, sizes[2] - 1, sizes[2], -1));
            all.push(full.slice(0, sizes[0] - 1, sizes[0], -1).permute(&[1, 2, 0]));
        }
        all.push(Layout::contiguous([sizes[2]].into()).expand(full.shape).expect("a row fits"));
        all.push(Layout::contiguous([sizes[1], 1].into()).expand(full.shape).expect("a column fits"));
        all.push(Layout::contiguous(Shape::SCALAR).expand(full.shape).expect("a scalar fits"));
    }
    all.push(Layout::contiguous(Shape::SCALAR));
    all.push(Layout::new([300, 300].into(), &[1, 300], 5));
    all
}

/// Some numbers for `layout` to choose from, all different in their neighbourhood, both signs.
pub fn some_numbers<T: Element>(layout: &Layout, salt: usize) -> Buffer {
    let number = |i: usize| ((i * 37 + salt * 101) % 251) as f64 / 16.0 - 7.0;
    Buffer::from_slice(&(0..layout.end()).map(|i| T::from_f64(number(i))).collect::<Vec<_>>())
}

/// Each of these comparisons must fail; says which does not.
pub fn assert_all_fail(comparisons: &[(&str, &(dyn Fn() + std::panic::RefUnwindSafe))]) {
    for (what, comparison) in comparisons {
        assert!(std::panic::catch_unwind(comparison).is_err(), "{what} passes");
    }
}

#[test]
fn what_is_not_near_is_refused() {
    let near = |got: f64, want: f64| assert_near::<f32>(&buffer::<f32>(&[got]), &[want], 4.0, "");
    near(1.0, 1.0);
    near(f64::NAN, f64::NAN);
    near(f64::INFINITY, f64::INFINITY);
    assert_all_fail(&[
        ("NaN for a number", &|| near(f64::NAN, 1.0)),
        ("a number for NaN", &|| near(1.0, f64::NAN)),
        ("a number for an infinity", &|| near(5.0, f64::INFINITY)),
        ("an infinity for a number", &|| near(f64::INFINITY, 5.0)),
        ("the other infinity", &|| near(f64::NEG_INFINITY, f64::INFINITY)),
        ("five roundings of one", &|| near(1.0 + 5.0 * f32::EPSILON as f64, 1.0)),
        ("another length", &|| assert_near::<f32>(&buffer::<f32>(&[1.0]), &[1.0, 1.0], 4.0, "")),
        ("another dtype", &|| assert_near::<f32>(&buffer::<f64>(&[1.0]), &[1.0], 4.0, "")),
    ]);
}
