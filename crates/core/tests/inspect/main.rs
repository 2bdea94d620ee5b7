//! Looking inside a computation, as a user does it: anomalies, memory, profiles, what was built.

mod anomaly;
mod build_info;
mod memory;
mod profile;
