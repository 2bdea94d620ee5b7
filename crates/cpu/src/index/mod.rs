//! Picking and adding by index. Indices are i64 and within their axis: the op has checked them.

mod pick;
mod spread;
#[cfg(test)]
mod tests;

pub use pick::{gather, index_select};
pub use spread::{index_add, scatter_add};

use cotangent_base::{Layout, Shape};

/// The sizes around `axis`: `[outer, axis, inner]`.
fn around(shape: &Shape, axis: usize) -> [usize; 3] {
    [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()]
}

/// Where the elements that an index array names lie: those of the other axes' places, row by row along the last
/// axis, with the indexed axis left out.
struct Places {
    /// The places at which rows start.
    rows: Layout,
    /// The number of elements of a row.
    len: usize,
    /// From one element of a row to the next, the index apart.
    step: isize,
    /// From one index to the next.
    stride: isize,
}

impl Places {
    /// For an index of this shape into an array of this layout, along `axis`.
    fn new(index: Shape, array: &Layout, axis: usize) -> Self {
        let last = index.rank() - 1;
        let mut strides = array.strides().to_vec();
        let stride = std::mem::take(&mut strides[axis]);
        let step = strides.pop().expect("an indexed array has an axis");
        let rows = Layout::new(index.without(last), &strides, array.offset);
        Self { rows, len: index[last], step, stride }
    }

    /// Calls `each(place, i)` for the elements of row `row`; `i` counts through the index array.
    #[inline(always)]
    fn for_row(&self, row: usize, index: &[i64], mut each: impl FnMut(usize, usize)) {
        let start = self.rows.place(row) as isize;
        let first = row * self.len;
        for (j, &at) in index[first..first + self.len].iter().enumerate() {
            each((start + j as isize * self.step + at as isize * self.stride) as usize, first + j);
        }
    }
}
