//! The factors of Winograd's tiles, applied to a column or row: of 2 × 2 results from 4 × 4 inputs, and of 4 × 4 from
//! 6 × 6. `N` is the side of the inputs, `I` that of what they are transformed to, `P` that of the places where products are
//! taken.
//!
//! For windows of stride 2 there are tiles of 2 × 2 results from 5 × 5 inputs, and for these `N` is 5:
//! `y₀ = x₀·w₀ + x₁·w₁ + x₂·w₂` and `y₁ = x₂·w₀ + x₃·w₁ + x₄·w₂` in five products instead of six. The outer taps see the even
//! inputs, F(2, 2) in three products; the inner tap sees the odd ones.
//!
//! For the cotangents of their images there are tiles of 4 × 4 results from 3 × 3 inputs with the same five places, and for
//! these `N` is 3: `y₀ = x₀·w₁`, `y₁ = x₀·w₀ + x₁·w₂`, `y₂ = x₁·w₁` and `y₃ = x₁·w₀ + x₂·w₂`, the taps flipped. Two of the
//! places see the same input.
//!
//! The first come from the points 0, ±1 and ∞, the second from 0, ±√½, ±√2 and ∞: with ±1 and ±2, as Lavin and Gray have
//! it, the error would be twice as large.

use crate::simd::Vector;
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

/// The results in a tile's side.
pub(super) const fn side(inputs: usize) -> usize {
    if inputs == 6 || inputs == 3 { 4 } else { 2 }
}

/// From tile to tile of the inputs.
pub(super) const fn step(inputs: usize) -> usize {
    match inputs {
        3 => 2,
        5 => 4,
        _ => inputs - 2,
    }
}

/// The sides `I` and `P`.
pub(super) const fn sides(inputs: usize) -> [usize; 2] {
    if inputs == 3 { [4, 5] } else { [inputs; 2] }
}

/// The places of a side that have weights of their own, and in dw a sum: with stride 2 the last two have a factor each for the
/// inner tap.
pub(super) const fn weights_of(places: usize) -> usize {
    if places == 5 { 4 } else { places }
}

/// Which of a side's transformed inputs place `p` sees.
pub(super) const fn input_of(inputs: usize, p: usize) -> usize {
    if inputs == 3 && p == 4 { 1 } else { p }
}

/// G applied to three weights.
#[inline(always)]
pub(super) fn spread<V: Vector, const P: usize>([a, b, c]: [V; 3]) -> [V; P] {
    let mut to = [V::zero(); P];
    to[0] = a;
    to[P - 1] = c;
    if P == 4 {
        let (half, outer) = (V::splat(0.5), a + c);
        to[1] = half * (outer + b);
        to[2] = half * (outer - b);
    } else if P == 5 {
        (to[1], to[2], to[3], to[4 % P]) = (a + c, c, b, b);
    } else {
        let (even, odd) = ((a + a + c) * V::splat(-1.0 / 3.0), b * V::splat(-2.0 / 3.0 * FRAC_1_SQRT_2));
        to[1] = even + odd;
        to[2] = even - odd;
        let (even, odd) = (a.mul_add(V::splat(0.5), c) * V::splat(1.0 / 3.0), b * V::splat(SQRT_2 / 6.0));
        to[3] = even + odd;
        to[4 % P] = even - odd;
    }
    to
}

