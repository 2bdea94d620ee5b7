//! Checks of the crates: which may stand on which, and how many a user builds.

use std::collections::BTreeSet;

use super::{Complaint, File};

/// The arrows of the house: a crate, and the crates of ours that it may stand on. Nothing runs back up.
const ARROWS: [(&str, &[&str]); 17] = [
    ("cotangent-base", &[]),
    ("cotangent-kernels", &[]),
    ("cotangent-ptx-sim", &[]),
    ("cotangent-ptx-sim-driver", &["cotangent-ptx-sim"]),
    ("cotangent-cpu", &["cotangent-base"]),
    ("cotangent-cuda", &["cotangent-base", "cotangent-kernels"]),
    ("cotangent-core", &["cotangent-base", "cotangent-cpu", "cotangent-cuda"]),
    ("cotangent-gradcheck", &["cotangent-base", "cotangent-core"]),
    ("cotangent-cases", &["cotangent-base", "cotangent-core", "cotangent-gradcheck"]),
    ("cotangent-data", &["cotangent-base", "cotangent-core"]),
    ("cotangent-nn", &["cotangent-base", "cotangent-core"]),
    ("cotangent-train", &["cotangent-base", "cotangent-core", "cotangent-data", "cotangent-nn"]),
    (
        "cotangent",
        &[
            "cotangent-base",
            "cotangent-cases",
            "cotangent-core",
            "cotangent-data",
            "cotangent-gradcheck",
            "cotangent-nn",
            "cotangent-train",
        ],
    ),
    ("cotangent-cuda-suite", &["cotangent", "cotangent-ptx-sim-driver"]),
    ("cotangent-peers", &[]),
    ("cotangent-peer-steps", &[]),
    ("xtask", &[]),
];

/// The kernel crates: they know slices and layouts, so not even their tests may name `core`.
const BELOW_CORE: [&str; 4] = ["cotangent-base", "cotangent-cpu", "cotangent-cuda", "cotangent-kernels"];

/// The most crates that the default build may bring, our own among them.
const MAX_CRATES: usize = 60;

/// What the checks need of a `Cargo.toml`.
pub struct Manifest {
    path: String,
    package: String,
    /// Names under `[dependencies]` and `[build-dependencies]`, of any target.
    dependencies: Vec<String>,
    /// Names under `[dev-dependencies]`, of any target.
    dev_dependencies: Vec<String>,
    proc_macro: bool,
}

impl Manifest {
    /// Reads a manifest line by line; `None` if it has no package.
    fn parse(path: &str, text: &str) -> Option<Self> {
        let mut manifest = Self {
            path: path.to_owned(),
            package: String::new(),
            dependencies: Vec::new(),
            dev_dependencies: Vec::new(),
            proc_macro: false,
        };
        let mut section = "";
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('[').and_then(|line| line.split(']').next()) {
                Some(header) => {
                    section = header;
                    if let Some((table, name)) = header.rsplit_once('.') {
                        manifest.add(table, name);
                    }
                }
                None => manifest.read_key(section, line),
            }
        }
        (!manifest.package.is_empty()).then_some(manifest)
    }

    fn read_key(&mut self, section: &str, line: &str) {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let (key, value) = (key.trim(), value.trim());
        match (section, key) {
            ("package", "name") => self.package = value.trim_matches('"').to_owned(),
            ("lib", "proc-macro" | "proc_macro") => self.proc_macro = value.starts_with("true"),
            _ => self.add(section, key.split('.').next().unwrap_or(key)),
        }
    }

    /// Adds `name` if `section` is one of dependencies.
    fn add(&mut self, section: &str, name: &str) {
        let name = name.trim_matches('"').to_owned();
        match section.rsplit('.').next() {
            _ if section.starts_with("workspace") => {}
            Some("dependencies" | "build-dependencies") => self.dependencies.push(name),
            Some("dev-dependencies") => self.dev_dependencies.push(name),
            _ => {}
        }
    }
}

/// The manifests among `files`.
pub fn manifests(files: &[File]) -> Vec<Manifest> {
    let found = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    found.filter_map(|file| Manifest::parse(&file.path, &file.text)).collect()
}

/// A crate that stands on one it must not know. Tests may, but those of the kernel crates never name `core`.
pub fn arrows(manifests: &[Manifest]) -> Vec<Complaint> {
    let ours = |name: &&String| ARROWS.iter().any(|(package, _)| package == name);
    let mut complaints = Vec::new();
    for Manifest { path, package, dependencies, dev_dependencies, .. } in manifests {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| name == package) else {
            complaints.push(format!("{path}: `{package}` has no place in the house; give it one in xtask's ARROWS"));
            continue;
        };
        for name in dependencies.iter().filter(ours).filter(|name| !allowed.contains(&name.as_str())) {
            complaints.push(format!("{path}: `{package}` must not depend on `{name}`"));
        }
        if BELOW_CORE.contains(&package.as_str()) && dev_dependencies.iter().any(|name| name == "cotangent-core") {
            complaints.push(format!("{path}: the tests of `{package}` must not name `cotangent-core`"));
        }
    }
    complaints
}

