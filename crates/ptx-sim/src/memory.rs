//! Device memory: allocations with addresses of their own, and for every byte whether anybody has written it.
//!
//! An address is never given out twice, and there is a gap after each allocation, so a pointer that runs past its end
//! or outlives it points to nothing. Neither is it an address of the host's: a program that follows one crashes.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, RwLock};

use crate::{Access, Nearest};

/// Where the first allocation begins.
const FIRST: u64 = 0x3_0200_0000;
/// Allocations begin at multiples of this.
const ALIGN: u64 = 512;
/// At least this many bytes belong to nobody after an allocation.
const GAP: u64 = 512;
/// What memory that nobody has written reads as, where such reads are let pass: a NaN.
pub(crate) const POISON: u32 = u32::MAX;

/// The memory of a device.
pub struct Memory {
    table: RwLock<Table>,
    capacity: usize,
}

struct Table {
    /// Sorted by address.
    regions: Arc<Vec<Arc<Region>>>,
    next: u64,
    used: usize,
}

/// There is not enough memory left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl std::fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the device's memory is full")
    }
}

impl std::error::Error for OutOfMemory {}

/// One allocation.
pub struct Region {
    base: u64,
    bytes: usize,
    words: Box<[AtomicU32]>,
    /// For each word, a bit for each of its bytes that has been written.
    written: Box<[AtomicU8]>,
}

impl Memory {
    /// Memory of `capacity` bytes. Nothing is taken from the host before it is touched.
    pub fn new(capacity: usize) -> Self {
        Self { table: RwLock::new(Table { regions: Arc::default(), next: FIRST, used: 0 }), capacity }
    }

    /// All bytes, free or not.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Bytes that are allocated.
    pub fn used(&self) -> usize {
        self.table.read().expect("no holder panics").used
    }

    /// The address of `bytes` fresh bytes.
    pub fn allocate(&self, bytes: usize) -> Result<u64, OutOfMemory> {
        let mut table = self.table.write().expect("no holder panics");
        if bytes > self.capacity - table.used {
            return Err(OutOfMemory);
        }
        let base = table.next;
        table.next = (base + bytes as u64 + GAP).next_multiple_of(ALIGN);
        table.used += bytes;
        Arc::make_mut(&mut table.regions).push(Arc::new(Region::new(base, bytes)));
        Ok(base)
    }

    /// Frees the allocation that begins at `address`; false if none does.
    pub fn free(&self, address: u64) -> bool {
        let mut table = self.table.write().expect("no holder panics");
        let Ok(at) = table.regions.binary_search_by_key(&address, |region| region.base) else { return false };
        let region = Arc::make_mut(&mut table.regions).remove(at);
        table.used -= region.bytes;
        true
    }

    /// Frees everything.
    pub fn clear(&self) {
        let mut table = self.table.write().expect("no holder panics");
        table.regions = Arc::default();
        table.used = 0;
    }

    /// The allocations as they are now.
    pub(crate) fn regions(&self) -> Arc<Vec<Arc<Region>>> {
        self.table.read().expect("no holder panics").regions.clone()
    }

    /// The allocation that holds `bytes` bytes from `address` on, and the offset there.
    fn find(&self, address: u64, bytes: usize) -> Result<(Arc<Region>, usize), OutsideMemory> {
        let regions = self.regions();
        let outside = || OutsideMemory { address, bytes, nearest: nearest(&regions, address) };
        let region = lookup(&regions, address, bytes).ok_or_else(outside)?;
        Ok((region.clone(), (address - region.base) as usize))
    }

    /// Copies from the host.
    pub fn write(&self, address: u64, data: &[u8]) -> Result<(), OutsideMemory> {
        let (region, offset) = self.find(address, data.len())?;
        region.write(offset, data);
        Ok(())
    }

    /// Copies to the host; bytes that nobody has written come as `0xFF`.
    pub fn read(&self, address: u64, data: &mut [u8]) -> Result<(), OutsideMemory> {
        let (region, offset) = self.find(address, data.len())?;
        region.read(offset, data);
        Ok(())
    }

    /// Copies within the device; bytes that nobody has written stay so.
    pub fn copy(&self, to: u64, from: u64, bytes: usize) -> Result<(), OutsideMemory> {
        let ((to, at), (from, start)) = (self.find(to, bytes)?, self.find(from, bytes)?);
        let mut data = vec![0; bytes];
        from.read(start, &mut data);
        let unwritten: Vec<usize> = (0..bytes).filter(|&i| !from.is_written(start + i, 1)).collect();
        to.write(at, &data);
        unwritten.into_iter().for_each(|i| to.forget(at + i, 1));
        Ok(())
    }

    /// Sets `count` values of `value.len()` bytes each.
    pub fn fill(&self, address: u64, value: &[u8], count: usize) -> Result<(), OutsideMemory> {
        let (region, offset) = self.find(address, value.len() * count)?;
        region.write(offset, &value.repeat(count));
        Ok(())
    }

