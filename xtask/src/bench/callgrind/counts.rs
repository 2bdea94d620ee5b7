//! Counts of executed instructions: valgrind says how often each address ran, objdump which instruction is there.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a work executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub instructions: u64,
    /// Those of them that are fused multiply-adds of f32, on one number or on many.
    pub multiply_adds: u64,
    /// The floating-point operations of these, two for each number.
    pub operations: u64,
}

/// A program whose works can be counted.
pub struct Counter {
    program: PathBuf,
    /// Where valgrind writes.
    dump: PathBuf,
    /// The operations of each multiply-add, by its address.
    multiply_adds: HashMap<u64, u64>,
}

impl Counter {
    /// Reads the program's instructions.
    pub fn new(program: &Path, folder: &Path) -> Result<Self, String> {
        let mut objdump = Command::new("objdump");
        objdump.args(["--disassemble", "--no-show-raw-insn"]).arg(program);
        let read = objdump.output().map_err(|problem| format!("objdump: {problem}"))?;
        let multiply_adds = String::from_utf8_lossy(&read.stdout).lines().filter_map(multiply_add).collect();
        Ok(Self { program: program.to_path_buf(), dump: folder.join("callgrind.out"), multiply_adds })
    }

    /// What the work executes, once it has been done for a first time.
    pub fn count(&self, work: &str) -> Result<Counts, String> {
        let [once, thrice] = [self.total(work, 1)?, self.total(work, 3)?];
        let each = |of: fn(Counts) -> u64| of(thrice).saturating_sub(of(once)) / 2;
        let [instructions, multiply_adds, operations] =
            [each(|c| c.instructions), each(|c| c.multiply_adds), each(|c| c.operations)];
        Ok(Counts { instructions, multiply_adds, operations })
    }

    /// What the whole program executes that does the work so often.
    fn total(&self, work: &str, times: usize) -> Result<Counts, String> {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"]);
        valgrind.arg(format!("--callgrind-out-file={}", self.dump.display())).arg(&self.program);
        valgrind.args(["--times", &times.to_string()]).args(work.split(' ')).env("COTANGENT_SIMD", "avx2");
        let done = valgrind.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let counted = done.is_ok_and(|done| done.success()).then(|| std::fs::read_to_string(&self.dump).ok()).flatten();
        let dump = counted.ok_or_else(|| format!("{work}: valgrind has counted nothing"))?;
        Ok(add_up(&dump, &self.program.display().to_string(), &self.multiply_adds))
    }
}

/// The address of a line of objdump's, and the operations of the multiply-add that is there, if one is.
fn multiply_add(line: &str) -> Option<(u64, u64)> {
    let (address, instruction) = line.trim_start().split_once(":\t")?;
    let (name, operands) = instruction.split_once(' ')?;
    let is_one = ["vfmadd", "vfmsub", "vfnmadd", "vfnmsub"].iter().any(|kind| name.starts_with(kind));
    let lanes = match () {
        () if name.ends_with("ss") => 1,
        () if !name.ends_with("ps") => return None,
        () if operands.contains("%zmm") => 16,
        () if operands.contains("%ymm") => 8,
        () => 4,
    };
    is_one.then_some((u64::from_str_radix(address, 16).ok()?, 2 * lanes))
}

/// Adds up callgrind's lines `ADDRESS LINE COUNT`; addresses are those of `program` after `ob=program`. What follows
/// `calls=` is the cost of the called function, which has lines of its own.
fn add_up(dump: &str, program: &str, multiply_adds: &HashMap<u64, u64>) -> Counts {
    let (mut counts, mut is_program, mut is_call) = (Counts::default(), false, false);
    for line in dump.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_program = object == program;
        }
        if !std::mem::replace(&mut is_call, line.starts_with("calls="))
            && let Some((address, count)) = cost(line)
        {
            counts.instructions += count;
            if let Some(operations) = multiply_adds.get(&address).filter(|_| is_program) {
                counts.multiply_adds += count;
                counts.operations += count * operations;
            }
        }
    }
    counts
}

/// The address and the count of a line that has them.
fn cost(line: &str) -> Option<(u64, u64)> {
    let (address, rest) = line.strip_prefix("0x")?.split_once(' ')?;
    Some((u64::from_str_radix(address, 16).ok()?, rest.split_once(' ')?.1.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiply_adds_are_found_among_the_instructions() {
        assert_eq!(multiply_add("  34c4b4:\tvfmadd231ps %ymm5,%ymm2,%ymm6"), Some((0x34c4b4, 16)));
        assert_eq!(multiply_add("  34c4b9:\tvfnmadd213ps 0x20(%rax),%zmm6,%zmm7"), Some((0x34c4b9, 32)));
        assert_eq!(multiply_add("      10:\tvfmadd231ss %xmm5,%xmm2,%xmm6"), Some((0x10, 2)));
        assert_eq!(multiply_add("      10:\tvfmadd231pd %ymm5,%ymm2,%ymm6"), None);
        assert_eq!(multiply_add("      10:\tvaddps %ymm5,%ymm2,%ymm6"), None);
        assert_eq!(multiply_add("0000000000034c40 <main>:"), None);
    }

    #[test]
    fn costs_of_calls_are_not_counted_twice() {
        let dump =
            "ob=/libc\n0x10 0 5\nob=/measure\nfn=main\n0x10 0 3\n0x14 0 2\ncalls=1 0x20 0\n0x14 0 900\n0x18 7 4\n";
        let counts = add_up(dump, "/measure", &HashMap::from([(0x10, 16), (0x18, 2)]));
        assert_eq!(counts, Counts { instructions: 14, multiply_adds: 7, operations: 3 * 16 + 4 * 2 });
    }
}
