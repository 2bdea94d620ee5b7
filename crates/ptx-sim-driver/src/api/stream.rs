//! Streams and events.

use std::ffi::{c_int, c_uint, c_void};

use crate::answer::{Answer, Error};
use crate::driver::{Handle, driver};
use crate::pointers::{Host, Out};
use crate::stream::CaptureMode;
use crate::work::Work;

fn create(stream: Out<Handle>) -> Answer {
    let mut state = driver().context()?;
    let handle = state.handle();
    state.streams.add(handle);
    stream.set(handle)
}

exports! {
    /// A new stream.
    fn cuStreamCreate(stream: Out<Handle>, _flags: c_uint) {
        create(stream)
    }

    /// A new stream; there is one priority.
    fn cuStreamCreateWithPriority(stream: Out<Handle>, _flags: c_uint, _priority: c_int) {
        create(stream)
    }

    /// Forgets a stream.
    fn cuStreamDestroy_v2(stream: Handle) {
        driver().initialized()?.streams.remove(stream)
    }

    /// Waits for a stream; a fault shows here.
    fn cuStreamSynchronize(stream: Handle) {
        driver().context()?.streams.synchronize(stream)
    }

    /// Whether a stream has done all its work, which it has.
    fn cuStreamQuery(stream: Handle) {
        driver().context()?.streams.synchronize(stream)
    }

    /// Lets a stream wait for an event.
    fn cuStreamWaitEvent(stream: Handle, event: Handle, _flags: c_uint) {
        driver().context()?.streams.wait(stream, event)
    }

    /// Keeps the work of a stream instead of doing it.
    fn cuStreamBeginCapture_v2(stream: Handle, mode: c_int) {
        let mode = match mode {
            0 => CaptureMode::Global,
            1 => CaptureMode::ThreadLocal,
            2 => CaptureMode::Relaxed,
            _ => return Err(Error::InvalidValue),
        };
        let mut state = driver().context()?;
        let capture = state.handle();
        state.streams.begin(stream, mode, capture)
    }

    /// Whether the work of a stream is being kept.
    fn cuStreamIsCapturing(stream: Handle, status: Out<c_int>) {
        status.set(driver().context()?.streams.status(stream)?)
    }

    /// The kept work as a graph.
    fn cuStreamEndCapture(stream: Handle, graph: Out<Handle>) {
        let mut state = driver().context()?;
        graph.set(0)?;
        let nodes = state.streams.end(stream)?;
        let handle = state.handle();
        state.graphs.insert(handle, nodes.into());
        graph.set(handle)
    }

    /// Calls a function of the host in a stream.
    fn cuLaunchHostFunc(stream: Handle, function: Option<extern "C" fn(*mut c_void)>, argument: Host) {
        let function = function.ok_or(Error::InvalidValue)?;
        driver().submit(stream, Work::Call { function, argument })
    }

    /// A new event.
    fn cuEventCreate(event: Out<Handle>, _flags: c_uint) {
        let mut state = driver().context()?;
        let handle = state.handle();
        state.streams.add_event(handle);
        event.set(handle)
    }

    /// Forgets an event.
    fn cuEventDestroy_v2(event: Handle) {
        driver().initialized()?.streams.remove_event(event)
    }

    /// Records an event after the work that a stream has so far.
    fn cuEventRecord(event: Handle, stream: Handle) {
        driver().context()?.streams.record(event, stream)
    }

    /// Waits for an event.
    fn cuEventSynchronize(event: Handle) {
        driver().context()?.streams.synchronize_event(event)
    }

    /// Whether an event has happened, which it has.
    fn cuEventQuery(event: Handle) {
        driver().context()?.streams.synchronize_event(event)
    }

    /// Milliseconds between two events, as the host's clock goes.
    fn cuEventElapsedTime(milliseconds: Out<f32>, from: Handle, to: Handle) {
        milliseconds.set(driver().context()?.streams.elapsed(from, to)?)
    }

    /// Milliseconds between two events, as the host's clock goes.
    fn cuEventElapsedTime_v2(milliseconds: Out<f32>, from: Handle, to: Handle) {
        milliseconds.set(driver().context()?.streams.elapsed(from, to)?)
    }
}