    /// Counts bytes as written by nobody again, as a pool does with what it takes back.
    pub fn forget(&self, address: u64, bytes: usize) -> Result<(), OutsideMemory> {
        let (region, offset) = self.find(address, bytes)?;
        region.forget(offset, bytes);
        Ok(())
    }

    /// The first address of the allocation around `address`, and its bytes.
    pub fn allocation(&self, address: u64) -> Option<(u64, usize)> {
        let regions = self.regions();
        lookup(&regions, address, 1).map(|region| (region.base, region.bytes))
    }
}

/// An access by the host that lies in no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideMemory {
    /// The first byte.
    pub address: u64,
    /// How many.
    pub bytes: usize,
    /// The allocation that is nearest.
    pub nearest: Option<Nearest>,
}

impl std::fmt::Display for OutsideMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes at {:#x} lie in no allocation", self.bytes, self.address)?;
        self.nearest.as_ref().map_or(Ok(()), |nearest| write!(f, "; {nearest}"))
    }
}

impl std::error::Error for OutsideMemory {}

/// The region of the sorted `regions` that holds these bytes.
pub(crate) fn lookup(regions: &[Arc<Region>], address: u64, bytes: usize) -> Option<&Arc<Region>> {
    let region = &regions[regions.partition_point(|region| region.base <= address).checked_sub(1)?];
    region.holds(address, bytes).then_some(region)
}

/// The allocation nearest to an address outside all of them.
pub(crate) fn nearest(regions: &[Arc<Region>], address: u64) -> Option<Nearest> {
    let at = regions.partition_point(|region| region.base <= address);
    let before = at.checked_sub(1).map(|at| Nearest::new(&regions[at], address));
    let after = regions.get(at).map(|region| Nearest::new(region, address));
    [before, after].into_iter().flatten().min_by_key(|nearest| nearest.distance)
}

impl Nearest {
    fn new(region: &Region, address: u64) -> Self {
        let (access, distance) = match region.base.checked_sub(address) {
            Some(distance) if distance > 0 => (Access::Before, distance),
            _ => (Access::After, (address - region.base).saturating_sub(region.bytes as u64)),
        };
        Nearest { base: region.base, bytes: region.bytes, access, distance }
    }
}

impl Region {
    fn new(base: u64, bytes: usize) -> Self {
        let count = bytes.div_ceil(4);
        Self { base, bytes, words: zeroed_words(count), written: zeroed_bytes(count) }
    }

    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Whether it holds `bytes` bytes from `address` on.
    #[inline(always)]
    pub(crate) fn holds(&self, address: u64, bytes: usize) -> bool {
        let offset = address.wrapping_sub(self.base);
        offset <= self.bytes as u64 && bytes as u64 <= self.bytes as u64 - offset
    }

    /// The words from word `at` on.
    #[inline(always)]
    pub(crate) fn words(&self, at: usize, count: usize) -> &[AtomicU32] {
        &self.words[at..at + count]
    }

    /// The masks of written bytes from word `at` on.
    #[inline(always)]
    pub(crate) fn masks(&self, at: usize, count: usize) -> &[AtomicU8] {
        &self.written[at..at + count]
    }

    /// Whether all of these bytes, which lie in one word or are whole words, have been written.
    #[inline(always)]
    pub(crate) fn is_written(&self, offset: usize, bytes: usize) -> bool {
        if bytes < 4 {
            let mask = ((1u8 << bytes) - 1) << (offset % 4);
            return self.written[offset / 4].load(Relaxed) & mask == mask;
        }
        self.masks(offset / 4, bytes / 4).iter().all(|mask| mask.load(Relaxed) == 0xF)
    }

    /// Up to four bytes of one word, in the low part.
    #[inline(always)]
    pub(crate) fn load(&self, offset: usize, bytes: usize) -> u32 {
        let word = self.words[offset / 4].load(Relaxed) >> (8 * (offset % 4));
        if bytes < 4 { word & ((1 << (8 * bytes)) - 1) } else { word }
    }

    /// Sets up to four bytes of one word, and marks them as written.
    #[inline(always)]
    pub(crate) fn store(&self, offset: usize, bytes: usize, value: u32) {
        let (word, written) = (&self.words[offset / 4], &self.written[offset / 4]);
        if bytes == 4 {
            word.store(value, Relaxed);
            written.store(0xF, Relaxed);
            return;
        }
        let shift = 8 * (offset % 4);
        let mask = ((1u32 << (8 * bytes)) - 1) << shift;
        word.fetch_update(Relaxed, Relaxed, |old| Some(old & !mask | value << shift & mask)).expect("always some");
        written.fetch_or(((1 << bytes) - 1) << (offset % 4), Relaxed);
    }

    /// The word that holds `offset`.
    pub(crate) fn word(&self, offset: usize) -> &AtomicU32 {
        &self.words[offset / 4]
    }

