//! Labels to places, virtual registers to slots, drafts to instructions.

use super::liveness::Liveness;
use super::{Compiler, Draft};
use crate::PtxError;
use crate::count::InsClass;
use crate::ins::{Ins, MAX_REGISTERS, Op, Reg, TRUE};
use crate::kernel::{Kernel, Param, Prefill};
use crate::parse::Function;
use crate::types::Class;

impl Compiler<'_, '_> {
    /// Gives the branches of the innermost function their targets.
    pub(super) fn link(&mut self) -> Result<(), PtxError> {
        for (at, label) in std::mem::take(&mut self.frame.branches) {
            let target = self.frame.labels.get(label).copied();
            let line = self.code[at].line;
            let missing = || PtxError::syntax(line, format!("the label {label} is nowhere"));
            self.code[at].imm = target.ok_or_else(missing)? as i64;
        }
        for (table, name) in std::mem::take(&mut self.frame.pending_tables) {
            let labels = self.frame.target_lists.get(name);
            let labels = labels.ok_or_else(|| self.error(format!("the list {name} is nowhere")))?;
            let places = labels.iter().map(|label| self.frame.labels.get(label).copied()).collect::<Option<Vec<_>>>();
            self.tables[table] = places.ok_or_else(|| self.error(format!("a label of {name} is nowhere")))?;
        }
        Ok(())
    }

    /// The kernel, once all of it is read and linked.
    pub(super) fn finish(
        self,
        function: &Function<'_>,
        params: Vec<Param>,
        param_bytes: usize,
    ) -> Result<Kernel, PtxError> {
        let predicates = self.registers[&Class::Predicate];
        let words = self.registers[&Class::Word];
        let wides = self.registers[&Class::Wide];
        let dense = |register: Reg| match register.class {
            Class::Predicate => register.index as usize,
            Class::Word => (predicates + register.index) as usize,
            Class::Wide => (predicates + words + register.index) as usize,
        };
        let count = (predicates + words + wides) as usize;
        let Liveness { mut ranges, unset } = Liveness::new(&self.code, &self.tables, count, dense);
        for &register in self.prefilled.values() {
            ranges[dense(register)] = Some((0, usize::MAX));
        }
        let place = |class, count| slots((0..count).map(|index| ranges[dense(Reg { class, index })]));
        let (word_slots, word_count) = place(Class::Word, words);
        let (wide_slots, wide_count) = place(Class::Wide, wides);
        let slot = |register: Reg| match register.class {
            Class::Predicate => register.index as u16,
            Class::Word => word_slots[register.index as usize],
            Class::Wide => wide_slots[register.index as usize],
        };
        let constant = |register: usize| ranges[register] == Some((0, usize::MAX));
        let unset = unset.into_iter().filter(|&register| !constant(register)).filter_map(|register| {
            // As `dense` numbers them; a predicate that is not set is false.
            let word = (register as u32).checked_sub(predicates)?;
            Some(match word.checked_sub(words) {
                None => (Class::Word, word_slots[word as usize]),
                Some(wide) => (Class::Wide, wide_slots[wide as usize]),
            })
        });
        let unset = unset.collect();
        let dynamic_start = self.static_shared.next_multiple_of(self.dynamic_align.max(16));
        let prefill: Vec<(Class, u16, Prefill)> =
            self.prefilled.iter().map(|(&(class, value), &register)| (class, slot(register), value)).collect();
        if [word_count, wide_count, predicates as usize].iter().any(|&n| n > usize::from(u16::MAX)) {
            return Err(PtxError::syntax(function.line, "too many registers"));
        }
        let sums = self.sums.iter().map(|list| list.iter().map(|&register| slot(register)).collect()).collect();
        Ok(Kernel {
            sums,
            touching: self.touching(),
            name: function.name.to_owned(),
            params,
            param_bytes,
            static_shared: self.static_shared,
            local_bytes: self.local_bytes,
            max_threads: function.max_threads,
            exact_threads: function.exact_threads,
            max_registers: function.max_registers,
            undefined: self.undefined(),
            code: self.code.iter().map(|draft| instruction(draft, slot)).collect(),
            words: word_count,
            wides: wide_count,
            predicates: predicates as usize,
            prefill,
            unset,
            tables: self.tables,
            dynamic_start,
            granule: self.granule,
            source: self.shared.source.clone(),
        })
    }

    /// Declared registers that are read although nothing writes them.
    fn undefined(&self) -> Vec<(String, u32)> {
        let written: std::collections::HashSet<Reg> =
            self.code.iter().flat_map(|draft| draft.writes.iter().copied()).collect();
        let reads = self.code.iter().flat_map(|draft| {
            let guard = draft.guard.map(|(register, _)| register);
            draft.reads.iter().copied().chain(guard).map(|register| (register, draft.line))
        });
        let unwritten = reads.filter(|(register, _)| !written.contains(register));
        // Constants and special registers have no name.
        let mut list: Vec<_> =
            unwritten.filter_map(|(register, line)| Some((self.names.get(&register)?.clone(), line))).collect();
        list.dedup();
        list
    }
}

/// Gives each range a slot so that ranges which overlap have different ones; the slots, and how many there are.
fn slots(ranges: impl Iterator<Item = Option<(usize, usize)>>) -> (Vec<u16>, usize) {
    let ranges: Vec<_> = ranges.collect();
    let mut order: Vec<(usize, usize, usize)> =
        ranges.iter().enumerate().filter_map(|(i, range)| range.map(|(first, last)| (first, last, i))).collect();
    order.sort_unstable();
    let (mut slots, mut ends) = (vec![0u16; ranges.len()], Vec::<usize>::new());
    for (first, last, register) in order {
        let free = ends.iter().position(|&end| end < first);
        let slot = free.unwrap_or_else(|| {
            ends.push(0);
            ends.len() - 1
        });
        ends[slot] = last;
        slots[register] = slot as u16;
    }
    (slots, ends.len())
}

fn instruction(draft: &Draft, slot: impl Fn(Reg) -> u16) -> Ins {
    let mut regs = [0; MAX_REGISTERS];
    // the sums of a product of four warps are in a list of the kernel
    let writes = if matches!(draft.op, Op::Wgmma(_)) { &[] } else { &draft.writes[..] };
    for (place, &register) in regs.iter_mut().zip(writes.iter().chain(&draft.reads)) {
        *place = slot(register);
    }
    let (guard, flip) = match draft.guard {
        Some((register, negated)) => (slot(register), if negated { u32::MAX } else { 0 }),
        None => (TRUE, 0),
    };
    Ins { op: draft.op, guard, flip, class: InsClass::of(&draft.op), line: draft.line, imm: draft.imm, regs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_ranges_get_different_slots() {
        let (slots, count) = slots([Some((0, 4)), Some((2, 6)), None, Some((5, 9)), Some((0, usize::MAX))].into_iter());
        assert_eq!(count, 3);
        assert_eq!(slots[0], slots[3]);
        assert!(slots[0] != slots[1] && slots[1] != slots[4] && slots[0] != slots[4]);
    }
}
