//! What the environment asks for.

use ptx_sim::{Limits, Options};
use std::path::PathBuf;

/// How the stand-in behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    pub device: Options,
    /// 0 or 1.
    pub devices: i32,
    /// Whether a kernel's fault is the result of its own launch.
    pub blocking: bool,
    /// Where to write counts at the end.
    pub report: Option<String>,
    /// A folder of PTX to take instead of what is loaded.
    pub instead: Option<PathBuf>,
    /// A folder to write what is loaded to.
    pub keep: Option<PathBuf>,
}

impl Settings {
    /// Reads the variables through `get`. What cannot be read is told on standard error, and the default taken.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Settings {
        let mut device = Options { newest_ptx: Some((8, 0)), ..Options::default() };
        let value = |name: &str, read: &mut dyn FnMut(&str) -> Option<()>| {
            if let Some(text) = get(name)
                && read(text.trim()).is_none()
            {
                eprintln!("ptxsim: {name}={text} cannot be read");
            }
        };
        value("PTXSIM_MEMORY", &mut |text| bytes(text).map(|bytes| device.memory = bytes));
        value("PTXSIM_THREADS", &mut |text| {
            text.parse().ok().filter(|&n: &usize| n > 0).map(|threads| device.threads = threads)
        });
        value("PTXSIM_CHECKS", &mut |text| {
            let known = |name| ["all", "none", "unwritten", "races"].contains(&name);
            let has = |name| text.split(',').any(|part| part == name || part == "all");
            text.split(',').all(known).then(|| {
                device.check_unwritten = has("unwritten");
                device.check_races = has("races");
            })
        });
        value("PTXSIM_ARCH", &mut |text| {
            text.parse().ok().map(|arch: u32| device.limits = Limits::of((arch / 10, arch % 10)))
        });
        value("PTXSIM_PTX", &mut |text| {
            let (major, minor) = text.split_once('.')?;
            device.newest_ptx = Some((major.parse().ok()?, minor.parse().ok()?));
            Some(())
        });
        value("PTXSIM_MULTIPROCESSORS", &mut |text| text.parse().ok().map(|n| device.limits.multiprocessors = n));
        value("PTXSIM_MAX_INSTRUCTIONS", &mut |text| text.parse().ok().map(|n| device.max_instructions = n));
        let mut devices = 1;
        value("PTXSIM_DEVICES", &mut |text| text.parse().ok().filter(|n| (0..=1).contains(n)).map(|n| devices = n));
        let blocking = get("CUDA_LAUNCH_BLOCKING").is_some_and(|text| text == "1");
        let path = |name| get(name).filter(|path| !path.is_empty());
        let [instead, keep] = ["PTXSIM_INSTEAD", "PTXSIM_KEEP"].map(|name| path(name).map(PathBuf::from));
        Settings { device, devices, blocking, report: path("PTXSIM_REPORT"), instead, keep }
    }
}

/// `512`, `64K`, `16M`, `4G`
fn bytes(text: &str) -> Option<usize> {
    let (digits, shift) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 10),
        (at, 'm' | 'M') => (&text[..at], 20),
        (at, 'g' | 'G') => (&text[..at], 30),
        _ => (text, 0),
    };
    digits.parse::<usize>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn variables_are_read() {
        let found = settings(&[
            ("PTXSIM_MEMORY", "64M"),
            ("PTXSIM_THREADS", "3"),
            ("PTXSIM_CHECKS", "races"),
            ("PTXSIM_ARCH", "75"),
            ("PTXSIM_PTX", "7.4"),
            ("PTXSIM_DEVICES", "0"),
            ("PTXSIM_INSTEAD", "mutants"),
            ("PTXSIM_KEEP", ""),
            ("CUDA_LAUNCH_BLOCKING", "1"),
        ]);
        assert_eq!((found.device.memory, found.device.threads), (64 << 20, 3));
        assert!(found.device.check_races && !found.device.check_unwritten && found.blocking);
        assert_eq!(found.device.limits.compute_capability, (7, 5));
        assert_eq!((found.device.newest_ptx, found.devices), (Some((7, 4)), 0));
        assert_eq!((found.instead, found.keep), (Some("mutants".into()), None));
    }

    #[test]
    fn nonsense_leaves_the_default() {
        let found = settings(&[("PTXSIM_MEMORY", "much"), ("PTXSIM_THREADS", "0"), ("PTXSIM_CHECKS", "race")]);
        assert_eq!(found.device.memory, Options::default().memory);
        assert!(found.device.threads > 0 && found.device.check_races && found.device.check_unwritten);
    }
}
