//! [`Buffer`]: memory of one dtype, 64-byte aligned, handed out uninitialised from a size-class cache.

use crate::known::Known;
use crate::usage::Count;
use cotangent_base::{DType, Element, View};
use std::alloc::{Layout as Memory, alloc, dealloc, handle_alloc_error};
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Cache-line and AVX-512 register size.
const ALIGN: usize = 64;

/// The size of a huge page, on most systems: blocks of this size and larger begin where one does.
const HUGE: usize = 2 << 20;

/// `len` elements of one dtype. Freed memory goes to a cache of its thread, so that a training loop neither
/// asks the system for memory nor touches fresh pages after its first step.
pub struct Buffer {
    memory: NonNull<u8>,
    dtype: DType,
    len: usize,
    /// What is known of the numbers since they were last written.
    pub(crate) known: Known,
}

// SAFETY: a Buffer owns its memory alone; shared references only read it.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Memory for `len` elements of `dtype`, whose values are anything (in debug builds: all bits set, which is
    /// NaN for floats, so that an element nobody wrote cannot hide). For kernels that write every element.
    pub fn uninit(dtype: DType, len: usize) -> Self {
        let bytes = class(len * dtype.bytes());
        let memory = CACHE.with_borrow_mut(|c| c.take(bytes)).unwrap_or_else(|| fresh(bytes));
        if cfg!(debug_assertions) {
            // SAFETY: the block is `bytes` long.
            unsafe { memory.as_ptr().write_bytes(if dtype == DType::Bool { 1 } else { 0xFF }, bytes) };
        }
        Self { memory, dtype, len, known: Known::default() }
    }

    /// Memory holding a copy of `values`.
    pub fn from_slice<T: Element>(values: &[T]) -> Self {
        let mut out = Self::uninit(T::DTYPE, values.len());
        out.as_mut::<T>().copy_from_slice(values);
        out
    }

    /// A new buffer of `len` elements of `T`, filled by `write`, which must write every element.
    pub fn build<T: Element>(len: usize, write: impl FnOnce(&mut [T])) -> Self {
        let mut out = Self::uninit(T::DTYPE, len);
        write(out.as_mut());
        out
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements.
    ///
    /// # Panics
    /// If `T` is not the buffer's dtype.
    #[inline]
    pub fn as_slice<T: Element>(&self) -> &[T] {
        assert_eq!(T::DTYPE, self.dtype, "a kernel asked for the wrong dtype");
        // SAFETY: the block holds `len` elements of this dtype, aligned to 64 bytes.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.len) }
    }

    /// The elements, to write.
    ///
    /// # Panics
    /// If `T` is not the buffer's dtype.
    #[inline]
    #[allow(clippy::should_implement_trait)]
    pub fn as_mut<T: Element>(&mut self) -> &mut [T] {
        assert_eq!(T::DTYPE, self.dtype, "a kernel asked for the wrong dtype");
        self.known = Known::default();
        // SAFETY: as in `as_slice`, and the buffer is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().cast(), self.len) }
    }
}

impl Buffer {
    /// The same memory as elements of `dtype`, of the same size, of which any bits are a value.
    fn seen_as(&self, dtype: DType) -> ManuallyDrop<Buffer> {
        debug_assert!(dtype != DType::Bool && dtype.bytes() == self.dtype.bytes());
        ManuallyDrop::new(Self { memory: self.memory, dtype, len: self.len, known: Known::default() })
    }

    /// The memory of all elements.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the block holds as many bytes.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr(), self.len * self.dtype.bytes()) }
    }

    /// The memory of all elements, to write what the dtype allows.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.known = Known::default();
        // SAFETY: as in `bytes`, and the buffer is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr(), self.len * self.dtype.bytes()) }
    }
}

/// `f` of the views, which are of one dtype, seen as of `dtype`: one of the same size, of which any bits are a value.
fn seen_as<const N: usize, R>(dtype: DType, x: [View<Buffer>; N], f: impl FnOnce([View<Buffer>; N]) -> R) -> R {
    assert!(x.iter().all(|other| other.buffer.dtype == x[0].buffer.dtype), "a kernel got elements of different dtypes");
    let seen = x.map(|x| x.buffer.seen_as(dtype));
    f(std::array::from_fn(|k| View { buffer: &*seen[k], layout: x[k].layout }))
}

/// `f` of the views, which are of one dtype, bools seen as u8: what reads numbers is not compiled for bools.
pub(crate) fn as_numbers<const N: usize, R>(x: [View<Buffer>; N], f: impl FnOnce([View<Buffer>; N]) -> R) -> R {
    let dtype = x[0].buffer.dtype;
    seen_as(if dtype == DType::Bool { DType::U8 } else { dtype }, x, f)
}

/// `f` of the views, which are of one dtype, seen as u8, u32 or i64: what moves elements is compiled for these alone. Its
/// result is of the views' dtype again.
pub(crate) fn by_words<const N: usize>(x: [View<Buffer>; N], f: impl FnOnce([View<Buffer>; N]) -> Buffer) -> Buffer {
    let dtype = x[0].buffer.dtype;
    let mut y = seen_as(words(dtype), x, f);
    y.dtype = dtype;
    y
}

/// The same with a buffer to write to, of the view's dtype.
pub(crate) fn by_words_to(out: &mut Buffer, x: View<Buffer>, f: impl FnOnce(&mut Buffer, View<Buffer>)) {
    assert_eq!(out.dtype, x.buffer.dtype, "a kernel got elements of different dtypes");
    out.known = Known::default();
    let mut seen = out.seen_as(words(out.dtype));
    seen_as(seen.dtype, [x], |[x]| f(&mut seen, x));
}

