//! The whole suite again at every other SIMD level: the level is fixed once per process, so each runs in a process of
//! its own.

use cotangent_cpu::simd::Level;
use std::process::Command;

#[test]
fn every_simd_level_passes_this_suite() {
    let current = Level::current();
    for level in Level::available().into_iter().filter(|&level| level != current) {
        if std::env::var_os("COTANGENT_SIMD").is_some() {
            return; // this is such a process
        }
        let mut suite = Command::new(std::env::current_exe().expect("a test knows its own path"));
        let run = suite.args(["--skip", "every_simd_level"]).env("COTANGENT_SIMD", level.name()).output();
        let run = run.expect("the suite can be started again");
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "at {}:\n{text}", level.name());
        assert!(text.contains(" passed") && !text.contains(" 0 passed"), "nothing ran at {}:\n{text}", level.name());
    }
}
