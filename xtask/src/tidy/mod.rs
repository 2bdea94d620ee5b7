//! Rules of the house that the compiler does not know. Each check is a function from a file (or the manifests)
//! to complaints, with a test that shows it complain.

mod crates;
mod file;
mod rust;
mod text;

use std::path::Path;

pub use file::File;

use crate::repo;

/// `path:line: what is wrong`.
type Complaint = String;

/// The checks that look at one file.
const FILE_CHECKS: [fn(&File) -> Vec<Complaint>; 8] = [
    text::trailing_whitespace,
    text::machine_paths,
    rust::length,
    rust::unfinished,
    rust::unsafe_outside_kernels,
    rust::unsafe_without_reason,
    rust::crate_without_docs,
    rust::example_behind_the_facade,
];

/// Prints every complaint about the repository at `root`; true if there are none.
pub fn run(root: &Path) -> bool {
    let files = repo::text_files(root);
    let manifests = crates::manifests(&files);
    let mut complaints: Vec<Complaint> = FILE_CHECKS.iter().flat_map(|check| files.iter().flat_map(check)).collect();
    complaints.extend(text::paths_that_are_gone(&files));
    complaints.extend(crates::arrows(&manifests));
    complaints.extend(crates::cudarc_outside_cuda(&manifests));
    complaints.extend(crates::proc_macros(&manifests));
    complaints.extend(crates::too_many(&default_tree(root)));
    for complaint in &complaints {
        eprintln!("{complaint}");
    }
    println!("tidy: {} files, {} complaints", files.len(), complaints.len());
    complaints.is_empty()
}

/// The crates that a user of the default features builds, as cargo lists them.
fn default_tree(root: &Path) -> String {
    let listing = repo::cargo(root)
        .args(["tree", "--package", "cotangent", "--edges", "no-dev", "--prefix", "none"])
        .output()
        .expect("cargo can be started");
    String::from_utf8_lossy(&listing.stdout).into_owned()
}
