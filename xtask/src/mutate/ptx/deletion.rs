//! [`Deletion`]: one instruction less in a PTX file.

/// An instruction that can be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The kernel that it is in.
    pub kernel: String,
    /// Its line, counted from 1.
    pub line: usize,
    pub instruction: String,
}

impl Deletion {
    /// The text without it.
    pub fn applied(&self, text: &str) -> String {
        let kept = text.lines().enumerate().filter(|(i, _)| i + 1 != self.line);
        kept.map(|(_, line)| format!("{line}\n")).collect()
    }
}

/// Every instruction of every kernel that is a line by itself.
pub fn deletions(text: &str) -> Vec<Deletion> {
    let mut kernel = "";
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if let Some(rest) = line.split(".entry ").nth(1) {
            kernel = rest.split('(').next().unwrap_or_default().trim();
        } else if is_instruction(line.trim()) {
            found.push(Deletion {
                kernel: kernel.to_owned(),
                line: i + 1,
                instruction: line.trim().replace('\t', " "),
            });
        }
    }
    found
}

/// `@%p1 bra $L__BB0_2;`, but no label, declaration or brace, and no part of a longer one.
fn is_instruction(line: &str) -> bool {
    let without_guard = match line.strip_prefix('@') {
        Some(rest) => rest.split_once([' ', '\t']).map_or("", |(_, rest)| rest.trim_start()),
        None => line,
    };
    without_guard.starts_with(|c: char| c.is_ascii_lowercase()) && line.ends_with(';')
}

/// `count` of them, or all if there are fewer, drawn without putting back.
pub fn drawn<T>(mut from: Vec<T>, count: usize, seed: u64) -> Vec<T> {
    let count = count.min(from.len());
    let mut state = seed;
    for i in 0..count {
        let other = i + (splitmix(&mut state) % (from.len() - i) as u64) as usize;
        from.swap(i, other);
    }
    from.truncate(count);
    from
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
.version 7.0
.visible .entry a(
.param .align 8 .b8 a_param_0[40]
)
{
\t.reg .pred \t%p<2>;
\tmov.u32 \t%r1, %tid.x;
\t@%p1 bra \t$L__BB0_2;
$L__BB0_2:
\t{ // a call
\tcall.uni (retval0),
\tf,
\t);
\t}
\tret;
}
.visible .entry b()
{
\t@!%p1 ret;
}
";

    #[test]
    fn instructions_are_found_and_deleted() {
        let found = deletions(TEXT);
        let text: Vec<String> = found.iter().map(|d| format!("{}:{} {}", d.kernel, d.line, d.instruction)).collect();
        assert_eq!(text, ["a:7 mov.u32  %r1, %tid.x;", "a:8 @%p1 bra  $L__BB0_2;", "a:15 ret;", "b:19 @!%p1 ret;"]);
        assert_eq!(found[1].applied(TEXT), TEXT.replace("\t@%p1 bra \t$L__BB0_2;\n", ""));
    }

    #[test]
    fn drawing_depends_on_the_seed_alone_and_takes_each_once() {
        let drawn = |count, seed| super::drawn((0..50).collect(), count, seed);
        assert_eq!(drawn(20, 1), drawn(20, 1));
        assert_ne!(drawn(20, 1), drawn(20, 2));
        let mut all = drawn(80, 3);
        all.sort();
        assert_eq!(all, (0..50).collect::<Vec<i32>>());
    }
}
