//! What matrix products and convolutions share: which kernel computes them, and how they are cut into tiles.

use super::reduce;
use crate::{Buffer, CudaDevice};
use cotangent_base::{Axes, DType, Layout, MatmulPrecision, Reduce, Result, Shape, View};
use cotangent_kernels::*;

/// The kernels of one kind of product.
pub struct Family {
    /// With the multiplications of fp32 and fp64, for every GPU.
    plain: File,
    /// On tensor cores, for each precision.
    tensor: [File; 3],
}

pub const MATRICES: Family = Family { plain: GEMM, tensor: [GEMM_3XTF32, GEMM_TF32, GEMM_BF16] };
pub const CONVOLUTIONS: Family = Family { plain: CONV, tensor: [CONV_3XTF32, CONV_TF32, CONV_BF16] };

/// The sizes of `count` products: `[rows, depth]·[depth, columns]`.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub rows: usize,
    pub columns: usize,
    pub depth: usize,
    pub count: usize,
}

/// How products are computed: of their sizes and the device's kind alone, so that the bits of a result depend on nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub file: File,
    /// Columns of a tile on tensor cores.
    width: Option<usize>,
    tiles: [usize; 2],
    /// In how many parts the depth is cut.
    pub splits: usize,
    /// How long each is.
    pub chunk: usize,
}

/// Rows and columns of a tile without tensor cores.
const TILE: usize = 64;
/// Rows of a tile on tensor cores.
const ROWS: usize = 128;
/// Parts of the depth begin at multiples of this: copies of 16 bytes then begin at multiples of 16.
const STAGE: usize = 16;
/// Products with fewer multiplications take the same time on tensor cores or not.
const SMALL: usize = 1 << 18;

impl Plan {
    pub fn new(device: CudaDevice, dtype: DType, family: &Family, sizes: Sizes) -> Self {
        let Sizes { rows, columns, depth, count } = sizes;
        let precision = device.precision();
        let small = precision == MatmulPrecision::Fp32 && rows * columns * depth < SMALL;
        let tensor = dtype == DType::F32 && device.tensor_cores() && !small && depth > 0;
        let width = tensor.then_some(if columns <= 64 { 64 } else { 128 });
        let tiles = match width {
            Some(width) => [rows.div_ceil(ROWS), columns.div_ceil(width)],
            None => [rows.div_ceil(TILE), columns.div_ceil(TILE)],
        };
        let (splits, chunk) = splits(tiles[0] * tiles[1] * count, depth);
        let file = if tensor { family.tensor[precision as usize] } else { family.plain };
        Self { file, width, tiles, splits, chunk }
    }

    /// The kernel's name: `plain`, or on tensor cores `tensor` and the columns of a tile.
    pub fn name(&self, plain: &str, tensor: &str) -> String {
        self.width.map_or_else(|| plain.to_owned(), |width| format!("{tensor}_{width}"))
    }

    /// The thread blocks of `count` products.
    pub fn grid(&self, count: usize) -> [usize; 3] {
        [self.tiles[0], self.tiles[1], count * self.splits]
    }
}

/// In how many parts a long sum is cut where there are too few tiles to keep a GPU busy, and how long each is.
fn splits(tiles: usize, depth: usize) -> (usize, usize) {
    const PART: usize = 256;
    const BLOCKS: usize = 256;
    let splits = (BLOCKS / tiles.max(1)).min(depth.div_ceil(PART)).max(1);
    let chunk = depth.div_ceil(splits).max(1).next_multiple_of(STAGE);
    (depth.div_ceil(chunk).max(1), chunk)
}

/// The sum over the first axis of `[splits, count]`.
pub fn add_splits(partial: Buffer, splits: usize) -> Result<Buffer> {
    if splits == 1 {
        return Ok(partial);
    }
    let layout = Layout::contiguous(Shape::from([splits, partial.len() / splits]));
    reduce::reduce(Reduce::Sum, View { buffer: &partial, layout }, Axes::from_iter([0]))
}

/// How a tile on tensor cores copies an operand: `Way` of kernels/tensor.cuh.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(i32)]
pub enum Way {
    /// 16 bytes at a time.
    Vectors = 0,
    /// Element by element, neighbouring threads along the depth.
    AlongDepth = 1,
    /// Element by element, neighbouring threads along rows or columns.
    AlongLines = 2,
}

/// Whether every group of four neighbours begins at a multiple of 16 bytes, where neighbours are one element apart: if the first
/// element does, and what leads from group to group is a multiple of four elements.
pub fn in_fours(first: u64, steps: &[i32]) -> bool {
    first.is_multiple_of(16) && steps.iter().all(|step| step % 4 == 0)
}

/// The address of a view's first element.
pub fn address(x: View<Buffer>) -> u64 {
    x.buffer.address(x.layout.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_cover_the_depth() {
        for (tiles, depth) in [(1, 0), (1, 1), (1, 255), (1, 257), (1, 73_728), (5, 73_728), (4, 9216), (1000, 9216)] {
            let (splits, chunk) = splits(tiles, depth);
            assert!(
                splits * chunk >= depth && (splits - 1) * chunk < depth.max(1) && chunk.is_multiple_of(STAGE),
                "{tiles}, {depth}: {splits} of {chunk}"
            );
        }
        assert_eq!(splits(1000, 9216).0, 1);
    }
}
