//! What a bug report should say.

use cotangent_core::inspect::BuildInfo;

#[test]
fn it_says_what_computes() {
    let info = BuildInfo::new("1.2.3", true, vec!["download"]);
    assert!(info.threads >= 1 && info.simd_available.contains(&info.simd));
    let text = info.to_string();
    assert!(text.starts_with("cotangent 1.2.3 (debug, "), "{text}");
    for part in ["features: download", info.simd, &info.device, &format!("threads:  {}", info.threads)] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(BuildInfo::new("1.2.3", false, vec![]).to_string().contains("features: none"));
}
