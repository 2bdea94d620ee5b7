//! The emitted text, held against what was once read and found right.

use super::*;
use crate::chain::{Chain, OPERANDS, Waiting};
use crate::kernels::elementwise::{Formula, Link, Operand};
use cotangent_base::{DType, Lane, Layout, Map, Shape, Update};
use std::any::TypeId;
use std::path::Path;

fn text(rank: usize, outputs: &[DType], inputs: &[DType], body: impl FnOnce(Body) -> Vec<Arg>) -> String {
    let graph = elementwise(rank, outputs, inputs, body);
    let slots = 1 + rank + (outputs.len() + inputs.len()) * (1 + rank) + graph.constants().len();
    ptx(&graph, slots)
}

/// Fails unless the text is that of the file; `COTANGENT_WRITE=1` writes it, to be read again.
fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emit/snapshots").join(name);
    if std::env::var_os("COTANGENT_WRITE").is_some() {
        std::fs::write(&path, text).expect("the snapshot can be written");
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{} is out of date", path.display());
}

fn sym<T: Real>(x: Arg) -> Sym<T> {
    match x {
        Arg::Value(id) => Sym::new(id),
        _ => unreachable!("an element is a value"),
    }
}

/// `max(x, 0)·slope`: a number of the formula, a comparison, a choice.
#[derive(Clone, Copy)]
struct Ramp(f64);
impl Map<1> for Ramp {
    fn eval<L: Lane>(self, [x]: [L; 1]) -> L {
        x.max(L::zero()) * L::splat(self.0)
    }
}

#[test]
fn a_strided_map_reads_its_strides_and_numbers_from_its_parameters() {
    let text = text(2, &[DType::F32], &[DType::F32], |body| vec![Ramp(0.5).eval([sym::<f32>(body.x[0])]).arg()]);
    assert_snapshot("ramp.ptx", &text);
}

#[test]
fn the_numbers_of_a_formula_do_not_change_its_text() {
    let graph = |slope| {
        elementwise(1, &[DType::F32], &[DType::F32], |body| vec![Ramp(slope).eval([sym::<f32>(body.x[0])]).arg()])
    };
    let (a, b) = (graph(0.5), graph(0.25));
    assert_eq!(a.fingerprint(), b.fingerprint());
    assert_eq!((a.constants(), b.constants()), (&[0.5_f32.to_bits() as u64][..], &[0.25_f32.to_bits() as u64][..]));
}

#[test]
fn a_function_has_its_constants_in_its_text() {
    let text = text(1, &[DType::F64], &[DType::F64], |body| vec![sym::<f64>(body.x[0]).exp().arg()]);
    assert_snapshot("exp_f64.ptx", &text);
}

#[test]
fn nothing_is_emitted_that_the_result_does_not_need() {
    let unused = text(1, &[DType::F32], &[DType::F32, DType::F32], |body| {
        let _ = sym::<f32>(body.x[1]).tanh();
        vec![body.x[0]]
    });
    assert_eq!(unused.matches("ld.global").count(), 1, "{unused}");
    assert!(!unused.contains("fma"), "{unused}");
}

#[test]
fn nothing_is_approximate_or_left_to_be_fused() {
    let text = text(1, &[DType::F32], &[DType::F32, DType::F32], |body| {
        let (a, b) = (sym::<f32>(body.x[0]), sym::<f32>(body.x[1]));
        vec![(a.powf(b) + a.sin() * b.erf() / a.sqrt() - b.exp_m1()).arg()]
    });
    assert!(!text.contains("approx") && !text.contains("ftz"));
    for op in ["add", "sub", "mul", "div", "fma"] {
        for ty in ["f32", "f64"] {
            assert!(!text.contains(&format!("\t{op}.{ty}")), "{op}.{ty} has no rounding");
        }
    }
}

#[test]
fn axes_merge_where_every_operand_allows_it() {
    let x = Layout::contiguous(Shape::from([2, 3, 4]));
    let row = Layout::contiguous(Shape::from([4])).expand(x.shape).unwrap();
    assert_eq!(Plan::new(&[x, x]).sizes, [24]);
    let plan = Plan::new(&[x, row]);
    assert_eq!((plan.sizes, &plan.operands[1]), (vec![6, 4], &(0, vec![0, 1])));
    assert_eq!(Plan::new(&[x, x.permute(&[0, 1, 2]).slice(1, 2, 3, -1)]).sizes, [2, 3, 4]);
    let scalar = Layout::contiguous(Shape::SCALAR);
    assert_eq!((Plan::new(&[scalar]).sizes, Plan::new(&[scalar]).count), (vec![1], 1));
}

