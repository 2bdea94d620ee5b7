//! Where the time goes.

use cotangent_core::Tensor;
use cotangent_core::inspect::{Phase, Profile, profile, scope};
use std::time::Duration;

fn step() -> Profile {
    let (w, v) = (Tensor::ones([256, 64]).tracked(), Tensor::ones([64, 8]).tracked());
    let x = Tensor::ones([128, 256]);
    let (grads, profile) = profile(|| {
        let y = scope("mlp", || {
            let hidden = scope("dense", || x.matmul(&w).relu());
            scope("dense_1", || hidden.reshape([128, 64]).matmul(&v))
        });
        y.sum(..).backward()
    });
    assert_eq!(grads.len(), 2);
    profile
}

#[test]
fn every_op_is_counted_forward_and_backward_apart() {
    let profile = step();
    let row = |op, phase| {
        let rows = profile.rows();
        rows.iter().find(|r| r.op == op && r.phase == phase).unwrap_or_else(|| panic!("{op} {phase}")).clone()
    };
    let forward = row("matmul", Phase::Forward);
    assert_eq!((forward.calls, row("matmul", Phase::Backward).calls), (2, 2));
    let bytes = |shapes: &[[u64; 2]]| shapes.iter().map(|[m, n]| 4 * m * n).sum::<u64>();
    assert_eq!(forward.moved, bytes(&[[128, 256], [256, 64], [128, 64], [128, 64], [64, 8], [128, 8]]));
    assert_eq!(row("reshape", Phase::Forward).moved, 0, "a view moves nothing");
    assert_eq!(row("reshape", Phase::Backward).moved, 0);

    let rows = profile.rows();
    assert!(rows.windows(2).all(|pair| pair[0].time >= pair[1].time), "the slowest first");
    let shares: f64 = rows.iter().map(|r| r.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    assert!(profile.time() > Duration::ZERO && profile.time() <= profile.wall());
}

#[test]
fn a_layer_has_its_backward_pass_too() {
    let profile = step();
    let rows = profile.rows_by_layer();
    let calls = |layer, phase| {
        let found = rows.iter().find(|r| r.layer.as_deref() == Some(layer) && r.phase == phase);
        found.map(|r| r.calls)
    };
    assert_eq!(calls("mlp/dense", Phase::Forward), Some(2), "matmul, relu");
    assert_eq!(calls("mlp/dense", Phase::Backward), Some(2));
    assert_eq!(calls("mlp/dense_1", Phase::Forward), Some(2), "reshape, matmul");
    assert_eq!(calls("mlp/dense_1", Phase::Backward), Some(2));

    let text = profile.to_string();
    for part in ["op ", "matmul", "layer ", "mlp/dense_1", "backward", " % "] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let widths: Vec<usize> = text.lines().filter(|l| l.contains(" % ")).map(|l| l.chars().count()).collect();
    assert_eq!(widths.iter().collect::<std::collections::BTreeSet<_>>().len(), 2, "two tables, aligned\n{text}");
}

#[test]
fn the_trace_is_what_trace_viewers_read() {
    let profile = step();
    let path = std::env::temp_dir().join(format!("cotangent-trace-{}.json", std::process::id()));
    profile.write_trace(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let trace: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("a list of events");
    let complete: Vec<_> = events.iter().filter(|e| e["ph"] == "X").collect();
    assert_eq!(complete.len(), profile.events().len() + 3, "the ops and three scopes");
    for event in &complete {
        assert!(event["ts"].as_f64().is_some_and(|t| t >= 0.0), "{event}");
        assert!(event["dur"].as_f64().is_some_and(|t| t >= 0.0), "{event}");
        assert!(event["name"].is_string() && event["pid"].is_number() && event["tid"].is_number(), "{event}");
    }
    let find = |name: &str| *complete.iter().find(|e| e["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let end = |e: &serde_json::Value| e["ts"].as_f64().unwrap() + e["dur"].as_f64().unwrap();
    let (layer, op) = (find("mlp/dense"), find("relu"));
    assert_eq!(
        (&layer["cat"], &op["cat"], &op["args"]["layer"]),
        (&"layer".into(), &"forward".into(), &"mlp/dense".into())
    );
    assert!(layer["ts"].as_f64() <= op["ts"].as_f64() && end(op) <= end(layer), "the op lies within its layer");
    assert_eq!(op["args"]["tensor"], "f32 [128, 64]");
}

#[test]
fn a_trace_that_cannot_be_written_says_where() {
    let error = step().write_trace("/nowhere/at/all/trace.json").unwrap_err().to_string();
    assert!(error.starts_with("[/nowhere/at/all/trace.json]"), "{error}");
}

#[test]
fn a_profile_within_a_profile_takes_its_ops_out() {
    let x = Tensor::ones([4]);
    let (inner, outer) = profile(|| {
        let _ = x.exp();
        let (_, inner) = profile(|| x.sin());
        let _ = x.cos();
        inner
    });
    let ops = |p: &Profile| p.events().iter().map(|e| e.op).collect::<Vec<_>>();
    assert_eq!((ops(&inner), ops(&outer)), (vec!["sin"], vec!["exp", "cos"]));
}

#[test]
fn a_panic_ends_the_profile() {
    let x = Tensor::ones([4]);
    let (caught, outer) = profile(|| {
        let caught = std::panic::catch_unwind(|| profile(|| Tensor::ones([3]).matmul(&Tensor::ones([4, 4]))));
        let _ = x.exp();
        caught.is_err()
    });
    assert!(caught && outer.events().len() == 1);
    assert!(profile(|| ()).1.events().is_empty());
}
