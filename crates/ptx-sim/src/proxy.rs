//! What products of four warps (`wgmma`) ask of shared memory beyond barriers. They read it by another way than loads do, the
//! asynchronous proxy: what threads have written is to be seen there only after a `fence.proxy.async` of theirs. And they
//! read at any time until they are waited for, so until then nobody may write.

use std::ops::Range;

/// Not fenced yet; the other bits count the products that may be reading.
const LOOSE: u16 = 0x8000;

/// The state of each cell of a block's shared memory.
pub struct Proxy {
    cells: Vec<u16>,
    /// What each warp has written since its last fence.
    loose: Vec<Vec<Range<usize>>>,
}

impl Proxy {
    pub fn new(cells: usize) -> Self {
        Self { cells: vec![0; cells], loose: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.cells.fill(0);
        self.loose.clear();
    }

    pub fn wrote(&mut self, range: Range<usize>, warp: u32) {
        self.cells[range.clone()].iter_mut().for_each(|cell| *cell |= LOOSE);
        let warp = warp as usize;
        if self.loose.len() <= warp {
            self.loose.resize(warp + 1, Vec::new());
        }
        self.loose[warp].push(range);
    }

    /// A `fence.proxy.async` of one warp.
    pub fn fence(&mut self, warp: u32) {
        for range in self.loose.get_mut(warp as usize).map(std::mem::take).unwrap_or_default() {
            self.cells[range].iter_mut().for_each(|cell| *cell &= !LOOSE);
        }
    }

    pub fn is_loose(&self, range: Range<usize>) -> bool {
        self.cells[range].iter().any(|cell| cell & LOOSE != 0)
    }

    /// Whether a product may still read it.
    pub fn is_read(&self, range: Range<usize>) -> bool {
        self.cells[range].iter().any(|cell| cell & !LOOSE != 0)
    }

    pub fn begin(&mut self, range: Range<usize>) {
        self.cells[range].iter_mut().for_each(|cell| *cell += 1);
    }

    pub fn end(&mut self, range: Range<usize>) {
        self.cells[range].iter_mut().for_each(|cell| *cell -= 1);
    }
}