/// The dtype of words that are as long as the elements of `dtype`.
fn words(dtype: DType) -> DType {
    match dtype.bytes() {
        1 => DType::U8,
        4 => DType::U32,
        _ => DType::I64,
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = class(self.len * self.dtype.bytes());
        let memory = self.memory;
        // While a thread ends its cache may be gone: then the memory goes straight back.
        let kept = CACHE.try_with(|c| c.borrow_mut().keep(memory, bytes)).unwrap_or_else(|_| {
            Count::default().add(-(bytes as isize));
            false
        });
        if !kept {
            free(memory, bytes);
        }
    }
}

/// The block size for `bytes`: eight classes for each power of two, so at most an eighth is wasted.
fn class(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGN);
    let step = (bytes.next_power_of_two() / 16).max(ALIGN);
    bytes.next_multiple_of(step)
}

fn memory(bytes: usize) -> Memory {
    let align = if bytes >= HUGE { HUGE } else { ALIGN };
    Memory::from_size_align(bytes, align).expect("a tensor's size fits the address space")
}

fn fresh(bytes: usize) -> NonNull<u8> {
    // SAFETY: `bytes` is at least ALIGN, so not zero.
    let block = unsafe { alloc(memory(bytes)) };
    let block = NonNull::new(block).unwrap_or_else(|| handle_alloc_error(memory(bytes)));
    if bytes >= HUGE {
        ask_for_huge_pages(block, bytes);
    }
    block
}

/// Whole huge pages of the block need one fault each and one place in the address translation cache, where pages of
/// 4 KiB need 512. Only advice: without it, or where the system does not take it, all works the same but slower.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(block: NonNull<u8>, bytes: usize) {
    // SAFETY: the block is ours, and the advice does not change what it holds.
    unsafe { libc::madvise(block.as_ptr().cast(), bytes / HUGE * HUGE, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: NonNull<u8>, _: usize) {}

fn free(block: NonNull<u8>, bytes: usize) {
    // SAFETY: `block` came from `fresh(bytes)`.
    unsafe { dealloc(block.as_ptr(), memory(bytes)) }
}

/// Free blocks by size.
#[derive(Default)]
struct Cache {
    /// Sorted by their size.
    classes: Vec<Class>,
    bytes: usize,
    /// Counts the blocks that came back.
    now: u64,
    /// What this thread's buffers hold.
    count: Count,
}

/// The free blocks of one size.
struct Class {
    size: usize,
    blocks: Vec<NonNull<u8>>,
    /// When the last of them came back.
    used: u64,
}

/// How much free memory a thread keeps.
const KEEP: usize = 512 << 20;

thread_local!(static CACHE: RefCell<Cache> = RefCell::default());

/// Tells what this thread has counted, and gives the bytes of its free blocks.
pub(crate) fn settle() -> usize {
    CACHE.with_borrow_mut(|c| {
        c.count.tell();
        c.bytes
    })
}

impl Cache {
    /// A free block of this size, if there is one. Counts the buffer that it is for.
    fn take(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.count.add(bytes as isize);
        let at = self.classes.binary_search_by_key(&bytes, |class| class.size).ok()?;
        let block = self.classes[at].blocks.pop()?;
        self.bytes -= bytes;
        Some(block)
    }

    /// Whether the block of a buffer that goes is kept.
    fn keep(&mut self, block: NonNull<u8>, bytes: usize) -> bool {
        self.count.add(-(bytes as isize));
        self.now += 1;
        while self.bytes + bytes > KEEP {
            if !self.forget(bytes) {
                return false;
            }
        }
        self.bytes += bytes;
        let at = self.classes.binary_search_by_key(&bytes, |class| class.size).unwrap_or_else(|at| {
            self.classes.insert(at, Class { size: bytes, blocks: Vec::new(), used: 0 });
            at
        });
        self.classes[at].blocks.push(block);
        self.classes[at].used = self.now;
        true
    }

    /// Frees a block of the size that has not been used for longest, other than `but`: a program that goes on to other
    /// sizes would find the cache full of the old ones. Whether there was one.
    fn forget(&mut self, but: usize) -> bool {
        let others = self.classes.iter_mut().filter(|class| class.size != but && !class.blocks.is_empty());
        let Some(class) = others.min_by_key(|class| class.used) else { return false };
        let block = class.blocks.pop().expect("it is not empty");
        self.bytes -= class.size;
        free(block, class.size);
        true
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for class in self.classes.drain(..) {
            class.blocks.into_iter().for_each(|block| free(block, class.size));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_memory_is_handed_out_again() {
        let a = Buffer::uninit(DType::F32, 1000);
        let at = a.memory;
        drop(a);
        assert_eq!(Buffer::uninit(DType::F32, 1001).memory, at);
    }

    #[test]
    fn a_full_cache_forgets_the_sizes_that_are_not_used() {
        let some = |bytes: usize, count: usize| -> Vec<Buffer> {
            (0..count).map(|_| Buffer::uninit(DType::U8, bytes)).collect()
        };
        drop(some(KEEP / 8, 8));
        drop(some(KEEP / 4, 1));
        CACHE.with_borrow(|cache| {
            let free: Vec<_> = cache.classes.iter().map(|class| (class.size, class.blocks.len())).collect();
            assert_eq!(free, [(KEEP / 8, 6), (KEEP / 4, 1)]);
            assert_eq!(cache.bytes, KEEP);
        });
    }

    #[test]
    fn classes_waste_little() {
        for bytes in [1, 64, 65, 1000, 4097, 1 << 20, (1 << 20) + 1] {
            let c = class(bytes);
            assert!(
                c >= bytes && c.is_multiple_of(ALIGN) && (c <= 2 * ALIGN || c <= bytes + bytes / 7),
                "{bytes} -> {c}"
            );
        }
    }
}
