//! Contexts: the primary one of the device, whatever it is asked for by.

use std::ffi::{c_int, c_uint};

use crate::answer::{Answer, Error};
use crate::driver::{CONTEXT, Handle, current, driver, set_current};
use crate::pointers::Out;

fn retain(context: Out<Handle>, device: c_int) -> Answer {
    let mut state = driver().initialized()?;
    if device != 0 {
        return Err(Error::InvalidDevice);
    }
    state.retained += 1;
    context.set(CONTEXT)
}

/// The last one out puts everything away, a fault included.
fn release() -> Answer {
    let mut state = driver().initialized()?;
    state.retained = state.retained.checked_sub(1).ok_or(Error::InvalidContext)?;
    if state.retained == 0 {
        state.destroy(&driver().device);
    }
    Ok(())
}

exports! {
    /// Takes part in the primary context.
    fn cuDevicePrimaryCtxRetain(context: Out<Handle>, device: c_int) {
        retain(context, device)
    }

    /// Takes part no more.
    fn cuDevicePrimaryCtxRelease_v2(device: c_int) {
        if device == 0 { release() } else { Err(Error::InvalidDevice) }
    }

    /// Puts everything away at once.
    fn cuDevicePrimaryCtxReset_v2(device: c_int) {
        if device != 0 {
            return Err(Error::InvalidDevice);
        }
        let mut state = driver().initialized()?;
        let retained = state.retained;
        state.destroy(&driver().device);
        state.retained = retained;
        Ok(())
    }

    /// Whether the primary context is alive.
    fn cuDevicePrimaryCtxGetState(device: c_int, flags: Out<c_uint>, active: Out<c_int>) {
        if device != 0 {
            return Err(Error::InvalidDevice);
        }
        flags.set(0)?;
        active.set((driver().initialized()?.retained > 0).into())
    }

    /// A context of one's own, which here is the primary one.
    fn cuCtxCreate_v2(context: Out<Handle>, _flags: c_uint, device: c_int) {
        retain(context, device)?;
        set_current(CONTEXT);
        Ok(())
    }

    /// The same with an affinity, which is not looked at.
    fn cuCtxCreate_v3(context: Out<Handle>, _affinity: usize, _count: c_int, _flags: c_uint, device: c_int) {
        retain(context, device)?;
        set_current(CONTEXT);
        Ok(())
    }

    /// As a release.
    fn cuCtxDestroy_v2(context: Handle) {
        if context != CONTEXT {
            return Err(Error::InvalidContext);
        }
        release()
    }

    /// The calling thread's context.
    fn cuCtxGetCurrent(context: Out<Handle>) {
        drop(driver().initialized()?);
        context.set(current())
    }

    /// Makes a context the calling thread's.
    fn cuCtxSetCurrent(context: Handle) {
        drop(driver().initialized()?);
        if context != 0 && context != CONTEXT {
            return Err(Error::InvalidContext);
        }
        set_current(context);
        Ok(())
    }

    /// The calling thread's device.
    fn cuCtxGetDevice(device: Out<c_int>) {
        drop(driver().context()?);
        device.set(0)
    }

    /// Waits for all work; a fault shows here.
    fn cuCtxSynchronize() {
        driver().uncaptured().map(drop)
    }

    /// The priorities of streams: there is but one.
    fn cuCtxGetStreamPriorityRange(least: Out<c_int>, greatest: Out<c_int>) {
        drop(driver().context()?);
        least.set_if_wanted(0);
        greatest.set_if_wanted(0);
        Ok(())
    }

    /// Flags change nothing.
    fn cuCtxSetFlags(_flags: c_uint) {
        driver().context().map(drop)
    }

    /// Limits change nothing.
    fn cuCtxSetLimit(_limit: c_int, _value: usize) {
        driver().context().map(drop)
    }

    /// A stack of a kilobyte for each thread, and no other limit.
    fn cuCtxGetLimit(value: Out<usize>, limit: c_int) {
        drop(driver().context()?);
        value.set(if limit == 0 { 1024 } else { 0 })
    }

    /// Caches are not played.
    fn cuCtxSetCacheConfig(_config: c_int) {
        driver().context().map(drop)
    }

    /// Caches are not played.
    fn cuCtxGetCacheConfig(config: Out<c_int>) {
        drop(driver().context()?);
        config.set(0)
    }
}
