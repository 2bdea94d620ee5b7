//! The two products over the lists of hits, in registers as far as they reach.

use super::frame::Frame;
use super::hits::Hits;
use crate::simd::{Kernel, SimdFloat, Upcoming, Vector};

/// What is done for each hit of filter k.
pub(super) enum Patches<'a, T> {
    /// `sums[k] += value · patch`, the patches being those of `image`.
    Weigh { image: &'a [T], sums: &'a mut [T] },
    /// `patch += value · weights[k]`, the patches being those of `image`.
    Spread { image: &'a mut [T], weights: &'a [T] },
}

/// One of them, for all filters.
pub(super) struct Product<'a, T> {
    pub hits: &'a Hits<T>,
    pub frame: &'a Frame,
    pub patches: Patches<'a, T>,
    /// What the next image needs of the same kind: asked for meanwhile.
    pub ahead: Upcoming,
}

impl<T: SimdFloat> Kernel<T> for Product<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector<Scalar = T>>(self) {
        let Frame { ref pieces, len, .. } = *self.frame;
        let (size, count, filters) = (pieces.len() * len, self.frame.count(), self.hits.filters());
        assert!(pieces.last().is_none_or(|last| last + len <= count), "a patch lies in the frame");
        match self.patches {
            Patches::Weigh { image, sums } => {
                assert!(image.len() >= count);
                for (k, (hits, sums)) in self.hits.lists().zip(sums.chunks_exact_mut(size.max(1))).enumerate() {
                    self.ahead.part(k, filters).to_read();
                    let strip =
                        Strip { hits, pieces, len, image: image.as_ptr().cast_mut(), weights: sums.as_mut_ptr() };
                    // SAFETY: each hit is a patch of the frame, which `image` holds; it is only read.
                    unsafe { strip.each_block::<V, false>() }
                }
            }
            Patches::Spread { image, weights } => {
                assert!(image.len() >= count);
                for (k, (hits, weights)) in self.hits.lists().zip(weights.chunks_exact(size.max(1))).enumerate() {
                    self.ahead.part(k, filters).to_write();
                    let weights = weights.as_ptr().cast_mut();
                    let strip = Strip { hits, pieces, len, image: image.as_mut_ptr(), weights };
                    // SAFETY: each hit is a patch of the frame, which `image` holds; the weights are only read.
                    unsafe { strip.each_block::<V, true>() }
                }
            }
        }
    }
}

/// One filter's hits, and its numbers: as many as a patch has.
struct Strip<'a, T> {
    hits: (&'a [u32], &'a [T]),
    pieces: &'a [usize],
    len: usize,
    image: *mut T,
    weights: *mut T,
}

/// The vectors of a piece that one block takes, at most; three pieces of them leave registers to spare at the level
/// that has 32.
const ACROSS: usize = 6;

impl<T: SimdFloat> Strip<'_, T> {
    /// Cuts the patch into blocks of pieces × vectors that fit the registers.
    ///
    /// # Safety
    /// The image has a patch at each hit and may be written if `SPREAD`, the weights if not.
    #[inline(always)]
    unsafe fn each_block<V: Vector<Scalar = T>, const SPREAD: bool>(&self) {
        if self.hits.0.is_empty() {
            return;
        }
        let whole = self.len / V::WIDTH;
        let mut piece = 0;
        while piece < self.pieces.len() {
            let three = const { V::REGISTERS > 16 } && piece + 3 <= self.pieces.len();
            let mut v = 0;
            // SAFETY: the caller's promise; the blocks lie in the patch.
            unsafe {
                while v < whole {
                    if const { V::REGISTERS > 16 } && three {
                        v += match whole - v {
                            ACROSS.. => self.block::<V, 3, ACROSS, SPREAD>(piece, v),
                            2.. => self.block::<V, 3, 2, SPREAD>(piece, v),
                            _ => self.block::<V, 3, 1, SPREAD>(piece, v),
                        };
                        continue;
                    }
                    v += match whole - v {
                        ACROSS.. => self.block::<V, 1, ACROSS, SPREAD>(piece, v),
                        2.. => self.block::<V, 1, 2, SPREAD>(piece, v),
                        _ => self.block::<V, 1, 1, SPREAD>(piece, v),
                    };
                }
                if self.len > whole * V::WIDTH {
                    let pieces = &self.pieces[piece..piece + if three { 3 } else { 1 }];
                    self.rest::<V, SPREAD>(piece, pieces, whole * V::WIDTH);
                }
            }
            piece += if three { 3 } else { 1 };
        }
    }

    /// All hits for `P` pieces from `piece` on, `N` vectors from the vector `first` on; gives N.
    ///
    /// # Safety
    /// As for `each_block`.
    #[inline(always)]
    unsafe fn block<V: Vector<Scalar = T>, const P: usize, const N: usize, const SPREAD: bool>(
        &self,
        piece: usize,
        first: usize,
    ) -> usize {
        let (mut pieces, mut weights, mut held) = ([0; P], [self.weights; P], [[V::zero(); N]; P]);
        // SAFETY: the caller's promise.
        unsafe {
            for (p, held) in held.iter_mut().enumerate() {
                pieces[p] = self.pieces[piece + p] + first * V::WIDTH;
                weights[p] = self.weights.add((piece + p) * self.len + first * V::WIDTH);
                for (v, held) in held.iter_mut().enumerate() {
                    *held = V::load(weights[p].add(v * V::WIDTH));
                }
            }
            for (&at, &value) in self.hits.0.iter().zip(self.hits.1) {
                let (value, patch) = (V::broadcast(value), self.image.add(at as usize));
                for (held, at) in held.iter_mut().zip(pieces) {
                    for (v, held) in held.iter_mut().enumerate() {
                        let place = patch.add(at + v * V::WIDTH);
                        if SPREAD {
                            V::fma(value, *held, V::load(place)).store(place);
                        } else {
                            *held = V::fma(value, V::load(place), *held);
                        }
                    }
                }
            }
            if !SPREAD {
                for (held, w) in held.iter().zip(weights) {
                    held.iter().enumerate().for_each(|(v, held)| held.store(w.add(v * V::WIDTH)));
                }
            }
        }
        N
    }

    /// The same for the numbers of `pieces` (from `piece` on) behind the first `first`, less than a vector.
    ///
    /// # Safety
    /// As for `each_block`.
    #[inline(always)]
    unsafe fn rest<V: Vector<Scalar = T>, const SPREAD: bool>(&self, piece: usize, pieces: &[usize], first: usize) {
        let count = self.len - first;
        for (p, at) in pieces.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let weights = self.weights.add((piece + p) * self.len + first);
                let mut held = V::load_part(weights, count);
                for (&hit, &value) in self.hits.0.iter().zip(self.hits.1) {
                    let place = self.image.add(hit as usize + at + first);
                    let (value, patch) = (V::broadcast(value), V::load_part(place, count));
                    if SPREAD {
                        V::fma(value, held, patch).store_part(place, count);
                    } else {
                        held = V::fma(value, patch, held);
                    }
                }
                if !SPREAD {
                    held.store_part(weights, count);
                }
            }
        }
    }
}
