//! Memory: of the device, pinned on the host, and copies between them.

use std::alloc::Layout;
use std::ffi::{c_int, c_uint, c_ushort, c_void};

use crate::answer::{Answer, Error};
use crate::driver::{Handle, driver};
use crate::pointers::{Host, In, Out};
use crate::work::Work;

/// The only pool of memory.
const POOL: Handle = 0xB0;

fn allocate(address: Out<u64>, bytes: usize) -> Answer {
    if bytes == 0 {
        return Err(Error::InvalidValue);
    }
    let memory = &driver().device.memory;
    let found = memory.allocate(bytes).map_err(|_| Error::OutOfMemory)?;
    let mut state = driver().state();
    state.peak = state.peak.max(memory.used() as u64);
    address.set(found)
}

fn free(address: u64) -> Answer {
    if address == 0 || driver().device.memory.free(address) { Ok(()) } else { Err(Error::InvalidValue) }
}

/// A stream that is captured cannot allocate: graphs here own no memory.
fn allocating(stream: Handle) -> Answer {
    let mut state = driver().context()?;
    if state.streams.capture(stream)?.is_some() { Err(Error::NotSupported) } else { Ok(()) }
}

/// Work that is done before the call returns.
fn at_once(work: Work) -> Answer {
    drop(driver().uncaptured()?);
    work.run(driver())
}

fn fill(address: u64, value: u32, width: usize, count: usize) -> Work {
    Work::Fill { address, value: value.to_le_bytes(), width, count }
}

