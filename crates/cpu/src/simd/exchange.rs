//! Rows and columns exchanged: blocks of 32-bit words that are transposed in registers.

use super::Level;

/// How many columns ahead a row is asked for: there are more rows than the CPU foresees by itself.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 64;

/// Where the rows of a matrix of 32-bit words lie.
#[derive(Clone, Copy)]
pub(crate) struct Words<P> {
    /// The first word.
    pub at: P,
    /// From row to row; the words of a row touch.
    pub row: isize,
}

/// Writes the transpose of `from`, a matrix of `rows × columns`, to `to`.
///
/// # Safety
/// The CPU has the level; all words of `from` can be read and all of `to` be written, and they do not overlap.
pub(crate) unsafe fn transpose(level: Level, from: Words<*const u32>, to: Words<*mut u32>, size: [usize; 2]) {
    // SAFETY: the caller's promise.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => x86::by_sixteen(from, to, size),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => x86::by_eight(from, to, size),
            _ => one_by_one(from, to, size),
        }
    }
}

impl<P> Words<*const P> {
    /// Word `column` of row `row`.
    #[inline(always)]
    fn word(&self, row: usize, column: usize) -> *const P {
        self.at.wrapping_offset(row as isize * self.row).wrapping_add(column)
    }
}

impl<P> Words<*mut P> {
    /// Word `column` of row `row`.
    #[inline(always)]
    fn word(&self, row: usize, column: usize) -> *mut P {
        self.at.wrapping_offset(row as isize * self.row).wrapping_add(column)
    }
}