    fn write(&self, offset: usize, data: &[u8]) {
        for (at, piece) in pieces(offset, data.len()) {
            let mut bytes = [0; 4];
            bytes[..piece].copy_from_slice(&data[at - offset..at - offset + piece]);
            self.store_piece(at, piece, u32::from_le_bytes(bytes));
        }
    }

    /// A piece may be three bytes, too.
    fn store_piece(&self, at: usize, bytes: usize, value: u32) {
        if bytes == 3 {
            self.store(at, 2, value);
            self.store(at + 2, 1, value >> 16);
        } else {
            self.store(at, bytes, value);
        }
    }

    fn read(&self, offset: usize, data: &mut [u8]) {
        for (at, piece) in pieces(offset, data.len()) {
            let word = self.words[at / 4].load(Relaxed).to_le_bytes();
            let written = self.written[at / 4].load(Relaxed);
            for i in 0..piece {
                let byte = at % 4 + i;
                data[at - offset + i] = if written >> byte & 1 == 1 { word[byte] } else { POISON as u8 };
            }
        }
    }

    fn forget(&self, offset: usize, bytes: usize) {
        for (at, piece) in pieces(offset, bytes) {
            self.written[at / 4].fetch_and(!(((1u8 << piece) - 1) << (at % 4)), Relaxed);
        }
    }
}

/// Cuts bytes where words begin: the first byte and the number of bytes of each piece.
fn pieces(offset: usize, bytes: usize) -> impl Iterator<Item = (usize, usize)> {
    let (mut at, end) = (offset, offset + bytes);
    std::iter::from_fn(move || {
        let start = at;
        at = (at / 4 * 4 + 4).min(end);
        (start < end).then_some((start, at - start))
    })
}

/// Zeros that the host's memory manager hands out without touching them.
fn zeroed_words(count: usize) -> Box<[AtomicU32]> {
    let plain = Box::into_raw(vec![0u32; count].into_boxed_slice());
    // SAFETY: an `AtomicU32` has the size, alignment and valid bits of a `u32`, and the box is the only owner.
    unsafe { Box::from_raw(plain as *mut [AtomicU32]) }
}

fn zeroed_bytes(count: usize) -> Box<[AtomicU8]> {
    let plain = Box::into_raw(vec![0u8; count].into_boxed_slice());
    // SAFETY: as above, for bytes.
    unsafe { Box::from_raw(plain as *mut [AtomicU8]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_never_given_out_twice() {
        let memory = Memory::new(1000);
        let (a, b) = (memory.allocate(400).unwrap(), memory.allocate(600).unwrap());
        assert!(b >= a + 400 + GAP && a % ALIGN == 0 && b % ALIGN == 0);
        assert_eq!(memory.allocate(1), Err(OutOfMemory));
        assert!(memory.free(a) && !memory.free(a) && !memory.free(b + 4));
        assert!(memory.allocate(400).unwrap() > b);
        assert_eq!(memory.used(), 1000);
        assert!(memory.read(a, &mut [0]).is_err(), "freed");
    }

    #[test]
    fn bytes_at_any_offset_come_back() {
        let memory = Memory::new(1 << 20);
        for (offset, count) in [(0, 16), (1, 7), (3, 1), (2, 2), (5, 3), (0, 0), (7, 9)] {
            let base = memory.allocate(16).unwrap();
            let data: Vec<u8> = (0..count).map(|i| 10 + i as u8).collect();
            memory.write(base + offset, &data).unwrap();
            let mut all = [0; 16];
            memory.read(base, &mut all).unwrap();
            for (i, &byte) in all.iter().enumerate() {
                let inside = i as u64 >= offset && (i as u64) < offset + count;
                assert_eq!(byte, if inside { 10 + (i as u64 - offset) as u8 } else { 0xFF }, "{offset} {count} {i}");
            }
        }
    }

    #[test]
    fn outside_is_outside() {
        let memory = Memory::new(1 << 20);
        let base = memory.allocate(10).unwrap();
        assert!(memory.write(base + 8, &[1, 2]).is_ok());
        let error = memory.write(base + 8, &[1, 2, 3]).unwrap_err();
        assert!(error.to_string().contains("nearest"), "{error}");
        assert!(memory.read(base.wrapping_sub(1), &mut [0]).is_err());
        assert!(memory.fill(base, &[1, 2, 3, 4], 3).is_err());
        assert_eq!(memory.allocation(base + 9), Some((base, 10)));
        assert_eq!(memory.allocation(base + 10), None);
    }

    #[test]
    fn copies_keep_what_is_unwritten() {
        let memory = Memory::new(1 << 20);
        let (a, b) = (memory.allocate(8).unwrap(), memory.allocate(8).unwrap());
        memory.write(a + 2, &[7, 8]).unwrap();
        memory.fill(b, &[0], 8).unwrap();
        memory.copy(b, a, 8).unwrap();
        let (region, _) = memory.find(b, 8).unwrap();
        let written: Vec<bool> = (0..8).map(|i| region.is_written(i, 1)).collect();
        assert_eq!(written, [false, false, true, true, false, false, false, false]);
    }
}