/// A crate other than `cotangent-cuda` that names cudarc; the tests of its stand-in driver may, too.
pub fn cudarc_outside_cuda(manifests: &[Manifest]) -> Vec<Complaint> {
    let names = |m: &&Manifest| {
        let tests = m.dev_dependencies.iter().filter(|_| m.package != "cotangent-ptx-sim-driver");
        m.dependencies.iter().chain(tests).any(|name| name == "cudarc")
    };
    let found = manifests.iter().filter(|m| m.package != "cotangent-cuda").filter(names);
    found.map(|m| format!("{}: only `cotangent-cuda` names cudarc", m.path)).collect()
}

/// A proc-macro crate of ours: what it writes could not be read.
pub fn proc_macros(manifests: &[Manifest]) -> Vec<Complaint> {
    let found = manifests.iter().filter(|m| m.proc_macro);
    found.map(|m| format!("{}: `{}` is a proc-macro crate", m.path, m.package)).collect()
}

/// More crates in `tree` (one a line, as `cargo tree --prefix none` lists them) than the budget; or none at all,
/// which means that cargo failed.
pub fn too_many(tree: &str) -> Vec<Complaint> {
    let crates: BTreeSet<Vec<&str>> =
        tree.lines().filter(|line| !line.trim().is_empty()).map(|line| line.split(' ').take(2).collect()).collect();
    match crates.len() {
        0 => vec!["Cargo.toml: `cargo tree` lists nothing".to_owned()],
        count if count > MAX_CRATES => vec![format!("Cargo.toml: {count} crates by default; at most {MAX_CRATES}")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(package: &str, rest: &str) -> [Manifest; 1] {
        [Manifest::parse("Cargo.toml", &format!("[package]\nname = \"{package}\"\n{rest}")).unwrap()]
    }

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let [m] = manifest(
            "cotangent-cpu",
            "# a note\n[dependencies]\na.workspace = true\nb = \"1\"\n[target.'cfg(unix)'.dependencies]\nc = { path = \"c\" }\n\
             [dependencies.d]\nversion = \"1\"\n[dev-dependencies]\ne = \"1\"\n[lib]\nproc-macro = true\n[features]\nf = []",
        );
        assert_eq!(m.dependencies, ["a", "b", "c", "d"]);
        assert_eq!(m.dev_dependencies, ["e"]);
        assert!(m.proc_macro);
        assert!(Manifest::parse("Cargo.toml", "[workspace.dependencies]\na = \"1\"").is_none());
    }

    #[test]
    fn arrows_that_run_back_up_are_found() {
        assert_eq!(arrows(&manifest("cotangent-base", "[dependencies]\ncotangent-core.workspace = true")).len(), 1);
        assert_eq!(arrows(&manifest("cotangent-nn", "[dependencies]\ncotangent-cpu.workspace = true")).len(), 1);
        assert_eq!(arrows(&manifest("cotangent-cpu", "[dev-dependencies]\ncotangent-core = \"1\"")).len(), 1);
        assert_eq!(arrows(&manifest("cotangent-new", "")).len(), 1);
        assert!(arrows(&manifest("cotangent-core", "[dependencies]\ncotangent-cpu.workspace = true")).is_empty());
        assert!(arrows(&manifest("cotangent-core", "[dev-dependencies]\ncotangent-gradcheck = \"1\"")).is_empty());
    }

    #[test]
    fn cudarc_elsewhere_is_found() {
        let dependency = "[dependencies]\ncudarc = \"0.19\"";
        assert_eq!(cudarc_outside_cuda(&manifest("cotangent-core", dependency)).len(), 1);
        assert!(cudarc_outside_cuda(&manifest("cotangent-cuda", dependency)).is_empty());
        let test = "[dev-dependencies]\ncudarc = \"0.19\"";
        assert_eq!(cudarc_outside_cuda(&manifest("cotangent-ptx-sim-driver", dependency)).len(), 1);
        assert!(cudarc_outside_cuda(&manifest("cotangent-ptx-sim-driver", test)).is_empty());
    }

    #[test]
    fn proc_macro_crates_are_found() {
        assert_eq!(proc_macros(&manifest("cotangent-derive", "[lib]\nproc-macro = true")).len(), 1);
        assert!(proc_macros(&manifest("cotangent-nn", "[lib]\ndoctest = false")).is_empty());
    }

    #[test]
    fn too_many_crates_are_found() {
        let tree =
            |count| (0..count).map(|i| format!("crate-{i} v1.0.0 (*)\ncrate-{i} v1.0.0\n\n")).collect::<String>();
        assert_eq!(too_many(&tree(61)).len(), 1);
        assert!(too_many(&tree(60)).is_empty());
        assert_eq!(too_many("").len(), 1, "a failed listing is no success");
    }
}
