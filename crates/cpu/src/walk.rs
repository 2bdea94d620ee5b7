//! Walking over operands block by block. They are bytes here, not of a type, and the loop over a block is called through a
//! pointer: so all of this is compiled once and not for every op.

use crate::Buffer;
use crate::memory::{BLOCK, PIECE, piece};
use crate::par::{self, Shared};
use crate::simd::WIDEST;
use crate::strided::{Rows, gather};
use crate::transpose;
use cotangent_base::{DType, Layout, Shape, View};
use std::mem::MaybeUninit;
use std::ops::Range;

/// No map has more operands than this, and no update as much state.
pub(crate) const OPERANDS: usize = 4;

/// Room for a block of any dtype.
type Scratch = [MaybeUninit<u64>; BLOCK];

/// One operand of a block: its `i`-th number lies at `from + i·step`.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    pub from: *const u8,
    /// In numbers: 1, or 0 for a constant, which is there `WIDEST` times.
    pub step: usize,
}

/// What a map's loop works on at a time.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Lanes {
    /// One element.
    One,
    /// A register: short blocks are padded to a whole one, and a constant operand comes as one.
    Padded,
}

/// A map's loop over one block.
pub(crate) trait MapBlock: Sync {
    /// # Safety
    /// The operands have `len` elements, and `out` has room for as many. In [`Lanes::Padded`] those are at least `WIDEST`, or a
    /// multiple of that if `out` is an operand too, and a constant operand has `WIDEST` with step 0.
    unsafe fn run(&self, x: &[Operand; OPERANDS], out: *mut u8, len: usize);
}

/// An update's loop over one block.
pub(crate) trait UpdateBlock: Sync {
    /// # Safety
    /// `p`, `g` and the update's state have `len` numbers, a multiple of `WIDEST`; nobody else touches `p` and the state
    /// meanwhile.
    unsafe fn run(&self, p: *mut u8, g: *const u8, state: &[*mut u8; OPERANDS], len: usize);
}

/// The copy of `x` in row-major order if there is one, else `x`.
fn copy_or<'a>(copy: &'a Option<Buffer>, x: View<'a, Buffer>) -> View<'a, Buffer> {
    match copy {
        Some(copy) => View { buffer: copy, layout: Layout::contiguous(x.shape()) },
        None => x,
    }
}

/// A view's elements in row-major order.
struct Source<'a> {
    bytes: &'a [u8],
    size: usize,
    /// Checked to be within the bytes.
    rows: Rows,
}

impl<'a> Source<'a> {
    fn new(x: View<'a, Buffer>) -> Self {
        let View { buffer, layout } = x;
        Self { bytes: buffer.bytes(), size: buffer.dtype().bytes(), rows: Rows::new(&layout, buffer.len()) }
    }

    /// Whether no block of it need be gathered.
    fn is_in_place(&self, lanes: Lanes) -> bool {
        self.rows.is_contiguous() || lanes == Lanes::Padded && self.rows.is_constant()
    }

    /// The elements `range`, a block at most where they are not in one row: in place or gathered into `scratch`.
    fn block(&self, range: Range<usize>, scratch: &mut Scratch) -> *const u8 {
        if self.rows.is_contiguous() {
            return self.bytes.as_ptr().wrapping_add((self.rows.layout.offset + range.start) * self.size);
        }
        let to = scratch.as_mut_ptr().cast::<u8>();
        // SAFETY: `Rows::new` has checked the rows, and a block of any dtype has room.
        unsafe { gather(&self.rows, self.bytes.as_ptr(), self.size, range, to) };
        to
    }

    /// The same as an operand.
    fn operand(&self, range: Range<usize>, lanes: Lanes, scratch: &mut Scratch) -> Operand {
        if lanes == Lanes::One || !self.rows.is_constant() {
            return Operand { from: self.block(range, scratch), step: 1 };
        }
        let to = scratch.as_mut_ptr().cast::<u8>();
        for i in 0..WIDEST {
            let at = self.rows.layout.offset * self.size;
            // SAFETY: a constant of at least one element has that in its buffer; a block is longer than `WIDEST`.
            unsafe {
                to.add(i * self.size).copy_from_nonoverlapping(self.bytes[at..][..self.size].as_ptr(), self.size)
            };
        }
        Operand { from: to, step: 0 }
    }
}

/// `y = op(x₀, …)` of a dtype, with the op's loop.
///
/// # Panics
/// If shapes differ.
pub(crate) fn map<const N: usize>(x: [View<Buffer>; N], dtype: DType, lanes: Lanes, block: &dyn MapBlock) -> Buffer {
    let mut y = Buffer::uninit(dtype, x[0].shape().count());
    map_to(&mut y, x[0].shape(), &x.map(Some), lanes, block);
    y
}

