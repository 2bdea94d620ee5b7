//! The numbers of a row that are not 0, and where they are.

use super::Level;

/// Writes the numbers of `row` that are not ±0 to `values`, and `unit` times the index of each to `places`; gives their
/// count. NaN is not 0.
///
/// # Safety
/// The CPU has the level, and both targets have room for [`SPARE`](super::SPARE) numbers more than the row has.
pub(crate) unsafe fn nonzeros(level: Level, row: &[f32], unit: u32, places: *mut u32, values: *mut f32) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => by_sixteen(row, unit, places, values),
            _ => one_by_one(row, unit, places, values),
        }
    }
}

/// Without a branch, which nobody could foresee: each number is written, and the next one over it if it was 0.
///
/// # Safety
/// As for [`nonzeros`].
unsafe fn one_by_one(row: &[f32], unit: u32, places: *mut u32, values: *mut f32) -> usize {
    let mut count = 0;
    for (i, &x) in row.iter().enumerate() {
        // SAFETY: `count` is at most i.
        unsafe {
            *places.add(count) = i as u32 * unit;
            *values.add(count) = x;
        }
        count += (x != 0.0) as usize;
    }
    count
}

/// # Safety
/// As for [`nonzeros`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
unsafe fn by_sixteen(row: &[f32], unit: u32, places: *mut u32, values: *mut f32) -> usize {
    use std::arch::x86_64::*;
    let first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut place = _mm512_mullo_epi32(first, _mm512_set1_epi32(unit as i32));
    let step = _mm512_set1_epi32(16 * unit as i32);
    let mut count = 0;
    for x in row.chunks(16) {
        let there = (u32::MAX >> (32 - x.len())) as __mmask16;
        // SAFETY: the mask leaves out what the row does not have; the rest is the caller's promise.
        unsafe {
            let x = _mm512_maskz_loadu_ps(there, x.as_ptr());
            let kept = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(x, _mm512_setzero_ps());
            _mm512_storeu_ps(values.add(count), _mm512_maskz_compress_ps(kept, x));
            _mm512_storeu_si512(places.add(count).cast(), _mm512_maskz_compress_epi32(kept, place));
            count += kept.count_ones() as usize;
        }
        place = _mm512_add_epi32(place, step);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::SPARE;
    use super::*;

    #[test]
    fn every_level_finds_what_is_not_zero() {
        for (len, period) in [(0, 1), (1, 1), (1, 2), (15, 3), (16, 2), (33, 100), (130, 1), (257, 3)] {
            let number = |i: usize| if i.is_multiple_of(period) { i as f32 + 1.0 } else { [0.0, -0.0][i % 2] };
            let mut row: Vec<f32> = (0..len).map(number).collect();
            if let Some(last) = row.last_mut() {
                *last = f32::NAN;
            }
            let want: Vec<(u32, u32)> =
                (0..len).filter(|&i| row[i] != 0.0).map(|i| (3 * i as u32, row[i].to_bits())).collect();
            for level in Level::available() {
                let (mut places, mut values) = (vec![u32::MAX; len + SPARE], vec![f32::MAX; len + SPARE]);
                // SAFETY: the CPU has the level, and there is room.
                let count = unsafe { nonzeros(level, &row, 3, places.as_mut_ptr(), values.as_mut_ptr()) };
                let got: Vec<(u32, u32)> =
                    places.iter().zip(&values).take(count).map(|(&p, v)| (p, v.to_bits())).collect();
                assert_eq!(got, want, "{len} numbers at {}", level.name());
            }
        }
    }
}
