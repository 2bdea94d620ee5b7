//! No op is missing: the sources of `cotangent-core` are read for the names of ops and of tensor methods, and each
//! must be in the case table.

use cotangent::cases;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The text of every Rust file below `folder`.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder can be read").path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![(path.clone(), std::fs::read_to_string(&path).expect("sources are UTF-8"))],
        })
        .collect()
}

/// What stands between `before` and the next `after`, wherever `before` occurs outside comments.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.filter_map(move |line| line.split_once(before)?.1.split_once(after).map(|(name, _)| name))
}

fn listed(name: &str) -> bool {
    cases::all().iter().any(|op| op.name == name || op.rules.contains(&name))
}

#[test]
fn every_op_is_in_the_table() {
    let mut found = 0;
    for (path, text) in sources(&root().join("crates/core/src/ops")) {
        let names = between(&text, "const NAME: &'static str = \"", "\"");
        let names = names.chain(between(&text, "apply_variadic(\"", "\"")).chain(between(&text, "barrier(\"", "\""));
        for name in names {
            found += 1;
            let hint = "give it a row in crates/cases/src/";
            assert!(listed(name) || name == "cast", "[{name}] of {} has no case: {hint}", path.display());
        }
    }
    assert!(found > 60, "only {found} names: the search has gone blind");
}

#[test]
fn every_tensor_method_of_an_op_is_called_by_a_case() {
    let table: String = sources(&root().join("crates/cases/src")).into_iter().map(|(_, text)| text).collect();
    let mut found = 0;
    for (path, text) in sources(&root().join("crates/core/src/ops")) {
        for method in between(&text, "pub fn ", "(&self") {
            let method = method.split('<').next().unwrap_or(method);
            let is_method = text.contains("impl Tensor") && !method.starts_with('$');
            if !is_method || NOT_OPS.contains(&method) {
                continue;
            }
            found += 1;
            let called = table.contains(&format!(".{method}(")) || listed(method);
            assert!(called, "Tensor::{method} of {} is in no case", path.display());
        }
    }
    assert!(found > 80, "only {found} methods: the search has gone blind");
}

/// Methods in op files that are not ops on tensors.
const NOT_OPS: [&str; 5] = ["geometry", "tensor", "size", "fits", "neg"];

#[test]
fn every_row_has_cases_and_every_pointwise_row_its_exact_check() {
    for op in cases::all() {
        assert!(!op.cases.is_empty(), "{} has no case", op.name);
        assert!(op.cases.iter().any(|case| case.sample(1).iter().all(|x| x.count() > 0)), "{} is empty", op.name);
    }
    let rows = cases::all();
    for (path, text) in sources(&root().join("crates/core/src/ops")) {
        if !text.contains("impl Unary for") && !text.contains("impl Binary for") {
            continue;
        }
        for name in between(&text, "const NAME: &'static str = \"", "\"") {
            let exact = rows.iter().any(|op| op.name == name && op.exact.is_some());
            assert!(exact, "[{name}] of {} is not checked against its exact derivative", path.display());
        }
    }
}
