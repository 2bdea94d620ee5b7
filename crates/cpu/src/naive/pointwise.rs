//! Maps, updates, casts, comparisons and moves, one element at a time.

use super::elements;
use crate::Buffer;
use cotangent_base::{Compare, DType, Element, Float, Layout, Map, Update, View};

/// `y = op(x₀, …)` on the scalar lane.
#[inline]
pub fn map<T: Float, const N: usize, M: Map<N>>(op: M, x: [View<Buffer>; N]) -> Vec<T> {
    let count = x[0].shape().count();
    let x = x.map(|x| elements::<T>(x));
    (0..count).map(|i| op.eval(std::array::from_fn(|k| x[k][i]))).collect()
}

/// `(p, state) = op(p, g, state)` on the scalar lane.
#[inline]
pub fn update<T: Float, const S: usize, U: Update<S>>(op: U, p: &mut [T], g: View<Buffer>, state: &mut [Vec<T>; S]) {
    for (i, g) in elements::<T>(g).into_iter().enumerate() {
        let (new, kept) = op.step(p[i], g, std::array::from_fn(|k| state[k][i]));
        p[i] = new;
        (0..S).for_each(|k| state[k][i] = kept[k]);
    }
}

/// `a op b`.
#[inline]
pub fn compare<T: Element>(op: Compare, a: View<Buffer>, b: View<Buffer>) -> Vec<bool> {
    let holds = |a: T, b: T| match op {
        Compare::Eq => a == b,
        Compare::Ne => a != b,
        Compare::Lt => a < b,
        Compare::Le => a <= b,
        Compare::Gt => a > b,
        Compare::Ge => a >= b,
    };
    elements(a).into_iter().zip(elements(b)).map(|(a, b)| holds(a, b)).collect()
}

/// `mask ? a : b`.
#[inline]
pub fn select<T: Element>(mask: View<Buffer>, a: View<Buffer>, b: View<Buffer>) -> Vec<T> {
    let both = elements::<T>(a).into_iter().zip(elements::<T>(b));
    elements::<bool>(mask).into_iter().zip(both).map(|(mask, (a, b))| if mask { a } else { b }).collect()
}

/// The elements as another dtype.
#[inline]
pub fn cast<S: Element, D: Element>(x: View<Buffer>) -> Vec<D> {
    let exact = |x: S| match S::DTYPE {
        DType::I64 => D::from_i64(x.to_i64()),
        _ => D::from_f64(x.to_f64()),
    };
    // every integer type but i64 fits a float; only from it is the way through floats wrong
    let integer =
        |x: S| if D::DTYPE.is_float() || D::DTYPE == DType::Bool { exact(x) } else { D::from_i64(x.to_i64()) };
    elements::<S>(x).into_iter().map(|x| if S::DTYPE.is_float() { exact(x) } else { integer(x) }).collect()
}

/// Writes the elements of `x` into the places that `places` names.
#[inline]
pub fn assign<T: Element>(out: &mut [T], places: Layout, x: View<Buffer>) {
    for (place, x) in places.places().zip(elements(x)) {
        out[place] = x;
    }
}
