//! [`Interrupt`]: Ctrl-C as a wish to end training after the step.

#[cfg(any(unix, windows))]
pub(crate) use signals::Interrupt;

/// There are no signals here.
#[cfg(not(any(unix, windows)))]
pub(crate) struct Interrupt;

#[cfg(not(any(unix, windows)))]
impl Interrupt {
    pub fn watch(_: bool) -> Self {
        Self
    }

    pub fn requested(&self) -> bool {
        false
    }
}

#[cfg(any(unix, windows))]
mod signals {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    /// While one of these lives, the first Ctrl-C is only noted, and the second ends the process as always. Afterwards
    /// every one does.
    pub(crate) struct Interrupt {
        signals: Option<Arc<Signals>>,
    }

    struct Signals {
        requested: Arc<AtomicBool>,
        /// Whether the next Ctrl-C ends the process.
        deadly: Arc<AtomicBool>,
    }

    /// The handler, once it is there, and how many runs it serves. It stays: a handler cannot be taken back without
    /// leaving Ctrl-C without effect.
    static HANDLER: Mutex<(Option<Arc<Signals>>, usize)> = Mutex::new((None, 0));

    impl Interrupt {
        /// Watches for Ctrl-C, if `wanted` and the system allows it.
        pub fn watch(wanted: bool) -> Self {
            let mut handler = HANDLER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if !wanted {
                return Self { signals: None };
            }
            if handler.0.is_none() {
                handler.0 = install();
            }
            let signals = handler.0.clone();
            if let Some(signals) = &signals {
                if handler.1 == 0 {
                    signals.requested.store(false, Ordering::SeqCst);
                    signals.deadly.store(false, Ordering::SeqCst);
                }
                handler.1 += 1;
            }
            Self { signals }
        }

        /// Whether there was a Ctrl-C.
        pub fn requested(&self) -> bool {
            self.signals.as_ref().is_some_and(|signals| signals.requested.load(Ordering::SeqCst))
        }
    }

    impl Drop for Interrupt {
        fn drop(&mut self) {
            let Some(signals) = &self.signals else { return };
            let mut handler = HANDLER.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            handler.1 -= 1;
            if handler.1 == 0 {
                signals.deadly.store(true, Ordering::SeqCst);
            }
        }
    }

    fn install() -> Option<Arc<Signals>> {
        let [requested, deadly] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        // in this order: a signal looks whether it is deadly before it makes the next one so
        flag::register_conditional_default(SIGINT, deadly.clone()).ok()?;
        flag::register(SIGINT, requested.clone()).ok()?;
        flag::register(SIGINT, deadly.clone()).ok()?;
        Some(Arc::new(Signals { requested, deadly }))
    }
}
