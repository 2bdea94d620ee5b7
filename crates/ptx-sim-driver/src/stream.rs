//! Streams, events, and what is being captured.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Instant;

use crate::answer::{Answer, Error};
use crate::driver::Handle;
use crate::work::Work;

/// Handles up to this stand for the default streams.
const DEFAULT_STREAMS: Handle = 2;

/// Which calls a capture forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureMode {
    /// Calls that wait, of any thread.
    Global,
    /// Calls that wait, of the thread that captures.
    ThreadLocal,
    /// None.
    Relaxed,
}

#[derive(Default)]
pub struct Streams {
    /// The capture that each stream is part of.
    streams: HashMap<Handle, Option<Handle>>,
    events: HashMap<Handle, Event>,
    captures: HashMap<Handle, Capture>,
}

/// What an event was recorded after.
#[derive(Clone, Copy)]
enum Event {
    Never,
    At(Instant),
    /// In a stream that is captured.
    Captured {
        capture: Handle,
        stream: Handle,
    },
}

struct Capture {
    origin: Handle,
    mode: CaptureMode,
    thread: ThreadId,
    nodes: Vec<Arc<Work>>,
    /// A call came that it forbids.
    broken: bool,
    /// Streams that were drawn in and have not been waited for.
    unjoined: HashSet<Handle>,
}

impl Streams {
    pub fn add(&mut self, stream: Handle) {
        self.streams.insert(stream, None);
    }

    pub fn remove(&mut self, stream: Handle) -> Answer {
        self.streams.remove(&stream).map(|_| ()).ok_or(Error::InvalidHandle)
    }

    /// The capture that a stream is part of.
    fn capture_of(&self, stream: Handle) -> Answer<Option<Handle>> {
        if stream <= DEFAULT_STREAMS {
            return Ok(None);
        }
        self.streams.get(&stream).copied().ok_or(Error::InvalidHandle)
    }

    /// 0 for none, 1 for active, 2 for broken, as the driver numbers them.
    pub fn status(&self, stream: Handle) -> Answer<i32> {
        let capture = self.capture_of(stream)?.and_then(|capture| self.captures.get(&capture));
        Ok(capture.map_or(0, |capture| 1 + i32::from(capture.broken)))
    }

    /// The list that takes the work of a stream, if it is captured.
    pub fn capture(&mut self, stream: Handle) -> Answer<Option<&mut Vec<Arc<Work>>>> {
        let Some(capture) = self.capture_of(stream)? else { return Ok(None) };
        let capture = self.captures.get_mut(&capture).ok_or(Error::InvalidHandle)?;
        if capture.broken { Err(Error::CaptureInvalidated) } else { Ok(Some(&mut capture.nodes)) }
    }

    pub fn begin(&mut self, stream: Handle, mode: CaptureMode, capture: Handle) -> Answer {
        if stream <= DEFAULT_STREAMS {
            return Err(Error::CaptureUnsupported);
        }
        if self.capture_of(stream)?.is_some() {
            return Err(Error::InvalidValue);
        }
        self.streams.insert(stream, Some(capture));
        let thread = std::thread::current().id();
        let (nodes, unjoined) = (Vec::new(), HashSet::new());
        self.captures.insert(capture, Capture { origin: stream, mode, thread, nodes, broken: false, unjoined });
        Ok(())
    }

    /// Ends the capture that began in `stream`, whatever became of it.
    pub fn end(&mut self, stream: Handle) -> Answer<Vec<Arc<Work>>> {
        let id = self.capture_of(stream)?.ok_or(Error::InvalidValue)?;
        if self.captures.get(&id).is_none_or(|capture| capture.origin != stream) {
            return Err(Error::CaptureUnmatched);
        }
        let capture = self.captures.remove(&id).ok_or(Error::InvalidValue)?;
        for part in self.streams.values_mut().filter(|part| **part == Some(id)) {
            *part = None;
        }
        match capture {
            Capture { broken: true, .. } => Err(Error::CaptureInvalidated),
            Capture { unjoined, .. } if !unjoined.is_empty() => Err(Error::CaptureUnjoined),
            Capture { nodes, .. } => Ok(nodes),
        }
    }

