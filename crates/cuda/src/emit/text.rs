//! A graph as PTX.

use super::graph::{Arg, Class, Graph, Id, Instruction};
use std::fmt::Write;

/// The name of every emitted kernel.
pub const ENTRY: &str = "elementwise";

/// What every emitted PTX begins with: the oldest GPU and the oldest PTX that have all it needs, so that old drivers take it.
const HEAD: &str = ".version 6.3\n.target sm_75\n.address_size 64\n";

const CLASSES: [(Class, &str, &str); 5] = [
    (Class::Pred, "pred", "%p"),
    (Class::B32, "b32", "%r"),
    (Class::B64, "b64", "%d"),
    (Class::F32, "f32", "%f"),
    (Class::F64, "f64", "%g"),
];

/// The register with the address of the constants, if they are in memory.
const LIVE: &str = "%live";

/// Which constant in memory the instruction loads, if it loads one.
fn live_constant(graph: &Graph, instruction: &Instruction) -> Option<u32> {
    match instruction.args[..] {
        [Arg::Slot(slot)] if graph.live => slot.checked_sub(graph.first_constant),
        _ => None,
    }
}

/// The kernel [`ENTRY`] with `slots` 8-byte slots of parameters.
pub fn ptx(graph: &Graph, slots: usize) -> String {
    let needed = graph.needed();
    let names = names(graph, &needed);
    let mut out = format!("{HEAD}\n.visible .entry {ENTRY}(.param .align 8 .b8 params[{}])\n{{\n", 8 * slots);
    for (class, ty, prefix) in CLASSES {
        let count = count(graph, &needed, class);
        if count > 0 {
            let _ = writeln!(out, "\t.reg .{ty} {prefix}<{count}>;");
        }
    }
    if graph.live {
        let _ = writeln!(out, "\t.reg .b64 {LIVE};\n\tld.param.u64 {LIVE}, [params+{}];", 8 * graph.first_constant);
    }
    for (i, instruction) in graph.instructions.iter().enumerate().filter(|(i, _)| needed[*i]) {
        let number = live_constant(graph, instruction);
        let _ = match number {
            Some(k) => writeln!(out, "\tld.global.{} {}, [{LIVE}+{}];", instruction.ty, names[i], 8 * k),
            None => writeln!(out, "\t{}", line(instruction, &names[i], &names)),
        };
    }
    out.push_str("\tret;\n}\n");
    out
}

fn count(graph: &Graph, needed: &[bool], class: Class) -> usize {
    graph.instructions.iter().zip(needed).filter(|(i, needed)| **needed && i.class == Some(class)).count()
}

/// The register of each value that is needed, numbered within its class.
fn names(graph: &Graph, needed: &[bool]) -> Vec<String> {
    let mut counts = [0; CLASSES.len()];
    let name = |(instruction, needed): (&Instruction, &bool)| match instruction.class {
        Some(class) if *needed => {
            let k = CLASSES.iter().position(|c| c.0 == class).expect("every class is listed");
            counts[k] += 1;
            format!("{}{}", CLASSES[k].2, counts[k] - 1)
        }
        _ => String::new(),
    };
    graph.instructions.iter().zip(needed).map(name).collect()
}

fn line(instruction: &Instruction, result: &str, names: &[String]) -> String {
    let name = |id: Id| &names[id as usize];
    let arg = |arg: &Arg| match *arg {
        Arg::Value(id) => name(id).clone(),
        Arg::At(id) => format!("[{}]", name(id)),
        Arg::Slot(slot) => format!("[params+{}]", 8 * slot),
        Arg::Int(x) => x.to_string(),
        Arg::F32(bits) => format!("0f{bits:08X}"),
        Arg::F64(bits) => format!("0d{bits:016X}"),
        Arg::Special(register) => register.to_owned(),
    };
    let args: Vec<String> = instruction.args.iter().map(arg).collect();
    let Instruction { op, ty, class, .. } = instruction;
    match (class, *op) {
        (None, "ret") => format!("@{} ret;", args[0]),
        (None, _) => format!("{op}.{ty} {};", args.join(", ")),
        (Some(_), _) => format!("{op}.{ty} {result}, {};", args.join(", ")),
    }
}
