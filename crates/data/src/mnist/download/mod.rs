//! Downloading MNIST's files into the cache, each checked against its SHA-256 before it gets its name.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use cotangent_base::{Error, Result};
use flate2::read::MultiGzDecoder;
use ring::digest::{Context, SHA256};
use ureq::Agent;

use super::loader::Progress;
use crate::{file, replace_file};

/// A file to download: `name.gz` at the mirror, and what must be in it once unpacked.
pub struct Remote {
    /// The name, without `.gz`.
    pub name: &'static str,
    /// Its size, unpacked.
    pub bytes: u64,
    /// The SHA-256 of its bytes, unpacked: a mirror may pack them anew.
    pub sha256: &'static str,
}

/// The four files.
pub const MNIST: [Remote; 4] = [
    Remote {
        name: "train-images-idx3-ubyte",
        bytes: 47_040_016,
        sha256: "0xba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    Remote {
        name: "train-labels-idx1-ubyte",
        bytes: 60_008,
        sha256: "0x65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    Remote {
        name: "t10k-images-idx3-ubyte",
        bytes: 7_840_016,
        sha256: "0x0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    Remote {
        name: "t10k-labels-idx1-ubyte",
        bytes: 10_008,
        sha256: "0xff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

/// Downloads those of `files` that `cache` does not hold sound.
///
/// # Errors
/// If no mirror gives a file: with the reason of each.
pub fn complete(cache: &Path, files: &[Remote], mirrors: &[String], progress: &Progress) -> Result<()> {
    let cannot = |e| Error::new(cache.display().to_string(), "cannot make the cache folder").because(e);
    fs::create_dir_all(cache).map_err(cannot)?;
    let agent: Agent = Agent::config_builder()
        .timeout_resolve(Some(Duration::from_secs(5)))
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_recv_response(Some(Duration::from_secs(15)))
        .timeout_recv_body(Some(Duration::from_secs(300)))
        .build()
        .into();
    for remote in files {
        let to = cache.join(format!("{}.gz", remote.name));
        let sound = File::open(&to).is_ok_and(|packed| remote.check(packed).is_ok());
        if !sound {
            fetch(&agent, remote, mirrors, &to, progress)?;
        }
    }
    Ok(())
}

fn fetch(agent: &Agent, remote: &Remote, mirrors: &[String], to: &Path, progress: &Progress) -> Result<()> {
    let mut failures = Vec::new();
    for mirror in mirrors.iter().map(|mirror| mirror.trim_end_matches('/')) {
        match get(agent, &format!("{mirror}/{}.gz", remote.name), remote, progress) {
            Ok(packed) => return replace_file(to, |file| file.write_all(&packed)),
            Err(reason) => failures.push((mirror, reason)),
        }
    }
    Err(Error::new("download", format!("{}: {}", remote.name, told(&failures))))
}

/// Each mirror and why it failed; neighbours that failed for the same reason share it.
fn told(failures: &[(&str, String)]) -> String {
    let groups = failures.chunk_by(|(_, a), (_, b)| a == b).map(|group| {
        let mirrors: Vec<&str> = group.iter().map(|(mirror, _)| *mirror).collect();
        format!("{}: {}", mirrors.join(", "), group[0].1)
    });
    let text = groups.collect::<Vec<_>>().join("; ");
    if text.is_empty() { "no mirror to ask".into() } else { text }
}

/// The packed bytes at `url`, checked.
fn get(agent: &Agent, url: &str, remote: &Remote, progress: &Progress) -> Result<Vec<u8>, String> {
    let response = agent.get(url).call().map_err(|e| e.to_string())?;
    let total = response.body().content_length();
    // incompressible bytes grow by a thousandth at most when packed
    let limit = remote.bytes + remote.bytes / 100 + 1024;
    if total.is_some_and(|total| total > limit) {
        return Err(format!("the server offers {} bytes; at most {limit} were expected", total.unwrap_or(0)));
    }
    let mut reader = response.into_body().into_reader().take(limit);
    let (mut packed, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        let count = reader.read(&mut chunk).map_err(|e| format!("broke off after {} bytes: {e}", packed.len()))?;
        if count == 0 {
            break;
        }
        packed.extend_from_slice(&chunk[..count]);
        progress(remote.name, packed.len() as u64, total);
    }
    remote.check(&packed[..])?;
    Ok(packed)
}

impl Remote {
    /// Unpacks as it goes, and compares size and SHA-256.
    fn check(&self, packed: impl Read) -> Result<(), String> {
        let mut unpacked = MultiGzDecoder::new(packed).take(self.bytes + 1);
        let (mut sha, mut size, mut chunk) = (Context::new(&SHA256), 0, vec![0; 1 << 16]);
        loop {
            let count = unpacked.read(&mut chunk).map_err(|e| format!("not the gzip file it should be: {e}"))?;
            if count == 0 {
                break;
            }
            sha.update(&chunk[..count]);
            size += count as u64;
        }
        let found = file::hex(sha.finish().as_ref());
        if size == self.bytes && found == self.sha256 {
            return Ok(());
        }
        Err(format!(
            "SHA-256 of the unpacked {size} bytes is {found}, of {} bytes {} was wanted",
            self.bytes, self.sha256
        ))
    }
}

#[cfg(test)]
mod tests;
