//! Copies that exchange axes, in tiles, so that neither side walks through memory one cache line per element.

use crate::par::{self, Shared};
use crate::strided::{Rows, Strided};
use cotangent_base::{Element, Layout};
use std::mem::MaybeUninit;

/// The side of a square tile.
const TILE: usize = 32;

/// A copy in which one axis is the inner one of the source, and another that of the result.
pub(crate) struct Plan {
    /// The source's places of the outer axes alone.
    outer: Layout,
    /// The result's places of the outer axes alone.
    outer_to: Layout,
    /// The size of the source's inner axis, its stride (1 or −1) there, and its stride in the result.
    inner: (usize, isize, usize),
    /// The size of the result's inner axis and its stride in the source.
    last: (usize, isize),
}

impl Plan {
    /// The plan for making `rows` contiguous, if the source has an inner axis that is not its last one.
    pub fn new(rows: &Rows) -> Option<Plan> {
        let layout = &rows.layout;
        let (sizes, strides) = (layout.shape, layout.strides());
        let last = sizes.rank() - 1;
        let inner = (0..last).find(|&a| strides[a].abs() == 1 && sizes[a] >= 4)?;
        if strides[last].abs() <= 1 || sizes[last] < 4 {
            return None;
        }
        let order: Vec<usize> = (0..last).filter(|&a| a != inner).collect();
        let to = Layout::contiguous(sizes);
        Some(Plan {
            outer: layout.permute(&order),
            outer_to: to.permute(&order),
            inner: (sizes[inner], strides[inner], to.strides()[inner] as usize),
            last: (sizes[last], strides[last]),
        })
    }

    /// Writes the elements of `from`, whose rows the plan was made for, in row-major order.
    pub fn run<T: Element>(&self, from: Strided<T>, to: Shared<MaybeUninit<T>>) {
        let bands = self.inner.0.div_ceil(TILE);
        let cost = TILE * self.last.0;
        par::for_each(self.outer.shape.count() * bands, cost, |unit| {
            let (outer, band) = (unit / bands, unit % bands);
            let (place, place_to) = (self.outer.place(outer), self.outer_to.place(outer));
            let band = band * TILE..((band + 1) * TILE).min(self.inner.0);
            for start in (0..self.last.0).step_by(TILE) {
                let columns = start..(start + TILE).min(self.last.0);
                for i in band.clone() {
                    for j in columns.clone() {
                        let at = place as isize + i as isize * self.inner.1 + j as isize * self.last.1;
                        // SAFETY: both places are elements of their layouts, which lie within their buffers;
                        // units write different rows.
                        unsafe {
                            let x = *from.data().get_unchecked(at as usize);
                            (*to.ptr().add(place_to + i * self.inner.2 + j)).write(x);
                        }
                    }
                }
            }
        });
    }
}