/// Bᵀ applied to the inputs, each of its results once (see [`input_of`]).
#[inline(always)]
pub(super) fn differences<V: Vector, const N: usize, const I: usize>(d: [V; N]) -> [V; I] {
    let mut to = [d[0]; I];
    if N == 3 {
        (to[0], to[1], to[2], to[3]) = (d[0] - d[1], d[1], d[1] - d[2], d[0]);
    } else if N == 4 {
        to[0] = d[0] - d[2];
        to[1] = d[1] + d[2];
        to[2] = d[2] - d[1];
        to[3] = d[1] - d[3 % N];
    } else if N == 5 {
        to[0] = d[0] - d[2];
        to[1] = d[2];
        to[2] = d[2] - d[4 % N];
        to[3] = d[1];
        to[4 % I] = d[3 % N];
    } else {
        let [a, b, c, d, e, f] = [d[0], d[1], d[2], d[3 % N], d[4 % N], d[5 % N]];
        let (even, odd) = (c.mul_add(V::splat(-2.0), e), b.mul_add(V::splat(-2.0), d));
        to[1] = odd.mul_add(V::splat(FRAC_1_SQRT_2), even);
        to[2] = odd.mul_add(V::splat(-FRAC_1_SQRT_2), even);
        let (even, odd) = (c.mul_add(V::splat(-0.5), e), b.mul_add(V::splat(-0.5), d));
        to[3] = odd.mul_add(V::splat(SQRT_2), even);
        to[4 % I] = odd.mul_add(V::splat(-SQRT_2), even);
        to[0] = c.mul_add(V::splat(-2.5), a + e);
        to[5 % I] = d.mul_add(V::splat(-2.5), b + f);
    }
    to
}

/// Aᵀ applied to the sums of products; of the four results the last two are 0 where a tile has two.
#[inline(always)]
pub(super) fn sums<V: Vector, const N: usize, const P: usize>(m: [V; P]) -> [V; 4] {
    let mut to = [V::zero(); 4];
    let (sum, difference) = (m[1] + m[2], m[1] - m[2]);
    if N == 4 {
        to[0] = m[0] + sum;
        to[1] = difference - m[3];
    } else if N == 3 {
        to = [m[3], m[0] + m[1], m[4 % P], m[1] - m[2]];
    } else if N == 5 {
        to[0] = m[0] + m[1] + m[3];
        to[1] = difference + m[4 % P];
    } else {
        let (sum_2, difference_2) = (m[3] + m[4 % P], m[3] - m[4 % P]);
        let (half, two) = (V::splat(0.5), V::splat(2.0));
        to[0] = m[0] + (sum + sum_2);
        to[1] = difference.mul_add(V::splat(FRAC_1_SQRT_2), difference_2 * V::splat(SQRT_2));
        to[2] = sum.mul_add(half, sum_2 * two);
        let odd = difference_2.mul_add(V::splat(2.0 * SQRT_2), m[5 % P]);
        to[3] = difference.mul_add(V::splat(0.5 * FRAC_1_SQRT_2), odd);
    }
    to
}

/// A applied to the cotangents of four results, the last two of them 0 unless `N` is 6.
#[inline(always)]
pub(super) fn opposites<V: Vector, const N: usize>([a, b, c, d]: [V; 4]) -> [V; N] {
    let mut to = [a; N];
    if N == 4 {
        (to[1], to[2], to[3]) = (a + b, a - b, V::zero() - b);
    } else if N == 5 {
        (to[1], to[2], to[4 % N]) = (a + b, V::zero() - b, b);
    } else {
        let (half, two) = (V::splat(0.5), V::splat(2.0));
        let (even, odd) = (c.mul_add(half, a), d.mul_add(half, b));
        to[1] = odd.mul_add(V::splat(FRAC_1_SQRT_2), even);
        to[2] = odd.mul_add(V::splat(-FRAC_1_SQRT_2), even);
        let (even, odd) = (c.mul_add(two, a), d.mul_add(two, b));
        to[3] = odd.mul_add(V::splat(SQRT_2), even);
        to[4 % N] = odd.mul_add(V::splat(-SQRT_2), even);
        to[5 % N] = d;
    }
    to
}

