//! Large matrix products on GPUs of compute capability 9.0, by instructions that no other GPU has: each operand
//! is packed into the order that they want (kernels/wgmma.cuh), then one kernel multiplies the packed ones.
//!
//! The variable `COTANGENT_WGMMA` decides where they are taken: with `0` nowhere, with `1` for every product that they can
//! compute, else for those that are large enough to be worth packing, if they agree with the other kernels: before a
//! program's first such product a small one is computed both ways.

use super::gemm::{Gemm, Matrix, batch_stride, in_tiles, sizes};
use super::products::{Sizes, address};
use super::{launch, launch_with, start};
use crate::{Buffer, CudaDevice, capture};
use cotangent_base::{DType, Layout, MatmulPrecision, Result, Shape, View};
use cotangent_kernels::{File, GEMM_3XTF32_SM90A, GEMM_BF16_SM90A, GEMM_TF32_SM90A};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The parameter of the kernel that packs.
#[repr(C)]
struct Packing {
    x: Matrix,
    batch: i64,
    parts: u64,
    lines: i32,
    depth: i32,
}

/// The parameter of the kernels that multiply.
#[repr(C)]
struct Packed {
    a: u64,
    b: u64,
    bias: u64,
    y: u64,
    a_batch: i64,
    b_batch: i64,
    rows: i32,
    columns: i32,
    stages: i32,
    bias_stride: i32,
}

/// That of the one near fp32, which computes a tile again whose sums are not finite.
#[repr(C)]
struct Exact {
    packed: Packed,
    whole: Gemm,
}

/// Lines of a part, bytes of a line in it, and bytes of a part.
const LINES: usize = 128;
const LINE: usize = 128;
const PART: usize = LINES * LINE;
/// The most blocks along the second and the third axis of a grid.
const GRID: usize = 65_535;
/// From about as many tiles on every multiprocessor has one.
const TILES: usize = 128;

/// How a product is cut: columns of a tile, the stages of its operands that are in shared memory, and the parts that a number is
/// taken apart into.
struct Cut {
    columns: usize,
    stages: usize,
    parts: usize,
}

const WIDE: Cut = Cut { columns: 256, stages: 4, parts: 1 };
const NARROW: Cut = Cut { columns: 128, stages: 3, parts: 1 };
const EXACT: Cut = Cut { columns: 128, stages: 3, parts: 2 };

impl Cut {
    fn tiles(&self, sizes: Sizes) -> [usize; 3] {
        [sizes.rows.div_ceil(LINES), sizes.columns.div_ceil(self.columns), sizes.count]
    }

    /// The wide one needs less of each operand; it is taken where there are tiles enough.
    fn of(sizes: Sizes, precision: MatmulPrecision) -> &'static Cut {
        match precision {
            MatmulPrecision::Fp32 => &EXACT,
            _ if WIDE.tiles(sizes).iter().product::<usize>() >= TILES => &WIDE,
            _ => &NARROW,
        }
    }

    fn shared(&self) -> usize {
        self.stages * (1 + self.columns / LINES) * self.parts * PART
    }
}

/// The kernels for `a·b`, if they are to be taken.
pub fn file(a: View<Buffer>, b: View<Buffer>) -> Result<Option<File>> {
    let (device, sizes) = (a.buffer.device(), sizes(a, b));
    let file = match device.precision() {
        MatmulPrecision::Tf32 => GEMM_TF32_SM90A,
        MatmulPrecision::Bf16 => GEMM_BF16_SM90A,
        MatmulPrecision::Fp32 => GEMM_3XTF32_SM90A,
    };
    let Sizes { rows, columns, depth, count } = sizes;
    let there = device.capability() == (9, 0) && a.buffer.dtype() == DType::F32 && rows > 0 && columns > 0 && depth > 0;
    let fits = columns % 2 == 0 && depth <= GRID * 32 && count <= GRID;
    static ASKED: OnceLock<Option<bool>> = OnceLock::new();
    let asked = || match std::env::var("COTANGENT_WGMMA").as_deref() {
        Ok("0") => Some(false),
        Ok("1") => Some(true),
        _ => None,
    };
    let taken = there
        && fits
        && match ASKED.get_or_init(asked) {
            Some(taken) => *taken,
            // packing must not cost more than a small part of the time
            None => {
                rows * columns >= 1024 * (rows + columns)
                    && depth >= 512
                    && agrees(device, file, Cut::of(sizes, device.precision()))?
            }
        };
    Ok(taken.then_some(file))
}

