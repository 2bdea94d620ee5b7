//! Builds the programs that measure, and finds them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::group::Program;
use crate::repo;

/// Where the programs are.
pub struct Programs {
    ours: PathBuf,
    /// Nowhere, where ours alone is wanted, and so for the interpreter.
    rust: PathBuf,
    rust_steps: PathBuf,
    python: PathBuf,
    scripts: PathBuf,
    /// A folder for the digits and the logs.
    folder: PathBuf,
}

impl Programs {
    /// The words that start a program, but for the number of threads.
    pub fn command(&self, program: Program) -> Vec<PathBuf> {
        let script = |name: &str| vec![self.python.clone(), self.scripts.join(name), self.digits()];
        match program {
            Program::Ours | Program::OursOnOneThread => vec![self.ours.clone()],
            Program::Rust => vec![self.rust.clone()],
            Program::RustSteps => vec![self.rust_steps.clone(), self.digits()],
            Program::Torch => script("peer_torch.py"),
            Program::Keras => script("peer_keras.py"),
            Program::Jax => script("peer_jax.py"),
            Program::Onnx => script("peer_onnx.py"),
        }
    }

    /// Where what the program says on the side goes.
    pub fn log(&self, program: Program) -> PathBuf {
        self.folder.join(format!("{program:?}.log"))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn digits(&self) -> PathBuf {
        self.folder.join("digits")
    }
}

/// Builds ours and those of the Rust peers that are `wanted`, and writes the digits that all train on.
pub fn programs(root: &Path, python: &str, wanted: impl Fn(Program) -> bool) -> Result<Programs, String> {
    let peer = |program, manifest| match wanted(program) {
        true => build(root, &["--manifest-path", manifest]),
        false => Ok(PathBuf::new()),
    };
    let rust = peer(Program::Rust, "benches/peers/Cargo.toml")?;
    let rust_steps = peer(Program::RustSteps, "benches/peers/steps/Cargo.toml")?;
    let programs = Programs { rust, rust_steps, python: PathBuf::from(python), ..ours(root)? };
    let written = Command::new(&programs.ours).arg("--digits").arg(programs.digits()).status();
    match written.is_ok_and(|status| status.success()) {
        true => Ok(programs),
        false => Err("the digits cannot be written".into()),
    }
}

/// Builds ours alone.
pub fn ours(root: &Path) -> Result<Programs, String> {
    let ours = build(root, &["--bench", "measure"])?;
    let folder = root.join("target/peers");
    std::fs::create_dir_all(&folder).map_err(|problem| format!("{}: {problem}", folder.display()))?;
    let [rust, rust_steps, python] = [const { PathBuf::new() }; 3];
    Ok(Programs { ours, rust, rust_steps, python, scripts: root.join("benches/peers"), folder })
}

/// The program that `cargo build` makes of these arguments.
fn build(root: &Path, arguments: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = repo::cargo(root);
    cargo.args(["build", "--release", "--message-format", "json-render-diagnostics"]).args(arguments);
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        cargo.env("CARGO_TARGET_DIR", root.join("target"));
    }
    let built = cargo.stderr(Stdio::inherit()).output().map_err(|problem| problem.to_string())?;
    let messages = String::from_utf8_lossy(&built.stdout);
    let executable = messages.lines().filter_map(executable).next_back();
    executable.filter(|_| built.status.success()).ok_or_else(|| format!("cargo build {}: failed", arguments.join(" ")))
}

/// The program that one of cargo's messages says it has made.
fn executable(message: &str) -> Option<PathBuf> {
    let (_, rest) = message.split_once("\"executable\":\"")?;
    rest.split_once('"').map(|(path, _)| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_in_cargos_messages() {
        let message = r#"{"reason":"compiler-artifact","executable":"target/release/deps/measure-1","fresh":true}"#;
        assert_eq!(executable(message), Some(PathBuf::from("target/release/deps/measure-1")));
        assert_eq!(executable(r#"{"reason":"compiler-artifact","executable":null}"#), None);
    }
}
