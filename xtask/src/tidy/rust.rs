//! Checks of source files.

use super::file::has_word;
use super::{Complaint, File};

/// The most lines that a source file may have.
const MAX_LINES: usize = 500;

/// The crates that may hold `unsafe`: their business is memory, registers and the driver, the driver's stand-in, or
/// other people's crates that take pointers.
const UNSAFE_CRATES: [&str; 5] =
    ["crates/cpu/", "crates/cuda/", "crates/ptx-sim/", "crates/ptx-sim-driver/", "benches/peers/"];

/// Marks of work that is not finished, or of a test that does not run.
const UNFINISHED: [&str; 4] = ["todo!", "unimplemented!", "dbg!", "#[ignore"];

/// A source file so long that nobody reads it whole.
pub fn length(file: &File) -> Vec<Complaint> {
    let lines = file.text.lines().count();
    let long = file.is_source() && lines > MAX_LINES;
    long.then(|| file.complaint(MAX_LINES, &format!("{lines} lines; at most {MAX_LINES}"))).into_iter().collect()
}

/// Stubs, debug output, and tests that are switched off.
pub fn unfinished(file: &File) -> Vec<Complaint> {
    let found = |mark: &&str| {
        let message = format!("`{mark}` is left");
        file.lines_with(mark).into_iter().map(move |line| file.complaint(line, &message)).collect::<Vec<_>>()
    };
    UNFINISHED.iter().flat_map(found).collect()
}

/// `unsafe` in a crate that holds no kernels.
pub fn unsafe_outside_kernels(file: &File) -> Vec<Complaint> {
    if UNSAFE_CRATES.iter().any(|room| file.path.starts_with(room)) {
        return Vec::new();
    }
    let lines = file.lines_with("unsafe").into_iter();
    lines.map(|line| file.complaint(line, "`unsafe` in a crate without kernels")).collect()
}

/// An unsafe block or impl with no `SAFETY:` comment on its line or directly above its statement.
pub fn unsafe_without_reason(file: &File) -> Vec<Complaint> {
    let code: Vec<&str> = file.code.lines().collect();
    let text: Vec<&str> = file.text.lines().collect();
    let needs_reason = |line: &usize| has_word(code[line - 1], "unsafe {") || has_word(code[line - 1], "unsafe impl");
    let lines =
        file.lines_with("unsafe").into_iter().filter(needs_reason).filter(|&line| !has_reason(&text, &code, line));
    lines.map(|line| file.complaint(line, "no `SAFETY:` comment above `unsafe`")).collect()
}

/// Walks up from `line` (counted from 1) over comments, attributes and the beginning of the same statement.
fn has_reason(text: &[&str], code: &[&str], line: usize) -> bool {
    if text[line - 1].contains("// SAFETY:") {
        return true;
    }
    for above in (0..line - 1).rev() {
        let (text, code) = (text[above].trim(), code[above].trim());
        if text.starts_with("//") {
            if text.contains("SAFETY:") {
                return true;
            }
        } else if text.is_empty() || (code.ends_with([';', '{', '}', ',']) && !code.starts_with("#[")) {
            return false;
        }
    }
    false
}

/// A crate whose root does not begin with what the crate is for.
pub fn crate_without_docs(file: &File) -> Vec<Complaint> {
    let crate_root = file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs");
    let bare = crate_root && !file.text.starts_with("//!");
    bare.then(|| file.complaint(1, "a crate begins with `//!`: what it is for")).into_iter().collect()
}

/// An example that reaches past the facade: it is to read like a user's own program.
pub fn example_behind_the_facade(file: &File) -> Vec<Complaint> {
    let example = file.path.starts_with("examples/") && file.is_rust();
    let lines = file.code.lines().enumerate().filter(|(_, line)| example && line.contains("cotangent_"));
    lines.map(|(i, _)| file.complaint(i + 1, "an example names `cotangent` alone, as its users do")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(text: &str) -> File {
        File::new("crates/cpu/src/lib.rs", text)
    }

    #[test]
    fn long_files_are_found() {
        assert_eq!(length(&cpu(&"\n".repeat(501))).len(), 1);
        assert_eq!(length(&File::new("kernels/gemm.cu", "\n".repeat(501))).len(), 1);
        assert!(length(&cpu(&"\n".repeat(500))).is_empty());
        assert!(length(&File::new("Cargo.lock", "\n".repeat(501))).is_empty());
    }

    #[test]
    fn stubs_are_found() {
        let bad = "fn a() { todo!() }\nfn b() { unimplemented!() }\nlet c = dbg!(1);\n#[ignore = \"slow\"]\nfn d() {}";
        assert_eq!(unfinished(&cpu(bad)).len(), 4);
        assert!(unfinished(&cpu("// no todo! here\nlet s = \"dbg!\";")).is_empty());
    }

    #[test]
    fn unsafe_in_the_wrong_crate_is_found() {
        let text = "fn f() {\n    unsafe { g() }\n}";
        assert_eq!(
            unsafe_outside_kernels(&File::new("crates/nn/src/lib.rs", text)),
            ["crates/nn/src/lib.rs:2: `unsafe` in a crate without kernels"]
        );
        assert!(unsafe_outside_kernels(&cpu(text)).is_empty());
        assert!(unsafe_outside_kernels(&File::new("src/lib.rs", "#![deny(unsafe_code)] // unsafe")).is_empty());
    }

    #[test]
    fn unsafe_without_a_reason_is_found() {
        let bad = [
            "unsafe { f() }",
            "// SAFETY: of another statement.\nlet a = 1;\nunsafe { f() }",
            "// SAFETY: too far away.\n\nunsafe impl Send for A {}",
            "match x {\n    // SAFETY: of another arm.\n    1 => unsafe { f() },\n    _ => unsafe { g() },\n}",
        ];
        for text in bad {
            assert_eq!(unsafe_without_reason(&cpu(text)).len(), 1, "{text}");
        }
        let good = [
            "// SAFETY: as promised,\n// twice.\nlet a =\n    unsafe { f() };",
            "// SAFETY: true.\n#[allow(x)]\nunsafe impl Send for A {}",
            "/// # Safety\n/// None.\nunsafe fn f() {}",
            "let a = unsafe { f() }; // SAFETY: here.",
        ];
        for text in good {
            assert!(unsafe_without_reason(&cpu(text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn crates_without_docs_are_found() {
        assert_eq!(crate_without_docs(&cpu("mod a;")).len(), 1);
        assert!(crate_without_docs(&cpu("//! Kernels.\nmod a;")).is_empty());
        assert!(crate_without_docs(&File::new("crates/cpu/src/par.rs", "mod a;")).is_empty());
    }

    #[test]
    fn examples_behind_the_facade_are_found() {
        let text = "use cotangent::prelude::*;\nuse cotangent_core::Tensor;";
        assert_eq!(example_behind_the_facade(&File::new("examples/a.rs", text)).len(), 1);
        assert!(example_behind_the_facade(&File::new("src/lib.rs", text)).is_empty());
    }
}
