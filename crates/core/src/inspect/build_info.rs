//! [`BuildInfo`]: what this program was built as, and what it computes with.

use crate::Device;
use cotangent_cpu::{par, simd};
use std::fmt;

/// What a bug report should say: version, profile and features of the build; SIMD level, threads and device of the
/// machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildInfo {
    /// Cotangent's version.
    pub version: &'static str,
    /// `release`, or `debug` where debug assertions are on.
    pub profile: &'static str,
    /// The processor and system it was compiled for: `x86_64-linux`.
    pub target: String,
    /// Cotangent's cargo features that are on.
    pub features: Vec<&'static str>,
    /// The SIMD level in use, of those that the CPU has.
    pub simd: &'static str,
    /// The SIMD levels that the CPU has, the best last.
    pub simd_available: Vec<&'static str>,
    /// The threads that work is spread over.
    pub threads: usize,
    /// The best device.
    pub device: String,
}

impl BuildInfo {
    /// What holds of this program, with the version, the debug assertions and the features of the crate that asks.
    pub fn new(version: &'static str, debug: bool, features: Vec<&'static str>) -> Self {
        Self {
            version,
            profile: if debug { "debug" } else { "release" },
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            features,
            simd: simd::Level::current().name(),
            simd_available: simd::Level::available().into_iter().map(simd::Level::name).collect(),
            threads: par::threads(),
            device: Device::best().describe(),
        }
    }
}

impl fmt::Display for BuildInfo {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        writeln!(f, "cotangent {} ({}, {})", self.version, self.profile, self.target)?;
        writeln!(f, "features: {}", list(&self.features))?;
        writeln!(f, "SIMD:     {} (this CPU has {})", self.simd, list(&self.simd_available))?;
        writeln!(f, "threads:  {}", self.threads)?;
        writeln!(f, "device:   {}", self.device)
    }
}