/// `p − 0.5·g + s`, and `s` as it was.
#[derive(Clone, Copy)]
struct Descend;
impl Update<1> for Descend {
    fn step<L: Lane>(self, p: L, g: L, [s]: [L; 1]) -> (L, [L; 1]) {
        (p - L::splat(0.5) * g + s, [s])
    }
}

fn descend(tensors: usize, live: bool) -> String {
    let frame = Table::for_tensors(tensors, 3);
    let graph = table(frame, 2, DType::F32, live, |x| {
        let (p, [s]) = Descend.step(sym::<f32>(x[0]), sym(x[2]), [sym(x[1])]);
        vec![p.arg(), s.arg()]
    });
    ptx(&graph, frame.slots() + graph.constant_slots())
}

#[test]
fn a_rule_finds_its_tensor_in_a_table_among_the_parameters() {
    assert_snapshot("update.ptx", &descend(8, false));
}

#[test]
fn the_numbers_of_a_recorded_rule_are_in_memory() {
    assert_snapshot("update_live.ptx", &descend(9, true));
}

#[test]
fn words_go_from_the_parameters_to_memory() {
    assert_snapshot("words.ptx", &ptx(&store_words(), 2 + WORDS));
}

/// `y = f(x)` in f32 on operands of shape `[4, 6]`.
fn link(y: Operand, x: &[Operand], f: impl Fn(&[Sym<f32>]) -> Sym<f32> + 'static) -> Link {
    let formula: Formula = Box::new(move |body| vec![f(&body.x.iter().map(|&x| sym(x)).collect::<Vec<_>>()).arg()]);
    let name = (TypeId::of::<()>(), "test");
    Link { name, variant: 0, keep: false, outputs: vec![y], inputs: x.to_vec(), formula }
}

#[test]
fn a_chain_keeps_in_registers_what_nobody_holds() {
    let shape = Shape::from([4, 6]);
    let whole = |block| Operand { block, dtype: DType::F32, layout: Layout::contiguous(shape) };
    let row = |block| Operand { layout: Layout::new(shape, &[0, 1], 0), ..whole(block) };
    let [x, w, b, product, sum, y] = [whole(1), row(2), row(3), whole(4), whole(5), whole(6)];
    let mut waiting = Waiting::default();
    let links = [
        link(product, &[x, w], |x| x[0] * x[1]),
        link(sum, &[product, b], |x| x[0] + x[1]),
        link(y, &[sum], |x| x[0].max(Lane::zero()) * Lane::splat(0.5)),
    ];
    for link in links {
        assert!(waiting.push(link).is_empty());
    }
    waiting.give_up(product.block);
    let chain = waiting.take_all().remove(0).joined().expect("y is held");
    assert_eq!((&chain.outputs, &chain.inputs), (&vec![sum, y], &vec![x, w, b]));
    let graph = chain.graph(2);
    assert_snapshot("chain.ptx", &ptx(&graph, 3 + 5 * 3 + graph.constants().len()));
}

#[test]
fn a_chain_never_outgrows_a_kernels_parameters() {
    let whole = |block| Operand { block, dtype: DType::F32, layout: Layout::contiguous(Shape::from([2, 3, 4])) };
    // no two axes of its operands are one
    let folded = |block| Operand { layout: Layout::new(Shape::from([2, 3, 4]), &[1, 2, 30], 0), ..whole(block) };
    for numbers in [1, 40] {
        let formula = move |x: &[Sym<f32>]| (0..numbers).fold(x[0], |sum, i| sum * x[1] + Lane::splat(f64::from(i)));
        let mut waiting = Waiting::default();
        let mut chains = Vec::new();
        for i in 1..200 {
            chains.extend(waiting.push(link(whole(i + 1), &[whole(i), folded(1000 + i)], formula)));
            waiting.give_up(i);
        }
        chains.extend(waiting.take_all());
        assert!(chains.len() < 40, "{} chains", chains.len());
        for chain in chains.into_iter().filter_map(Chain::joined) {
            let (graph, operands) = (chain.graph(3), chain.operands().count());
            let slots = 1 + 3 + operands * (1 + 3) + graph.constants().len();
            assert!(8 * slots <= 4096 && operands <= OPERANDS, "{slots} slots, {operands} operands");
        }
    }
}
