//! NVIDIA's assemblers: where they come from, and what each makes of a PTX file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;

/// A release of CUDA whose assembler looks at the PTX. A driver of that release holds the same assembler.
pub struct Release {
    pub name: &'static str,
    /// The Python package that has it.
    package: &'static str,
    /// The newest PTX that it takes.
    pub ptx: (u32, u32),
    /// The compute capabilities that are looked at.
    pub targets: &'static [u32],
}

/// The oldest that knows what the kernels use, the first of CUDA 12, and that of the compiler.
pub const RELEASES: [Release; 3] = [
    Release { name: "11.7", package: "nvidia-cuda-nvcc-cu11==11.7.99", ptx: (7, 7), targets: &[75, 80, 86] },
    Release { name: "12.0", package: "nvidia-cuda-nvcc-cu12==12.0.140", ptx: (8, 0), targets: &[75, 80, 86, 89, 90] },
    Release {
        name: "13.0",
        package: "nvidia-cuda-nvcc==13.0.88",
        ptx: (9, 0),
        targets: &[75, 80, 86, 89, 90, 100, 120],
    },
];

/// What a kernel needs of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub registers: u32,
    /// Bytes of registers that went to memory for want of room, written and read.
    pub spilled: u32,
}

/// An assembler for each release: those that the variable `PTXAS` lists, or the ones that pip finds, kept in `target`.
pub fn find(root: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = std::env::var_os("PTXAS");
    let listed: Vec<PathBuf> = listed.iter().flat_map(std::env::split_paths).collect();
    let known: BTreeMap<String, PathBuf> =
        listed.iter().filter_map(|path| Some((release(path)?, path.clone()))).collect();
    let find = |wanted: &Release| match known.get(wanted.name) {
        Some(path) => Ok(path.clone()),
        None if listed.is_empty() => fetched(root, wanted),
        None => Err(format!("PTXAS lists no ptxas of CUDA {}", wanted.name)),
    };
    RELEASES.iter().map(find).collect()
}

/// `13.0`, as the assembler says itself.
fn release(ptxas: &Path) -> Option<String> {
    let said = Command::new(ptxas).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    Some(said.split("release ").nth(1)?.split(',').next()?.to_owned())
}

/// The assembler of a wheel, which is unpacked below `target` the first time.
fn fetched(root: &Path, wanted: &Release) -> Result<PathBuf, String> {
    let folder = root.join("target").join("ptxas").join(wanted.name);
    if let Some(path) = unpacked(&folder) {
        return Ok(path);
    }
    println!("fetching {} with pip", wanted.package);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(&folder).arg(wanted.package);
    let hint = "set PTXAS to the paths of ptxas 11.7, 12.0 and 13.0, separated as in PATH";
    match pip.status() {
        Ok(status) if status.success() => unpacked(&folder).ok_or(format!("{} has no ptxas; {hint}", wanted.package)),
        _ => Err(format!("python3 -m pip cannot fetch {}; {hint}", wanted.package)),
    }
}

/// `nvidia/*/bin/ptxas` below `folder`.
fn unpacked(folder: &Path) -> Option<PathBuf> {
    let parts = repo::entries(&folder.join("nvidia"));
    parts.into_iter().map(|part| part.join("bin").join("ptxas")).find(|path| path.exists())
}

/// What each kernel of `file` needs on `target` (`sm_90`), or why the assembler refuses it.
pub fn assemble(ptxas: &Path, target: &str, file: &Path) -> Result<BTreeMap<String, Needs>, String> {
    let mut command = Command::new(ptxas);
    command.args(["-v", "--output-file", "/dev/null", "--gpu-name", target]).arg(file);
    let output = command.output().map_err(|error| format!("{}: {error}", ptxas.display()))?;
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(needs(&said)) } else { Err(said) }
}

/// Reads what `ptxas -v` says: for each kernel its name, then its spills, then its registers.
fn needs(said: &str) -> BTreeMap<String, Needs> {
    let mut found = BTreeMap::new();
    let mut name = String::new();
    let mut spilled = 0;
    for line in said.lines() {
        if let Some(rest) = line.split("Compiling entry function '").nth(1) {
            name = rest.split('\'').next().unwrap_or_default().to_owned();
        } else if line.contains("bytes spill stores") {
            spilled = before(line, " bytes spill stores") + before(line, " bytes spill loads");
        } else if line.contains(": Used ") {
            found.insert(name.clone(), Needs { registers: before(line, " registers"), spilled });
        }
    }
    found
}

/// The number that stands before `words`.
fn before(line: &str, words: &str) -> u32 {
    let number = line.split(words).next().and_then(|before| before.split_whitespace().last());
    number.and_then(|number| number.parse().ok()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
ptxas info    : Compiling entry function 'gemm_f64' for 'sm_90'
ptxas info    : Function properties for gemm_f64
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 80 registers, used 1 barriers, 17408 bytes smem
ptxas info    : Compiling entry function 'gemm_f32' for 'sm_90'
ptxas info    : Function properties for gemm_f32
    16 bytes stack frame, 16 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 255 registers, 8704 bytes smem, 12 bytes cmem[0]
";

    #[test]
    fn registers_and_spills_are_read() {
        let found = needs(SAID);
        assert_eq!(found["gemm_f64"], Needs { registers: 80, spilled: 0 });
        assert_eq!(found["gemm_f32"], Needs { registers: 255, spilled: 28 });
        assert_eq!(found.len(), 2);
    }
}
