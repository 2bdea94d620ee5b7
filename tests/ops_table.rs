//! The table of all ops in docs/ops.md is what the case table and the sources say.
//!
//! `COTANGENT_WRITE=1 cargo test --release --test ops_table` writes it.

use cotangent::cases::{self, Op, Rounding};
use std::path::{Path, PathBuf};

const HEAD: &str = "\
# All ops

Made from the case table (`crates/cases/src/`) and the first lines of each op's file by
`COTANGENT_WRITE=1 cargo test --release --test ops_table`; the same test fails if this page is stale.

*CPU*: the SIMD levels at which the op's values are held against f64. *CUDA*: what is held
against the CPU there, in f32 and f64 (`-p cotangent-cuda-suite`). *Checked by*: **values** of f32 against f64 at
every level (`--test agree`); **gradients** and **second** derivatives against differences of sixth order in f64, in five
layouts (`--test gradcheck`); **exact** derivatives by dual numbers; **PyTorch**'s recorded values and gradients
(`--test fixtures`); **refusal** where there is no derivative. *f32* is how far its results may be from f64: not a bit,
so many units in the last place, or 4·√n·u of the greatest.

| op | value, derivative, shapes | derivative | second | CPU | CUDA | f32 | cases | checked by |
|---|---|---|---|---|---|---|---|---|
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// The texts of the op files.
fn op_files(folder: &Path) -> Vec<String> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the ops are there").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    let texts = paths.into_iter().map(|path| match path.is_dir() {
        true => op_files(&path),
        false => vec![std::fs::read_to_string(path).expect("sources are UTF-8")],
    });
    texts.flatten().collect()
}

/// The first paragraph of the file in which the op is.
fn definition(name: &str, files: &[String]) -> String {
    let marks = [
        format!("NAME: &'static str = \"{name}\""),
        format!("pub fn {name}("),
        format!("pub fn {name}<"),
        format!(" \"{name}\");"),
        format!("\n    {name} "),
    ];
    let file = files.iter().find(|text| marks.iter().any(|mark| text.contains(mark)));
    let file = file.unwrap_or_else(|| panic!("no file of the op {name}"));
    let lines = file.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The line of an op, which may have several rows in the case table.
fn line(op: &Op, cases: usize, files: &[String], fixtures: &str) -> String {
    let name = if op.name.starts_with("cast") { "cast" } else { op.name };
    let mut checks = vec!["values"];
    if op.first {
        checks.push("gradients");
    }
    if op.second {
        checks.push("second");
    }
    if op.exact.is_some() {
        checks.push("exact");
    }
    if fixtures.contains(&format!("[{}]", op.name)) {
        checks.push("PyTorch");
    }
    if !op.first {
        checks.push("refusal");
    }
    let cuda = match (op.first, op.second) {
        (false, _) => "values",
        (true, false) => "values, gradients",
        (true, true) => "values, gradients, second",
    };
    let yes = |is: bool| if is { "yes" } else { "no" };
    let rounding = match op.rounding {
        Rounding::Exact => "exact".to_owned(),
        Rounding::Ulps(most) => format!("{most} ulp"),
        Rounding::Sums => "4·√n·u".to_owned(),
    };
    format!(
        "| `{}` | {} | {} | {} | portable, AVX2, AVX-512 | {} | {rounding} | {} | {} |\n",
        op.name,
        definition(name, files),
        yes(op.first),
        yes(op.second),
        cuda,
        cases,
        checks.join(", ")
    )
}

#[test]
fn the_table_of_ops_is_up_to_date() {
    let files = op_files(&root().join("crates/core/src/ops"));
    let fixtures = std::fs::read_to_string(root().join("tests/fixtures/torch.txt")).expect("the fixtures are there");
    let all = cases::all();
    let first = |(i, op): &(usize, &Op)| all[..*i].iter().all(|earlier| earlier.name != op.name);
    let count = |name: &str| all.iter().filter(|op| op.name == name).map(|op| op.cases.len()).sum();
    let lines = all.iter().enumerate().filter(first).map(|(_, op)| line(op, count(op.name), &files, &fixtures));
    let rows: String = lines.collect();
    let (path, made) = (root().join("docs/ops.md"), [HEAD, &rows].concat());
    if std::env::var_os("COTANGENT_WRITE").is_some() {
        std::fs::create_dir_all(root().join("docs")).expect("the folder can be made");
        std::fs::write(&path, &made).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == made, "docs/ops.md is stale: COTANGENT_WRITE=1 cargo test --release --test ops_table");
}
