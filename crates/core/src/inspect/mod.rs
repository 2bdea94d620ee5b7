//! Looking inside a computation: where a NaN came from ([`detect_anomaly`]), what holds memory
//! ([`memory_report`], [`track_memory`]), where the time goes ([`profile`]), and what computes ([`BuildInfo`]).
//!
//! Nothing is looked at unless it is asked for: an op then costs one look at a flag more. Anomalies and
//! profiles see the ops of the thread that asked for them.

mod anomaly;
mod build_info;
mod memory;
mod profile;
mod scope;
mod units;
mod watch;

pub use anomaly::{Anomaly, AnomalyGuard, Cause, Numbers, detect_anomaly, take_anomaly};
pub use build_info::BuildInfo;
pub use memory::{LiveTensor, MemoryGuard, MemoryReport, memory_report, reset_peak_memory, track_memory};
pub use profile::{Event, Profile, Row, profile};
pub use scope::scope;
pub use units::{Bytes, Time};
pub use watch::{Phase, is_watched};

pub(crate) use anomaly::backward_done;
pub(crate) use memory::{born, gone};
pub(crate) use watch::{Origin, Watched, observe, origin, watch, watch_sum, watch_vjp};
