//! Numbers with units, to read.

use std::fmt;
use std::time::Duration;

/// A number of bytes as `4.58 MB`, in powers of 1024 as Keras counts.
///
/// ```
/// # use cotangent_core::inspect::Bytes;
/// assert_eq!([17, 2048, 4_799_528].map(|n| Bytes(n).to_string()), ["17 B", "2.00 KB", "4.58 MB"]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let (mut size, mut unit) = (self.0 as f64, "B");
        for larger in ["KB", "MB", "GB", "TB"] {
            if size < 1024.0 {
                break;
            }
            (size, unit) = (size / 1024.0, larger);
        }
        f.pad(&format!("{size:.2} {unit}"))
    }
}

/// A duration as `1.25 ms`, in the largest of s, ms and us of which it is at least 1.
///
/// ```
/// # use cotangent_core::inspect::Time;
/// # use std::time::Duration;
/// assert_eq!(Time(Duration::from_micros(1250)).to_string(), "1.25 ms");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        f.pad(&match seconds {
            1.0.. => format!("{seconds:.2} s"),
            1e-3.. => format!("{:.2} ms", seconds * 1e3),
            _ => format!("{:.2} us", seconds * 1e6),
        })
    }
}