/// Whether the kernels of a cut compute what others do: asked once.
fn agrees(device: CudaDevice, file: File, cut: &'static Cut) -> Result<bool> {
    /// The device, the kernels' file and the columns of a tile.
    type Key = (usize, &'static str, usize);
    static KNOWN: Mutex<BTreeMap<Key, bool>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (device.ordinal(), file.stem, cut.columns);
    if let Some(&agrees) = known().get(&key) {
        return Ok(agrees);
    }
    // what a recording computes cannot be looked at; the step was computed before, and has asked
    if capture::is_recording() {
        return Ok(false);
    }
    const SIZES: [usize; 3] = [200, 270, 150];
    let [m, n, k] = SIZES;
    // small whole numbers: every way of computing them is exact
    let matrix = |rows: usize, columns: usize| {
        let values: Vec<f32> = (0..rows * columns).map(|i| ((i * 7 + i / 11 * 3) % 11) as f32 - 5.0).collect();
        Buffer::from_slice(device, &values).map(|buffer| (buffer, Layout::contiguous(Shape::from([rows, columns]))))
    };
    let (a, b) = (matrix(m, k)?, matrix(k, n)?);
    let [a, b] = [&a, &b].map(|(buffer, layout)| View { buffer, layout: *layout });
    let [got, want] = [multiply(file, cut, a, b, None)?, in_tiles(a, b, None)?];
    let agrees = got.to_vec::<f32>()? == want.to_vec::<f32>()?;
    known().insert(key, agrees);
    Ok(agrees)
}

/// `y = a·b (+ bias)`, by the kernels of [`file`].
pub fn product(file: File, a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    multiply(file, Cut::of(sizes(a, b), a.buffer.device().precision()), a, b, bias)
}

fn multiply(file: File, cut: &Cut, a: View<Buffer>, b: View<Buffer>, bias: Option<View<Buffer>>) -> Result<Buffer> {
    let (device, sizes) = (a.buffer.device(), sizes(a, b));
    let Sizes { rows, columns, depth, count } = sizes;
    let stages = depth.div_ceil(LINE / if device.precision() == MatmulPrecision::Bf16 { 2 } else { 4 });
    let rank = a.shape().rank();
    let pack = |x: View<Buffer>, axes: [usize; 2]| pack(file, x, axes, stages, cut.parts);
    let (left, right) = (pack(a, [rank - 2, rank - 1])?, pack(b, [rank - 1, rank - 2])?);
    let y = Buffer::uninit(device, DType::F32, count * rows * columns)?;
    let params = Packed {
        a: start(&left),
        b: start(&right),
        bias: bias.map_or(0, address),
        y: start(&y),
        a_batch: batch_bytes(&left, rows, stages * cut.parts, count),
        b_batch: batch_bytes(&right, columns, stages * cut.parts, count),
        rows: rows as i32,
        columns: columns as i32,
        stages: stages as i32,
        bias_stride: bias.map_or(0, |bias| bias.layout.strides()[0] as i32),
    };
    let name = format!("wgmma_{}", cut.columns);
    let with = (cut.tiles(sizes), cut.shared());
    // SAFETY: the packed operands have parts for all lines and stages; y has count·rows·columns elements; a and b are views that
    // lie in their buffers.
    unsafe {
        match cut.parts {
            1 => launch_with(device, file, &name, DType::F32, with, &params)?,
            _ => {
                let params = Exact { packed: params, whole: Gemm::new(a, b, bias, &y, 0) };
                launch_with(device, file, &name, DType::F32, with, &params)?;
            }
        }
    };
    Ok(y)
}

/// What leads from one packed matrix to the next; nothing if there is one for all.
fn batch_bytes(packed: &Buffer, lines: usize, parts: usize, count: usize) -> i64 {
    let one = lines.div_ceil(LINES) * parts * PART;
    if packed.len() * 4 == one && count > 1 { 0 } else { one as i64 }
}

/// The matrices of `x`, packed: `[count, lines / 128, stages, parts, PART]` bytes.
fn pack(
    file: File,
    x: View<Buffer>,
    [lines, depth]: [usize; 2],
    stages: usize,
    parts_of_each: usize,
) -> Result<Buffer> {
    let (device, batch) = (x.buffer.device(), batch_stride(&x.layout).unwrap_or(0) as i64);
    let stride = |axis: usize| x.layout.strides()[axis] as i32;
    let [lines_, depth_] = [lines, depth].map(|axis| x.shape()[axis]);
    let rank = x.shape().rank();
    // matrices that are all the same are packed once
    let count = if batch == 0 { 1 } else { x.shape()[..rank - 2].iter().product() };
    let tiles = lines_.div_ceil(LINES);
    let parts = Buffer::uninit(device, DType::F32, count * tiles * stages * parts_of_each * PART / 4)?;
    let params = Packing {
        x: Matrix::new(address(x), stride(lines), stride(depth), batch),
        batch,
        parts: start(&parts),
        lines: lines_ as i32,
        depth: depth_ as i32,
    };
    // SAFETY: the strides are those of a view that lies in its buffer; every block has a part of its own.
    unsafe { launch(device, file, "pack", DType::F32, [tiles, stages, count], &params)? };
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_wide_where_there_are_many() {
        let sizes = |rows, columns, count| Sizes { rows, columns, depth: 64, count };
        let columns = |sizes| Cut::of(sizes, MatmulPrecision::Tf32).columns;
        assert_eq!(columns(sizes(4096, 4096, 1)), 256);
        assert_eq!(columns(sizes(1024, 1024, 1)), 128);
        assert_eq!(columns(sizes(1024, 1024, 4)), 256);
        assert_eq!(Cut::of(sizes(4096, 4096, 1), MatmulPrecision::Fp32).columns, 128);
        assert_eq!((WIDE.tiles(sizes(129, 257, 3)), NARROW.tiles(sizes(128, 130, 1))), ([2, 2, 3], [1, 2, 1]));
        assert!([WIDE, NARROW, EXACT].iter().all(|cut| cut.shared() <= 227 << 10));
    }
}