/// # Safety
/// As for [`transpose`].
#[inline]
unsafe fn one_by_one(from: Words<*const u32>, to: Words<*mut u32>, [rows, columns]: [usize; 2]) {
    for i in 0..columns {
        for j in 0..rows {
            // SAFETY: the caller's promise.
            unsafe { *to.word(i, j) = *from.word(j, i) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{AHEAD, Words, one_by_one};
    use crate::simd::{prefetch, prefetch_to_write};
    use std::arch::x86_64::*;

    /// # Safety
    /// As for [`transpose`](super::transpose).
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    pub unsafe fn by_sixteen(from: Words<*const u32>, to: Words<*mut u32>, [rows, columns]: [usize; 2]) {
        let first = |count: usize| ((1u32 << count.min(16)) - 1) as __mmask16;
        for i in (0..columns).step_by(16) {
            for j in (0..rows).step_by(16) {
                let (high, wide) = ((rows - j).min(16), (columns - i).min(16));
                let mut block = [_mm512_setzero_ps(); 16];
                // SAFETY: masks leave out what is not there; the rest is the caller's promise.
                unsafe {
                    if high == 16 && wide == 16 {
                        for (y, row) in block.iter_mut().enumerate() {
                            *row = _mm512_loadu_ps(from.word(j + y, i).cast());
                            prefetch(from.word(j + y, i + AHEAD));
                            prefetch_to_write(to.word(i + 16 + y, j));
                        }
                        for (x, row) in exchange(block).into_iter().enumerate() {
                            _mm512_storeu_ps(to.word(i + x, j).cast(), row);
                        }
                    } else {
                        for (y, row) in block.iter_mut().enumerate().take(high) {
                            *row = _mm512_maskz_loadu_ps(first(wide), from.word(j + y, i).cast());
                        }
                        for (x, row) in exchange(block).into_iter().enumerate().take(wide) {
                            _mm512_mask_storeu_ps(to.word(i + x, j).cast(), first(high), row);
                        }
                    }
                }
            }
        }
    }

    /// The transpose of 16 × 16 words: in steps of one, two, four and eight columns.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    pub fn exchange(rows: [__m512; 16]) -> [__m512; 16] {
        let mut pairs = rows;
        for i in 0..8 {
            pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        // quarter q of fours[4·g + c] holds rows 4·g to 4·g + 3 of column 4·q + c
        let mut fours = rows;
        for (four, pair) in fours.chunks_exact_mut(4).zip(pairs.chunks_exact(4)) {
            for c in 0..2 {
                let (a, b) = (_mm512_castps_pd(pair[c]), _mm512_castps_pd(pair[c + 2]));
                four[2 * c] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                four[2 * c + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
            }
        }
        let mut out = rows;
        for c in 0..4 {
            let [a, b, d, e] = [fours[c], fours[4 + c], fours[8 + c], fours[12 + c]];
            let (even, odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
            let (even_below, odd_below) = (_mm512_shuffle_f32x4::<0x88>(d, e), _mm512_shuffle_f32x4::<0xdd>(d, e));
            out[c] = _mm512_shuffle_f32x4::<0x88>(even, even_below);
            out[4 + c] = _mm512_shuffle_f32x4::<0x88>(odd, odd_below);
            out[8 + c] = _mm512_shuffle_f32x4::<0xdd>(even, even_below);
            out[12 + c] = _mm512_shuffle_f32x4::<0xdd>(odd, odd_below);
        }
        out
    }

    /// # Safety
    /// As for [`transpose`](super::transpose).
    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn by_eight(from: Words<*const u32>, to: Words<*mut u32>, [rows, columns]: [usize; 2]) {
        for i in (0..columns).step_by(8) {
            for j in (0..rows).step_by(8) {
                let (high, wide) = ((rows - j).min(8), (columns - i).min(8));
                // SAFETY: the caller's promise.
                unsafe {
                    if high < 8 || wide < 8 {
                        let from = Words { at: from.word(j, i), ..from };
                        one_by_one(from, Words { at: to.word(i, j), ..to }, [high, wide]);
                        continue;
                    }
                    let mut block = [_mm256_setzero_ps(); 8];
                    for (y, row) in block.iter_mut().enumerate() {
                        *row = _mm256_loadu_ps(from.word(j + y, i).cast());
                    }
                    for (x, row) in exchange_eight(block).into_iter().enumerate() {
                        _mm256_storeu_ps(to.word(i + x, j).cast(), row);
                    }
                }
            }
        }
    }

    /// The transpose of 8 × 8 words.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn exchange_eight(rows: [__m256; 8]) -> [__m256; 8] {
        let mut pairs = rows;
        for i in 0..4 {
            pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        // half h of fours[4·g + c] holds rows 4·g to 4·g + 3 of column 4·h + c
        let mut fours = rows;
        for (four, pair) in fours.chunks_exact_mut(4).zip(pairs.chunks_exact(4)) {
            for c in 0..2 {
                let (a, b) = (_mm256_castps_pd(pair[c]), _mm256_castps_pd(pair[c + 2]));
                four[2 * c] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
                four[2 * c + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
            }
        }
        let mut out = rows;
        for c in 0..4 {
            out[c] = _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]);
            out[4 + c] = _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_goes_to_its_place_and_no_other_is_written() {
        for level in Level::available() {
            for (rows, columns) in [(1, 1), (3, 40), (40, 3), (8, 8), (16, 16), (17, 15), (33, 50), (64, 24)] {
                let (long, wide) = (columns + 3, rows + 5);
                let from: Vec<u32> = (0..(rows * long) as u32).collect();
                let mut to = vec![u32::MAX; columns * wide];
                let source = Words { at: from.as_ptr(), row: long as isize };
                let target = Words { at: to.as_mut_ptr(), row: wide as isize };
                // SAFETY: both hold their matrices.
                unsafe { transpose(level, source, target, [rows, columns]) };
                for (i, line) in to.chunks(wide).enumerate() {
                    for (j, &word) in line.iter().enumerate() {
                        let want = if j < rows { from[j * long + i] } else { u32::MAX };
                        assert_eq!(word, want, "{} {rows} × {columns}, place {i}, {j}", level.name());
                    }
                }
            }
        }
    }
}