/// Gᵀ applied to the sums over all tiles, `weights_of` of them.
#[inline(always)]
pub(super) fn gather<V: Vector, const N: usize>(u: [V; N]) -> [V; 3] {
    let (sum, difference) = (u[1] + u[2], u[1] - u[2]);
    if N == 4 {
        let half = V::splat(0.5);
        [sum.mul_add(half, u[0]), half * difference, sum.mul_add(half, u[3])]
    } else if N == 5 {
        [u[0] + u[1], u[3], sum]
    } else {
        let (sum_2, difference_2) = (u[3] + u[4 % N], u[3] - u[4 % N]);
        let third = V::splat(1.0 / 3.0);
        let a = sum.mul_add(V::splat(-2.0 / 3.0), sum_2.mul_add(V::splat(1.0 / 6.0), u[0]));
        let b = difference.mul_add(V::splat(-2.0 / 3.0 * FRAC_1_SQRT_2), difference_2 * V::splat(SQRT_2 / 6.0));
        [a, b, (sum_2 - sum).mul_add(third, u[5 % N])]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::SimdFloat;

    type Lanes = <f32 as SimdFloat>::Portable;

    /// A vector of the unit vector `i`.
    fn unit<const N: usize>(i: usize) -> [Lanes; N] {
        std::array::from_fn(|j| Vector::broadcast(if i == j { 1.0 } else { 0.0 }))
    }

    /// Whether result o sees tap t at input `input(o, t)` and nowhere else, by what is `seen(o, t, i)` of input i.
    fn see<const N: usize>(input: impl Fn(usize, usize) -> Option<usize>, seen: impl Fn(usize, usize, usize) -> Lanes) {
        for (o, t, i) in (0..side(N)).flat_map(|o| (0..3).flat_map(move |t| (0..N).map(move |i| (o, t, i)))) {
            let seen = seen(o, t, i).to_array()[0];
            let want = if input(o, t) == Some(i) { 1.0 } else { 0.0 };
            // square roots are rounded
            let most = if N == 6 { 4.0 * f32::EPSILON } else { 0.0 };
            assert!((seen - want).abs() <= most, "result {o}, tap {t}, input {i}: {seen}");
        }
    }

    /// Whether the factors of dw are those of windows with this stride.
    fn is_correlation<const N: usize>(stride: usize) {
        see::<N>(
            |o, t| Some(stride * o + t),
            |o, t, i| {
                let (x, y) = (differences::<Lanes, N, N>(unit(i)), opposites::<Lanes, N>(unit(o)));
                let mut sums: [Lanes; N] = [Vector::broadcast(0.0); N];
                for p in 0..N {
                    let sum = &mut sums[p.min(weights_of(N) - 1)];
                    *sum = *sum + x[p] * y[p];
                }
                gather::<Lanes, N>(sums)[t]
            },
        );
    }

    /// Whether the factors of y let result o see tap t at input `input(o, t)`.
    fn is_convolution<const N: usize, const I: usize, const P: usize>(input: impl Fn(usize, usize) -> Option<usize>) {
        assert_eq!(sides(N), [I, P]);
        see::<N>(input, |o, t, i| {
            let (x, w) = (differences::<Lanes, N, I>(unit(i)), spread::<Lanes, P>(unit(t)));
            sums::<Lanes, N, P>(std::array::from_fn(|p| x[input_of(N, p)] * w[p]))[o]
        });
    }

    #[test]
    fn the_factors_of_y_are_those_of_windows_with_their_stride() {
        is_convolution::<4, 4, 4>(|o, t| Some(o + t));
        is_convolution::<5, 5, 5>(|o, t| Some(2 * o + t));
        is_convolution::<6, 6, 6>(|o, t| Some(o + t));
    }

    #[test]
    fn the_factors_of_dx_are_those_of_windows_that_reach_over_the_start_by_one() {
        // o + 1 = 2·i + (2 − t), the taps flipped
        is_convolution::<3, 4, 5>(|o, t| ((o + t) % 2 == 1).then_some((o + t) / 2));
    }

    #[test]
    fn the_factors_of_dw_are_those_of_windows_with_their_stride() {
        is_correlation::<4>(1);
        is_correlation::<5>(2);
        is_correlation::<6>(1);
    }
}
