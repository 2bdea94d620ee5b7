//! Lists of what is not zero in the columns of a matrix.

use super::{Level, SimdFloat};

/// A place that is none.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// How many entries more than a list gets there must be room for.
pub(crate) const SPARE: usize = 16;

/// A matrix of numbers, each with a choice, and a table of what may be chosen: in row i the choice c is the place
/// `table[i·each + c]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    /// Its rows begin `row` apart.
    pub numbers: &'a [T],
    /// The numbers count where these, which lie the same, are greater than 0; all if there are none.
    pub gates: Option<&'a [T]>,
    /// The same for the choices, all less than `each`.
    pub choices: &'a [u32],
    pub row: usize,
    pub columns: usize,
    pub table: &'a [u32],
    pub each: usize,
}

/// A list for each column: the first `counts[i]` entries from `i·room` on.
pub(crate) struct Lists<'a, T> {
    pub places: &'a mut [u32],
    pub numbers: &'a mut [T],
    pub counts: &'a mut [u32],
    pub room: usize,
    /// Each column's sum is added to these.
    pub sums: &'a mut [T],
}

/// Fills the list of each column with its numbers that count and are not ±0, in the order of the rows, and their places;
/// those without a place are left out. Adds up what counts.
///
/// # Panics
/// If the matrix or the lists are smaller than they say, or the CPU does not have the level.
pub(crate) fn list_columns<T: SimdFloat>(level: Level, from: Matrix<T>, to: Lists<T>) {
    let rows = from.table.len() / from.each.max(1);
    let size = if rows == 0 { 0 } else { (rows - 1) * from.row + from.columns };
    assert!(level.is_available() && from.numbers.len() >= size && from.choices.len() >= size);
    assert!(from.gates.is_none_or(|gates| gates.len() >= size));
    assert!(to.counts.len() == from.columns && to.sums.len() == from.columns && to.room >= rows + SPARE);
    assert!(to.places.len() >= from.columns * to.room && to.numbers.len() >= from.columns * to.room);
    to.counts.fill(0);
    #[cfg(target_arch = "x86_64")]
    if level == Level::Avx512 && T::DTYPE == cotangent_base::DType::F32 && from.each <= 16 {
        // SAFETY: the CPU has the level, the numbers are f32, and matrix and lists are as large as they say.
        return unsafe { x86::by_sixteen(from, to, rows) };
    }
    for row in 0..rows {
        let table = &from.table[row * from.each..][..from.each];
        let choices = &from.choices[row * from.row..][..from.columns];
        for (column, (&x, &choice)) in from.numbers[row * from.row..].iter().zip(choices).enumerate() {
            let open = from.gates.is_none_or(|gates| gates[row * from.row + column] > T::default());
            let x = if open { x } else { T::default() };
            to.sums[column] = to.sums[column] + x;
            let (place, count) = (table[choice as usize], &mut to.counts[column]);
            // written in any case, and kept if it counts: whether it does is hard to guess
            let at = column * to.room + *count as usize;
            (to.places[at], to.numbers[at]) = (place, x);
            *count += u32::from((x != T::default()) & (place != NOWHERE));
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lists, Matrix, NOWHERE};
    use crate::simd::exchange::x86::exchange;
    use crate::simd::prefetch;
    use std::arch::x86_64::*;

    /// # Safety
    /// The CPU has AVX-512; `T` is f32; matrix and lists are as large as they say, with no more than 16 choices.
    #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
    pub unsafe fn by_sixteen<T>(from: Matrix<T>, to: Lists<T>, rows: usize) {
        let first = |count: usize| ((1u32 << count.min(16)) - 1) as __mmask16;
        let nowhere = _mm512_set1_epi32(NOWHERE as i32);
        for j in (0..rows).step_by(16) {
            for i in (0..from.columns).step_by(16) {
                let (high, wide) = ((rows - j).min(16), (from.columns - i).min(16));
                let (mut numbers, mut places) = ([_mm512_setzero_ps(); 16], [_mm512_setzero_ps(); 16]);
                // SAFETY: the masks leave out what lies outside of the matrix and its table; a list has room for a whole
                // register behind its last entry.
                unsafe {
                    let sums = to.sums.as_mut_ptr().add(i).cast::<f32>();
                    let mut sum = _mm512_maskz_loadu_ps(first(wide), sums);
                    for y in 0..high {
                        let at = (j + y) * from.row + i;
                        // the block below, in this matrix or behind it, where the next may be
                        let below = at + 16 * from.row;
                        prefetch(from.numbers.as_ptr().wrapping_add(below));
                        prefetch(from.choices.as_ptr().wrapping_add(below));
                        if let Some(gates) = from.gates {
                            prefetch(gates.as_ptr().wrapping_add(below));
                        }
                        let table = from.table.as_ptr().add((j + y) * from.each).cast();
                        let table = _mm512_maskz_loadu_epi32(first(from.each), table);
                        let choices = _mm512_maskz_loadu_epi32(first(wide), from.choices.as_ptr().add(at).cast());
                        let open = from.gates.map_or(first(wide), |gates| {
                            let gates = _mm512_maskz_loadu_ps(first(wide), gates.as_ptr().add(at).cast());
                            _mm512_cmp_ps_mask::<_CMP_GT_OQ>(gates, _mm512_setzero_ps())
                        });
                        numbers[y] = _mm512_maskz_loadu_ps(open, from.numbers.as_ptr().add(at).cast());
                        sum = _mm512_add_ps(sum, numbers[y]);
                        places[y] = _mm512_castsi512_ps(_mm512_permutexvar_epi32(choices, table));
                    }
                    _mm512_mask_storeu_ps(sums, first(wide), sum);
                    let (numbers, places) = (exchange(numbers), exchange(places));
                    for x in 0..wide {
                        let (number, place) = (numbers[x], _mm512_castps_si512(places[x]));
                        let kept = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(number, _mm512_setzero_ps())
                            & _mm512_cmpneq_epi32_mask(place, nowhere)
                            & first(high);
                        let count = to.counts.get_unchecked_mut(i + x);
                        let at = (i + x) * to.room + *count as usize;
                        let (numbers, places) = (to.numbers.as_mut_ptr(), to.places.as_mut_ptr());
                        _mm512_storeu_ps(numbers.cast::<f32>().add(at), _mm512_maskz_compress_ps(kept, number));
                        _mm512_storeu_si512(places.add(at).cast(), _mm512_maskz_compress_epi32(kept, place));
                        *count += kept.count_ones();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_lists_what_is_not_zero_and_has_a_place() {
        let number = |i: usize| if i % 97 == 96 { f32::NAN } else { [0.0, -0.0, 1.0, 2.0][i % 4] * i as f32 };
        for (rows, columns, each) in
            [(0, 3, 4), (1, 1, 1), (5, 16, 4), (16, 5, 9), (36, 64, 4), (40, 33, 16), (20, 18, 25)]
        {
            let row = columns + 2;
            let numbers: Vec<f32> = (0..rows * row).map(number).collect();
            let choices: Vec<u32> = (0..rows * row).map(|i| (i * i % each) as u32).collect();
            let table: Vec<u32> = (0..rows * each).map(|i| if i % 5 == 3 { NOWHERE } else { i as u32 }).collect();
            let (room, gates) = (rows + SPARE, (0..rows * row).map(|i| [1.0, -1.0, 0.0, 2.0, f32::NAN][i % 5]));
            let gates: Vec<f32> = gates.collect();
            for (level, gates) in Level::available().into_iter().flat_map(|l| [(l, None), (l, Some(&gates[..]))]) {
                let open = |at: usize| gates.is_none_or(|gates| gates[at] > 0.0);
                let mut sums = vec![1.0_f32; columns];
                let (mut places, mut found) = (vec![7; columns * room], vec![7.0_f32; columns * room]);
                let mut counts = vec![7; columns];
                let from = Matrix { numbers: &numbers, choices: &choices, gates, row, columns, table: &table, each };
                let to = Lists { places: &mut places, numbers: &mut found, counts: &mut counts, room, sums: &mut sums };
                list_columns(level, from, to);
                for column in 0..columns {
                    let all =
                        (0..rows).map(|y| (table[y * each + choices[y * row + column] as usize], y * row + column));
                    let want = all.filter(|&(place, at)| place != NOWHERE && numbers[at] != 0.0 && open(at));
                    let want: Vec<(u32, u32)> = want.map(|(place, at)| (place, numbers[at].to_bits())).collect();
                    let list = column * room..column * room + counts[column] as usize;
                    let got = places[list.clone()].iter().zip(&found[list]).map(|(&p, x)| (p, x.to_bits()));
                    assert!(got.eq(want), "column {column} of {rows} × {columns}, {each} choices, at {}", level.name());
                    let sum =
                        (0..rows).map(|y| y * row + column).filter(|&at| open(at)).fold(1.0, |s, at| s + numbers[at]);
                    assert!(sum.to_bits() == sums[column].to_bits() || sum.is_nan() && sums[column].is_nan());
                }
            }
        }
    }
}