    /// A call that waits, or may: an error where a capture forbids it, which then is broken.
    pub fn forbid(&mut self) -> Answer {
        let here = std::thread::current().id();
        let mut result = Ok(());
        for capture in self.captures.values_mut() {
            let forbids = match capture.mode {
                CaptureMode::Global => true,
                CaptureMode::ThreadLocal => capture.thread == here,
                CaptureMode::Relaxed => false,
            };
            if forbids {
                capture.broken = true;
                result = Err(Error::CaptureUnsupported);
            }
        }
        result
    }

    /// Waits for a stream, which must not be captured.
    pub fn synchronize(&mut self, stream: Handle) -> Answer {
        match self.capture_of(stream)? {
            Some(capture) => {
                self.captures.entry(capture).and_modify(|capture| capture.broken = true);
                Err(Error::CaptureUnsupported)
            }
            None => Ok(()),
        }
    }

    pub fn add_event(&mut self, event: Handle) {
        self.events.insert(event, Event::Never);
    }

    pub fn remove_event(&mut self, event: Handle) -> Answer {
        self.events.remove(&event).map(|_| ()).ok_or(Error::InvalidHandle)
    }

    pub fn record(&mut self, event: Handle, stream: Handle) -> Answer {
        let recorded = match self.capture_of(stream)? {
            Some(capture) => Event::Captured { capture, stream },
            None => Event::At(Instant::now()),
        };
        *self.events.get_mut(&event).ok_or(Error::InvalidHandle)? = recorded;
        Ok(())
    }

    /// Lets a stream wait for an event: if that is captured, the stream becomes part of the capture.
    pub fn wait(&mut self, stream: Handle, event: Handle) -> Answer {
        let event = *self.events.get(&event).ok_or(Error::InvalidHandle)?;
        let waiting = self.capture_of(stream)?;
        let Event::Captured { capture: id, stream: recorded } = event else {
            // Work outside the graph would have to be waited for at each launch.
            return if waiting.is_some() && matches!(event, Event::At(_)) { self.isolate(waiting) } else { Ok(()) };
        };
        let capture = self.captures.get_mut(&id).ok_or(Error::CapturedEvent)?;
        match waiting {
            Some(other) if other != id => return Err(Error::CaptureUnsupported),
            Some(_) => {
                capture.unjoined.remove(&recorded);
            }
            None if stream <= DEFAULT_STREAMS => return Err(Error::CaptureUnsupported),
            None => {
                capture.unjoined.insert(stream);
                self.streams.insert(stream, Some(id));
            }
        }
        Ok(())
    }

    fn isolate(&mut self, capture: Option<Handle>) -> Answer {
        if let Some(capture) = capture.and_then(|id| self.captures.get_mut(&id)) {
            capture.broken = true;
        }
        Err(Error::CaptureIsolation)
    }

    /// Waits for an event, which must not be captured.
    pub fn synchronize_event(&self, event: Handle) -> Answer {
        match self.events.get(&event) {
            None => Err(Error::InvalidHandle),
            Some(Event::Captured { .. }) => Err(Error::CapturedEvent),
            Some(_) => Ok(()),
        }
    }

    /// Milliseconds between two events.
    pub fn elapsed(&self, from: Handle, to: Handle) -> Answer<f32> {
        match (self.events.get(&from), self.events.get(&to)) {
            (Some(Event::At(from)), Some(Event::At(to))) => {
                let forward = to.saturating_duration_since(*from).as_secs_f32();
                let backward = from.saturating_duration_since(*to).as_secs_f32();
                Ok((forward - backward) * 1e3)
            }
            _ => Err(Error::InvalidHandle),
        }
    }
}
