//! The state behind the C interface.

use std::alloc::Layout;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Instant;

use ptx_sim::{Device, Kernel, Program};

use crate::answer::{Answer, Error};
use crate::options::Settings;
use crate::report::Report;
use crate::stream::Streams;
use crate::work::Work;

/// A pointer to something of the driver's that callers cannot look into.
pub type Handle = usize;

/// The only context there is, the primary one of the only device.
pub const CONTEXT: Handle = 0xC0;

/// Everything.
pub struct Driver {
    pub device: Device,
    pub settings: Settings,
    pub report: Mutex<Report>,
    state: Mutex<State>,
}

/// What calls change.
#[derive(Default)]
pub struct State {
    pub initialized: bool,
    /// How often the context is retained.
    pub retained: usize,
    /// A kernel broke a rule: nothing works any more until the context is destroyed.
    pub poison: Option<Error>,
    pub modules: HashMap<Handle, Module>,
    pub functions: HashMap<Handle, Arc<Function>>,
    pub streams: Streams,
    pub graphs: HashMap<Handle, Arc<Vec<Arc<Work>>>>,
    /// Pinned memory by address.
    pub pinned: HashMap<usize, Layout>,
    /// The threshold above which the pool gives memory back, which it keeps and does not use.
    pub release_threshold: u64,
    pub peak: u64,
    handles: Handle,
}

/// A loaded module and the handles of its functions.
pub struct Module {
    pub program: Program,
    pub functions: HashMap<String, Handle>,
}

/// A kernel, and how much shared memory it has asked for.
pub struct Function {
    pub kernel: Arc<Kernel>,
    pub dynamic_shared: AtomicUsize,
}

impl Function {
    /// The most shared memory of a launch: what every kernel may have, or what it has asked for.
    pub fn shared_limit(&self, driver: &Driver) -> usize {
        let asked = self.kernel.static_shared + self.dynamic_shared.load(Relaxed);
        asked.max(driver.device.options.limits.shared)
    }
}

thread_local! {
    static CURRENT: Cell<Handle> = const { Cell::new(0) };
}

/// The calling thread's context, 0 for none.
pub fn current() -> Handle {
    CURRENT.get()
}

/// Makes a context that of the calling thread.
pub fn set_current(context: Handle) {
    CURRENT.set(context);
}

/// When the library was first called.
pub fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// The driver, whether initialized or not.
pub fn driver() -> &'static Driver {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    DRIVER.get_or_init(|| {
        start();
        let settings = Settings::read(|name| std::env::var(name).ok());
        Driver {
            device: Device::new(settings.device.clone()),
            report: Mutex::new(Report::default()),
            state: Mutex::default(),
            settings,
        }
    })
}

impl Driver {
    /// The state, for calls that need neither initialization nor context.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The state, for calls that need `cuInit`.
    pub fn initialized(&self) -> Answer<MutexGuard<'_, State>> {
        let state = self.state();
        if state.initialized { Ok(state) } else { Err(Error::NotInitialized) }
    }

    /// The state, for calls that need a context that works.
    pub fn context(&self) -> Answer<MutexGuard<'_, State>> {
        let state = self.initialized()?;
        if current() == 0 || state.retained == 0 {
            return Err(Error::InvalidContext);
        }
        match state.poison {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }

    /// The state, for calls that must not come while a stream is captured, as they would wait for it.
    pub fn uncaptured(&self) -> Answer<MutexGuard<'_, State>> {
        let mut state = self.context()?;
        state.streams.forbid()?;
        Ok(state)
    }

    /// Runs work, or keeps it where its stream is being captured.
    pub fn submit(&self, stream: Handle, work: Work) -> Answer {
        let mut state = self.context()?;
        work.check(self)?;
        if let Some(nodes) = state.streams.capture(stream)? {
            nodes.push(Arc::new(work));
            return Ok(());
        }
        drop(state);
        work.run(self)
    }

    /// What the caller is told about a kernel's fault: nothing yet, unless it asked to.
    pub fn poison(&self, error: Error) -> Answer {
        self.state().poison.get_or_insert(error);
        if self.settings.blocking { Err(error) } else { Ok(()) }
    }
}

impl State {
    /// A handle that nobody has.
    pub fn handle(&mut self) -> Handle {
        // Neither null nor one of the small numbers that stand for the default streams.
        self.handles += 0x10;
        0x1000 + self.handles
    }

    /// The context is gone, and everything in it.
    pub fn destroy(&mut self, device: &Device) {
        device.memory.clear();
        let pinned = std::mem::take(&mut self.pinned);
        *self = State { initialized: true, handles: self.handles, pinned, ..State::default() };
    }
}
