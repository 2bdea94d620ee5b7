//! The PTX beside each CUDA source: making it, checking without a CUDA toolkit that it is up to date, and with NVIDIA's
//! assemblers that drivers old and new take it.

pub mod assemble;
mod assembler;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repo;

/// What a PTX file is for. nvcc 13.0 writes `.version 9.0`, which drivers before 580 refuse; assemblers from CUDA 11.7 on take what
/// the kernels use under an older name.
struct Target {
    version: &'static str,
    target: &'static str,
    /// nvcc's word for it.
    arch: &'static str,
}

/// Every GPU that nvcc 13.0 knows.
const ANY: Target = Target { version: ".version 6.3", target: ".target sm_75", arch: "-arch=compute_75" };
/// GPUs with `cp.async` and TF32, for sources with the line [`NEEDS_SM_80`].
const SM_80: Target = Target { version: ".version 7.0", target: ".target sm_80", arch: "-arch=compute_80" };
const NEEDS_SM_80: &str = "// needs sm_80";
/// GPUs of compute capability 9.0 alone, whose four warps multiply together, for sources with the line [`NEEDS_SM_90A`].
const SM_90A: Target = Target { version: ".version 8.0", target: ".target sm_90a", arch: "-arch=compute_90a" };
const NEEDS_SM_90A: &str = "// needs sm_90a";

fn target(source: &Path) -> Target {
    let text = fs::read_to_string(source).unwrap_or_default();
    let needs = |line: &str| text.lines().any(|other| other == line);
    match (needs(NEEDS_SM_90A), needs(NEEDS_SM_80)) {
        (true, _) => SM_90A,
        (_, true) => SM_80,
        _ => ANY,
    }
}

/// The sources in `kernels/`.
fn sources(root: &Path) -> Vec<PathBuf> {
    let files = repo::entries(&root.join("kernels")).into_iter();
    files.filter(|path| path.extension() == Some(OsStr::new("cu"))).collect()
}

/// The PTX files in a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    repo::entries(folder).into_iter().filter(|path| path.extension() == Some(OsStr::new("ptx"))).collect()
}

/// Writes the PTX of every source; true if nvcc takes them all.
pub fn make(root: &Path) -> bool {
    let nvcc = std::env::var("NVCC").unwrap_or_else(|_| "nvcc".to_owned());
    let made: Vec<bool> = sources(root).iter().map(|source| compile(root, &nvcc, source)).collect();
    made.iter().all(|&made| made)
}

fn compile(root: &Path, nvcc: &str, source: &Path) -> bool {
    let out = root.join("target").join("kernel.ptx");
    let target = target(source);
    fs::create_dir_all(root.join("target")).expect("the target folder can be made");
    let status = Command::new(nvcc)
        .args(["-ptx", target.arch, "-O3", "-std=c++17"])
        .args([source, Path::new("-o"), &out])
        .status();
    let Ok(status) = status else {
        eprintln!("{nvcc} cannot be started; set NVCC to the path of nvcc 13.0");
        return false;
    };
    if status.success() {
        let text = fs::read_to_string(&out).expect("nvcc has written the PTX");
        fs::write(source.with_extension("ptx"), finish(&text, &hash(source), &target))
            .expect("kernels/ can be written");
    }
    status.success()
}

/// Without the compiler's comments, with the source's hash and the version that old drivers take.
fn finish(text: &str, hash: &str, target: &Target) -> String {
    // a hint to the assembler that old PTX does not know
    let hint = |line: &str| line.trim_start().starts_with(".pragma \"used_bytes_mask");
    let lines = text.lines().map(str::trim_end);
    let lines = lines.filter(|line| !line.trim_start().starts_with("//") && !line.is_empty() && !hint(line));
    let lines = lines.map(|line| if line.starts_with(".version") { target.version } else { line });
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("// source {hash}\n{body}")
}

/// Whether every PTX is what its source would give, as far as its first line tells; complains about those that are not.
pub fn check(root: &Path) -> bool {
    let complaints: Vec<String> = sources(root).iter().filter_map(|source| complaint(source)).collect();
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    complaints.is_empty()
}

fn complaint(source: &Path) -> Option<String> {
    let ptx = source.with_extension("ptx");
    let why = |why: &str| Some(format!("{}: {why}; run cargo xtask ptx", ptx.display()));
    let Ok(text) = fs::read_to_string(&ptx) else { return why("is not there") };
    let wanted = target(source);
    let mut lines = text.lines();
    match [lines.next(), lines.next(), lines.next()].map(Option::unwrap_or_default) {
        [first, ..] if first != format!("// source {}", hash(source)) => why("was made from another source"),
        [_, version, _] if version != wanted.version => why("is of another PTX version"),
        [_, _, target] if target != wanted.target => why("is for another target"),
        _ => None,
    }
}

/// A hash of the source and of the headers that it includes, and those that they include: FNV-1a, 64 bits.
fn hash(source: &Path) -> String {
    let step = |hash: u64, byte: u8| (hash ^ byte as u64).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", with_headers(source).bytes().filter(|&b| b != b'\r').fold(0xcbf2_9ce4_8422_2325, step))
}

fn with_headers(source: &Path) -> String {
    let text = fs::read_to_string(source).expect("sources and headers can be read");
    let headers = text.lines().filter_map(|line| line.strip_prefix("#include \"")?.strip_suffix('"'));
    let headers: String = headers.map(|name| with_headers(&source.with_file_name(name))).collect();
    text + &headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_date_is_found() {
        let folder = std::env::temp_dir().join(format!("cotangent-ptx-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let source = folder.join("a.cu");
        let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        write("a.cu", "// needs sm_80\n#include \"b.cuh\"\nint x;");
        write("b.cuh", "#include \"c.cuh\"\nint y;");
        write("c.cuh", "int w;");
        assert!(complaint(&source).unwrap().contains("is not there"));
        let made = finish("//\n// nvcc\n.version 9.0\n.target sm_80\n\n.visible\n", &hash(&source), &target(&source));
        write("a.ptx", &made);
        assert_eq!(complaint(&source), None);
        write("a.ptx", &made.replace("sm_80", "sm_75"));
        assert!(complaint(&source).unwrap().contains("another target"));
        write("a.ptx", &made.replace("7.0", "9.0"));
        assert!(complaint(&source).unwrap().contains("another PTX version"));
        write("a.ptx", &made);
        write("c.cuh", "int z;");
        assert!(complaint(&source).unwrap().contains("another source"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
