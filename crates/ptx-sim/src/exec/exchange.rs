//! What lanes tell each other: shuffles, votes, matches and sums.

use super::Checked;
use super::block::Block;
use super::lane::{File, Wides, Words, lanes_of};
use super::step::Presence;
use super::warp::Warp;
use crate::fault::FaultKind;
use crate::ins::{AtomicOp, Ins, Shuffle, Vote};
use crate::types::{Class, Type};

impl Block<'_> {
    /// Whether all lanes are here that the mask in register `at` names. Where some are elsewhere, the warp's running
    /// lanes are set aside until those come.
    pub fn together(&self, warp: &mut Warp, ins: &Ins, active: u32, at: usize) -> Checked<Presence> {
        let masks: Words = *warp.read(ins.regs[at]);
        for lane in lanes_of(active) {
            let mask = masks[lane];
            let thread = Some((warp.id, lane));
            if mask >> lane & 1 == 0 {
                let message = format!("lane {lane} is not in its own mask {mask:#x}");
                return Err(self.fault(FaultKind::Divergence, ins, thread, message));
            }
            let missing = mask & warp.live & !active;
            if missing & warp.mask != 0 {
                let message = format!("lanes {:#x} of the mask {mask:#x} skip it", missing & warp.mask);
                return Err(self.fault(FaultKind::Divergence, ins, thread, message));
            }
            if missing != 0 {
                warp.park(warp.pc - 1);
                return Ok(Presence::Wait);
            }
        }
        Ok(Presence::All)
    }

    /// All 32 lanes, for operations that have no mask. As [`together`](Self::together).
    pub fn whole_warp(&self, warp: &mut Warp, ins: &Ins, active: u32) -> Checked<Presence> {
        if active == u32::MAX {
            return Ok(Presence::All);
        }
        if warp.live != u32::MAX || active != warp.mask {
            let lane = active.trailing_zeros() as usize;
            let message = format!("needs the whole warp; lanes {active:#x} are here");
            return Err(self.fault(FaultKind::Divergence, ins, Some((warp.id, lane)), message));
        }
        warp.park(warp.pc - 1);
        Ok(Presence::Wait)
    }

    pub fn shuffle(&mut self, warp: &mut Warp, ins: &Ins, active: u32, mode: Shuffle) -> Checked {
        if let Presence::Wait = self.together(warp, ins, active, 5)? {
            return Ok(());
        }
        let (a, b, c): (&Words, &Words, &Words) =
            (warp.read(ins.regs[2]), warp.read(ins.regs[3]), warp.read(ins.regs[4]));
        let masks: &Words = warp.read(ins.regs[5]);
        let mut inside = 0;
        let mut stranger = None;
        let result = std::array::from_fn(|l| {
            let (lane, distance) = (l as i32, (b[l] & 31) as i32);
            let (segment, clamp) = ((c[l] >> 8 & 31) as i32, (c[l] & 31) as i32);
            let first = lane & segment;
            let last = first | clamp & !segment;
            let (source, ok) = match mode {
                Shuffle::Up => (lane - distance, lane - distance >= last),
                Shuffle::Down => (lane + distance, lane + distance <= last),
                Shuffle::Butterfly => (lane ^ distance, lane ^ distance <= last),
                Shuffle::Index => (first | distance & !segment, first | distance & !segment <= last),
            };
            let source = if ok { source } else { lane };
            inside |= u32::from(ok) << l;
            if active >> l & 1 == 1 && masks[l] >> source & 1 == 0 {
                stranger = Some((l, source));
            }
            a[source as usize]
        });
        if let Some((lane, source)) = stranger {
            let message = format!("lane {lane} reads lane {source}, which its mask does not name");
            return Err(self.fault(FaultKind::Divergence, ins, Some((warp.id, lane)), message));
        }
        if let Some((lane, source)) = self.reads_of_absent(active, inside, mode, (b, c)) {
            let message = format!("lane {lane} reads lane {source}, which does not take part");
            return Err(self.fault(FaultKind::Divergence, ins, Some((warp.id, lane)), message));
        }
        warp.put(ins.regs[0], result, active);
        warp.put_predicate(ins.regs[1], inside, active);
        Ok(())
    }

    /// A lane that reads one which has exited.
    fn reads_of_absent(
        &self,
        active: u32,
        inside: u32,
        mode: Shuffle,
        (b, c): (&Words, &Words),
    ) -> Option<(usize, usize)> {
        if active == u32::MAX {
            return None;
        }
        lanes_of(active & inside).find_map(|lane| {
            let (distance, segment) = (b[lane] as usize & 31, c[lane] as usize >> 8 & 31);
            let source = match mode {
                Shuffle::Up => lane.wrapping_sub(distance),
                Shuffle::Down => lane + distance,
                Shuffle::Butterfly => lane ^ distance,
                Shuffle::Index => lane & segment | distance & !segment,
            } & 31;
            (active >> source & 1 == 0).then_some((lane, source))
        })
    }

    pub fn vote(&mut self, warp: &mut Warp, ins: &Ins, active: u32, vote: Vote, negate: bool) -> Checked {
        if let Presence::Wait = self.together(warp, ins, active, 2)? {
            return Ok(());
        }
        let holds = warp.predicate(ins.regs[1], negate) & active;
        let masks: Words = *warp.read(ins.regs[2]);
        if vote == Vote::Ballot {
            warp.put(ins.regs[0], masks.map(|mask| holds & mask), active);
            return Ok(());
        }
        let verdict = |lane: usize| {
            let group = masks[lane] & active;
            match vote {
                Vote::All => holds & group == group,
                Vote::Any => holds & group != 0,
                _ => holds & group == group || holds & group == 0,
            }
        };
        warp.put_predicate(ins.regs[0], super::lane::mask_of(verdict), active);
        Ok(())
    }

    /// For each lane, the lanes of its mask that have the same value.
    pub fn matching(&mut self, warp: &mut Warp, ins: &Ins, active: u32, all: bool, class: Class) -> Checked {
        if let Presence::Wait = self.together(warp, ins, active, 3)? {
            return Ok(());
        }
        let values: Wides = match class {
            Class::Wide => *warp.read(ins.regs[2]),
            _ => {
                let words: &Words = warp.read(ins.regs[2]);
                words.map(u64::from)
            }
        };
        let masks: Words = *warp.read(ins.regs[3]);
        let same = |lane: usize| {
            let others = masks[lane] & active;
            lanes_of(others).filter(|&other| values[other] == values[lane]).fold(0u32, |mask, other| mask | 1 << other)
        };
        let groups: Words = std::array::from_fn(same);
        let complete = super::lane::mask_of(|lane| groups[lane] == masks[lane] & active);
        let result: Words = std::array::from_fn(|lane| if all && complete >> lane & 1 == 0 { 0 } else { groups[lane] });
        warp.put(ins.regs[0], result, active);
        warp.put_predicate(ins.regs[1], complete, active);
        Ok(())
    }

    pub fn reduce(&mut self, warp: &mut Warp, ins: &Ins, active: u32, op: AtomicOp, ty: Type) -> Checked {
        if let Presence::Wait = self.together(warp, ins, active, 2)? {
            return Ok(());
        }
        let (values, masks): (Words, Words) = (*warp.read(ins.regs[1]), *warp.read(ins.regs[2]));
        let result = std::array::from_fn(|lane| {
            let combine = |a, b| super::atomic::apply(op, ty, a, b, 0);
            let group = lanes_of(masks[lane] & active).map(|other| u64::from(values[other]));
            group.reduce(combine).unwrap_or(0) as u32
        });
        warp.put(ins.regs[0], result, active);
        Ok(())
    }

    /// Instructions that this block has run, which is what stands for time here.
    pub fn clock(&self, warp: &mut Warp, ins: &Ins, active: u32, class: Class) {
        let now = self.counts.warp_instructions();
        match class {
            Class::Wide => warp.put(ins.regs[0], [now; 32], active),
            _ => warp.put(ins.regs[0], [now as u32; 32], active),
        }
    }
}