/// The same in the memory of `y`, which is contiguous, of this shape. An operand that is `None` is what y held.
///
/// # Panics
/// If shapes differ.
pub(crate) fn map_to(y: &mut Buffer, shape: Shape, x: &[Option<View<Buffer>>], lanes: Lanes, block: &dyn MapBlock) {
    let count = shape.count();
    assert!(y.len() == count && x.iter().flatten().all(|x| x.shape() == shape), "[map] shapes differ");
    let (size, over) = (y.dtype().bytes(), x.iter().any(Option::is_none));
    let of = Loop { block, lanes, operands: x.len(), over, size };
    if x.iter().flatten().all(|x| x.layout.is_contiguous()) {
        return map_in_place(y, count, x, of);
    }
    let mut copies = [const { None }; OPERANDS];
    copies.iter_mut().zip(x).for_each(|(copy, x)| *copy = x.and_then(transpose::untangled));
    let mut sources = [const { None::<Source> }; OPERANDS];
    for ((source, x), copy) in sources.iter_mut().zip(x).zip(&copies) {
        *source = x.map(|x| Source::new(copy_or(copy, x)));
    }
    let sources = &sources[..x.len()];
    let most = if sources.iter().flatten().all(|source| source.is_in_place(lanes)) { PIECE } else { BLOCK };
    let y = Shared::new(y.bytes_mut());
    par::for_ranges(count, piece(count), |start, end| {
        let mut scratch: [Scratch; OPERANDS] = [[MaybeUninit::uninit(); BLOCK]; OPERANDS];
        for start in (start..end).step_by(most) {
            let range = start..end.min(start + most);
            // SAFETY: the range is within y.
            let out = unsafe { y.ptr().add(start * size) };
            let mut x = [Operand { from: out, step: 1 }; OPERANDS];
            for ((x, source), scratch) in x.iter_mut().zip(sources).zip(&mut scratch) {
                if let Some(source) = source {
                    *x = source.operand(range.clone(), lanes, scratch);
                }
            }
            // SAFETY: the operands have the range's elements, and the pieces of the result do not overlap.
            unsafe { of.run(&x, out, range.len()) }
        }
    });
}

/// [`map_to`] for elements that all lie in place: the one thing to ask is where.
fn map_in_place(y: &mut Buffer, count: usize, x: &[Option<View<Buffer>>], of: Loop) {
    if count == 0 {
        return;
    }
    let y = Shared::new(y.bytes_mut());
    let mut operands = [(y, of.size); OPERANDS];
    for (operand, x) in operands.iter_mut().zip(x) {
        if let Some(x) = x {
            let size = x.buffer.dtype().bytes();
            let x = &x.buffer.bytes()[x.layout.offset * size..][..count * size];
            *operand = (Shared::reading(x), size);
        }
    }
    let run = move |start: usize, end: usize| {
        let at = |(from, size): (Shared<u8>, usize)| from.ptr().wrapping_add(start * size);
        let x = operands.map(|x| Operand { from: at(x), step: 1 });
        // SAFETY: each operand has these elements, as the slices have shown, and so has y; its pieces do not overlap.
        unsafe { of.run(&x, at((y, of.size)), end - start) }
    };
    for_pieces(count, run);
}

/// Runs `run(start, end)` over `0..count` elements that lie in place: at once if they are few.
fn for_pieces(count: usize, run: impl Fn(usize, usize) + Sync + Copy) {
    if count <= PIECE { run(0, count) } else { par::for_ranges(count, piece(count), run) }
}

/// A map's loop and what it runs on.
#[derive(Clone, Copy)]
struct Loop<'a> {
    block: &'a dyn MapBlock,
    lanes: Lanes,
    operands: usize,
    /// Whether the result is an operand: no element may be computed twice then.
    over: bool,
    /// The bytes of an element of the result.
    size: usize,
}

impl Loop<'_> {
    /// Runs it over one block, what does not fill a register in padded copies.
    ///
    /// # Safety
    /// The operands have `len` elements, or `WIDEST` where their step is 0, and so has `out`, which nobody else touches.
    #[inline]
    unsafe fn run(&self, x: &[Operand; OPERANDS], out: *mut u8, len: usize) {
        let any = self.lanes == Lanes::One || (!self.over && len >= WIDEST);
        let whole = if any { len } else { len / WIDEST * WIDEST };
        // SAFETY: the caller's promise.
        unsafe {
            if whole > 0 {
                self.block.run(x, out, whole);
            }
            if whole < len {
                let x = x.map(|x| Operand { from: x.from.wrapping_add(whole * x.step * self.size), ..x });
                let out = out.add(whole * self.size);
                map_padded(&x[..self.operands], out, (len - whole) * self.size, self.block);
            }
        }
    }
}