exports! {
    /// Allocates.
    fn cuMemAlloc_v2(address: Out<u64>, bytes: usize) {
        drop(driver().uncaptured()?);
        allocate(address, bytes)
    }

    /// Frees.
    fn cuMemFree_v2(address: u64) {
        drop(driver().uncaptured()?);
        free(address)
    }

    /// Allocates in the order of a stream.
    fn cuMemAllocAsync(address: Out<u64>, bytes: usize, stream: Handle) {
        allocating(stream)?;
        allocate(address, bytes)
    }

    /// Allocates from a pool in the order of a stream.
    fn cuMemAllocFromPoolAsync(address: Out<u64>, bytes: usize, pool: Handle, stream: Handle) {
        allocating(stream)?;
        if pool != POOL {
            return Err(Error::InvalidValue);
        }
        allocate(address, bytes)
    }

    /// Frees in the order of a stream.
    fn cuMemFreeAsync(address: u64, stream: Handle) {
        allocating(stream)?;
        free(address)
    }

    /// Free and total memory.
    fn cuMemGetInfo_v2(free: Out<usize>, total: Out<usize>) {
        drop(driver().context()?);
        let memory = &driver().device.memory;
        free.set(memory.capacity() - memory.used())?;
        total.set(memory.capacity())
    }

    /// The allocation around an address.
    fn cuMemGetAddressRange_v2(base: Out<u64>, bytes: Out<usize>, address: u64) {
        drop(driver().context()?);
        let (start, size) = driver().device.memory.allocation(address).ok_or(Error::NotFound)?;
        base.set_if_wanted(start);
        bytes.set_if_wanted(size);
        Ok(())
    }

    /// The pool.
    fn cuDeviceGetDefaultMemPool(pool: Out<Handle>, device: c_int) {
        if device == 0 { pool.set(POOL) } else { Err(Error::InvalidDevice) }
    }

    /// The pool.
    fn cuDeviceGetMemPool(pool: Out<Handle>, device: c_int) {
        if device == 0 { pool.set(POOL) } else { Err(Error::InvalidDevice) }
    }

    /// Sets what can be set: of the numbers only the threshold for giving memory back, which is kept.
    fn cuMemPoolSetAttribute(pool: Handle, attribute: c_int, value: In<u64>) {
        let mut state = driver().initialized()?;
        match (pool, attribute) {
            (POOL, 1..=3) => Ok(()),
            (POOL, 4) => {
                state.release_threshold = value.get()?;
                Ok(())
            }
            (POOL, 6 | 8) if value.get()? == 0 => {
                state.peak = driver().device.memory.used() as u64;
                Ok(())
            }
            _ => Err(Error::InvalidValue),
        }
    }

    /// Gets an attribute: flags are `int`, sizes 64 bits.
    fn cuMemPoolGetAttribute(pool: Handle, attribute: c_int, value: Out<c_void>) {
        let state = driver().initialized()?;
        let used = driver().device.memory.used() as u64;
        match (pool, attribute) {
            (POOL, 1..=3) => value.cast::<c_int>().set(1),
            (POOL, 4) => value.cast().set(state.release_threshold),
            (POOL, 5 | 7) => value.cast().set(used),
            (POOL, 6 | 8) => value.cast().set(state.peak.max(used)),
            _ => Err(Error::InvalidValue),
        }
    }

    /// Gives back what is cached, which is nothing.
    fn cuMemPoolTrimTo(pool: Handle, _keep: usize) {
        if pool == POOL { Ok(()) } else { Err(Error::InvalidValue) }
    }

    /// Pinned memory of the host.
    fn cuMemHostAlloc(address: Out<usize>, bytes: usize, _flags: c_uint) {
        let mut state = driver().context()?;
        let layout = Layout::from_size_align(bytes.max(1), 4096).map_err(|_| Error::OutOfMemory)?;
        // SAFETY: the layout has a size.
        let memory = unsafe { std::alloc::alloc_zeroed(layout) } as usize;
        if memory == 0 {
            return Err(Error::OutOfMemory);
        }
        state.pinned.insert(memory, layout);
        address.set(memory)
    }

    /// Frees pinned memory.
    fn cuMemFreeHost(memory: usize) {
        // Not `context`: what the host owns can be freed after a fault, too.
        let layout = driver().initialized()?.pinned.remove(&memory).ok_or(Error::InvalidValue)?;
        // SAFETY: allocated by `cuMemHostAlloc` with this layout, and taken out of the list, so freed once.
        unsafe { std::alloc::dealloc(memory as *mut u8, layout) };
        Ok(())
    }

    /// Copies to the device, at once.
    fn cuMemcpyHtoD_v2(to: u64, from: Host, bytes: usize) {
        at_once(Work::ToDevice { to, from, bytes })
    }

    /// Copies to the host, at once.
    fn cuMemcpyDtoH_v2(to: Host, from: u64, bytes: usize) {
        at_once(Work::ToHost { to, from, bytes })
    }

    /// Copies within the device, at once.
    fn cuMemcpyDtoD_v2(to: u64, from: u64, bytes: usize) {
        at_once(Work::OnDevice { to, from, bytes })
    }

    /// Copies to the device in a stream.
    fn cuMemcpyHtoDAsync_v2(to: u64, from: Host, bytes: usize, stream: Handle) {
        driver().submit(stream, Work::ToDevice { to, from, bytes })
    }

    /// Copies to the host in a stream.
    fn cuMemcpyDtoHAsync_v2(to: Host, from: u64, bytes: usize, stream: Handle) {
        driver().submit(stream, Work::ToHost { to, from, bytes })
    }

    /// Copies within the device in a stream.
    fn cuMemcpyDtoDAsync_v2(to: u64, from: u64, bytes: usize, stream: Handle) {
        driver().submit(stream, Work::OnDevice { to, from, bytes })
    }

    /// Sets bytes, at once.
    fn cuMemsetD8_v2(address: u64, value: u8, count: usize) {
        at_once(fill(address, value.into(), 1, count))
    }

    /// Sets words, at once.
    fn cuMemsetD32_v2(address: u64, value: c_uint, count: usize) {
        at_once(fill(address, value, 4, count))
    }

    /// Sets bytes in a stream.
    fn cuMemsetD8Async(address: u64, value: u8, count: usize, stream: Handle) {
        driver().submit(stream, fill(address, value.into(), 1, count))
    }

    /// Sets half words in a stream.
    fn cuMemsetD16Async(address: u64, value: c_ushort, count: usize, stream: Handle) {
        driver().submit(stream, fill(address, value.into(), 2, count))
    }

    /// Sets words in a stream.
    fn cuMemsetD32Async(address: u64, value: c_uint, count: usize, stream: Handle) {
        driver().submit(stream, fill(address, value, 4, count))
    }
}
