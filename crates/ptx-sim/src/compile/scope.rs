//! Names of a function: registers and symbols by block, labels by function.

use std::collections::HashMap;

use super::Symbol;
use crate::ins::Reg;
use crate::types::Class;

/// The names that one function, put in place once, can see.
#[derive(Debug)]
pub struct Frame<'a> {
    scopes: Vec<Scope<'a>>,
    pub labels: HashMap<&'a str, usize>,
    /// Branches whose targets are not known yet: the instruction and the label.
    pub branches: Vec<(usize, &'a str)>,
    /// `.branchtargets` by name.
    pub target_lists: HashMap<&'a str, Vec<&'a str>>,
    /// Jump tables to fill: the table and the name of its list.
    pub pending_tables: Vec<(usize, &'a str)>,
    /// Branches to the end of the function, of its `ret`s.
    pub returns: Vec<usize>,
}

impl Default for Frame<'_> {
    fn default() -> Self {
        Self {
            scopes: vec![Scope::default()],
            labels: HashMap::new(),
            branches: Vec::new(),
            target_lists: HashMap::new(),
            pending_tables: Vec::new(),
            returns: Vec::new(),
        }
    }
}

#[derive(Debug, Default)]
struct Scope<'a> {
    /// `%x`, or the prefix of `%r<5>`: the class, the first register and how many there are.
    registers: HashMap<&'a str, Family>,
    symbols: HashMap<&'a str, Symbol>,
}

#[derive(Clone, Copy, Debug)]
struct Family {
    class: Class,
    first: u32,
    count: Option<u32>,
}

impl<'a> Frame<'a> {
    pub fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    pub fn close(&mut self) {
        self.scopes.pop();
    }

    pub fn symbols(&mut self) -> &mut HashMap<&'a str, Symbol> {
        &mut self.scopes.last_mut().expect("a function has a scope").symbols
    }

    pub fn declare(&mut self, name: &'a str, class: Class, first: u32, count: Option<u32>) {
        let scope = self.scopes.last_mut().expect("a function has a scope");
        scope.registers.insert(name, Family { class, first, count });
    }

    pub fn symbol(&self, name: &str) -> Option<Symbol> {
        self.scopes.iter().rev().find_map(|scope| scope.symbols.get(name).copied())
    }

    pub fn register(&self, name: &str) -> Option<Reg> {
        let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number: Option<u32> = name[prefix.len()..].parse().ok();
        self.scopes.iter().rev().find_map(|scope| {
            let alone = scope.registers.get(name).filter(|family| family.count.is_none());
            let member = || {
                let family = scope.registers.get(prefix)?;
                let number = number.filter(|&n| n < family.count.unwrap_or(0))?;
                Some(Reg { class: family.class, index: family.first + number })
            };
            alone.map(|family| Reg { class: family.class, index: family.first }).or_else(member)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_names_hide_outer_ones() {
        let mut frame = Frame::default();
        frame.declare("%r", Class::Word, 0, Some(12));
        frame.declare("%r1x", Class::Wide, 7, None);
        assert_eq!(frame.register("%r11"), Some(Reg { class: Class::Word, index: 11 }));
        assert_eq!(frame.register("%r12"), None);
        assert_eq!(frame.register("%r1x"), Some(Reg { class: Class::Wide, index: 7 }));
        frame.open();
        frame.declare("%r", Class::Predicate, 40, Some(2));
        assert_eq!(frame.register("%r1"), Some(Reg { class: Class::Predicate, index: 41 }));
        assert_eq!(frame.register("%r5"), Some(Reg { class: Class::Word, index: 5 }));
        frame.close();
        assert_eq!(frame.register("%r1"), Some(Reg { class: Class::Word, index: 1 }));
    }
}