/// Computes fewer than `WIDEST` elements, `bytes` long, in padded copies of the operands, so that the loop has full registers
/// only.
///
/// # Safety
/// As for [`MapBlock::run`]; operands and result are of one size.
unsafe fn map_padded(x: &[Operand], out: *mut u8, bytes: usize, block: &dyn MapBlock) {
    let mut padded = [[0_u64; WIDEST]; OPERANDS];
    let mut operands = [Operand { from: out, step: 0 }; OPERANDS];
    let mut y = [0_u64; WIDEST];
    let y = y.as_mut_ptr().cast::<u8>();
    // SAFETY: the caller's promise; each square of `padded` has room for `WIDEST` numbers of any dtype.
    unsafe {
        for ((operand, x), padded) in operands.iter_mut().zip(x).zip(&mut padded) {
            let to = padded.as_mut_ptr().cast::<u8>();
            to.copy_from_nonoverlapping(x.from, bytes);
            *operand = Operand { from: to, step: 1 };
        }
        block.run(&operands, y, WIDEST);
        out.copy_from_nonoverlapping(y, bytes);
    }
}

/// `(p, state) = op(p, g, state)`, in place, with the op's loop.
///
/// # Panics
/// If counts or dtypes differ.
pub(crate) fn update(p: &mut Buffer, g: View<Buffer>, state: &mut [&mut Buffer], block: &dyn UpdateBlock) {
    let (dtype, count) = (p.dtype(), p.len());
    let fits = |x: &Buffer, len: usize| x.dtype() == dtype && len == count;
    let state_fits = state.iter().all(|s| fits(s, s.len()));
    assert!(fits(g.buffer, g.shape().count()) && state_fits, "[update] counts or dtypes differ");
    if count == 0 {
        return;
    }
    let size = dtype.bytes();
    let of = Step { block, kept: state.len(), size };
    let mut places = [Shared::new(&mut []); OPERANDS];
    places.iter_mut().zip(state).for_each(|(place, s)| *place = Shared::new(s.bytes_mut()));
    let (p, state) = (Shared::new(p.bytes_mut()), places);
    let at = move |place: Shared<u8>, i: usize| place.ptr().wrapping_add(i * size);
    let copy = transpose::untangled(g);
    let g = copy_or(&copy, g);
    if g.layout.is_contiguous() {
        // all lie in place: the one thing to ask is where
        let g = Shared::reading(&g.buffer.bytes()[g.layout.offset * size..][..count * size]);
        let run = move |start: usize, end: usize| {
            // SAFETY: parameter, gradient and state have these elements, and the pieces do not overlap.
            unsafe { of.run(at(p, start), at(g, start), &state.map(|s| at(s, start)), end - start) }
        };
        return for_pieces(count, run);
    }
    let g = Source::new(g);
    par::for_ranges(count, piece(count), |start, end| {
        let mut scratch: Scratch = [MaybeUninit::uninit(); BLOCK];
        for start in (start..end).step_by(BLOCK) {
            let range = start..end.min(start + BLOCK);
            let len = range.len();
            let g = g.block(range, &mut scratch);
            // SAFETY: parameter, gradient and state have these elements, and the pieces do not overlap.
            unsafe { of.run(at(p, start), g, &state.map(|s| at(s, start)), len) }
        }
    });
}

/// An update's loop and what it runs on.
#[derive(Clone, Copy)]
struct Step<'a> {
    block: &'a dyn UpdateBlock,
    /// The tensors of its state.
    kept: usize,
    /// The bytes of a number.
    size: usize,
}

impl Step<'_> {
    /// Runs it over one block, what does not fill a register in padded copies.
    ///
    /// # Safety
    /// As for [`UpdateBlock::run`], with any `len`.
    unsafe fn run(&self, p: *mut u8, g: *const u8, state: &[*mut u8; OPERANDS], len: usize) {
        let whole = len / WIDEST * WIDEST;
        // SAFETY: the caller's promise.
        unsafe {
            if whole > 0 {
                self.block.run(p, g, state, whole);
            }
            if whole < len {
                let at = whole * self.size;
                let state = state.map(|s| s.wrapping_add(at));
                update_padded(p.add(at), g.add(at), &state[..self.kept], (len - whole) * self.size, self.block);
            }
        }
    }
}

/// Updates fewer than `WIDEST` numbers, `bytes` long, in padded copies, so that the loop has full registers only.
///
/// # Safety
/// As for [`UpdateBlock::run`].
unsafe fn update_padded(p: *mut u8, g: *const u8, state: &[*mut u8], bytes: usize, block: &dyn UpdateBlock) {
    let mut padded = [[0_u64; WIDEST]; OPERANDS + 2];
    let [p_padded, g_padded, state_padded @ ..] = padded.each_mut().map(|square| square.as_mut_ptr().cast::<u8>());
    // SAFETY: the caller's promise; each square of `padded` has room for `WIDEST` numbers of any dtype.
    unsafe {
        g_padded.copy_from_nonoverlapping(g, bytes);
        let moved = || std::iter::once((p, p_padded)).chain(state.iter().copied().zip(state_padded));
        moved().for_each(|(x, padded)| padded.copy_from_nonoverlapping(x, bytes));
        block.run(p_padded, g_padded, &state_padded, WIDEST);
        moved().for_each(|(x, padded)| x.copy_from_nonoverlapping(padded, bytes));
    }
}
