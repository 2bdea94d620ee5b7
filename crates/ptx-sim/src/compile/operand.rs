//! Operands to registers. Immediates, addresses of variables and special registers are registers that are filled
//! before the first instruction.

use super::{Compiler, Symbol};
use crate::PtxError;
use crate::ins::{FALSE, Reg, TRUE};
use crate::kernel::{Prefill, Special};
use crate::parse::Operand;
use crate::types::{Class, Space, Type};

/// An address: a register, and what is added to it.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    pub base: Reg,
    pub offset: i64,
    /// The space that the name of a variable implies.
    pub symbol: Option<Symbol>,
}

impl<'a> Compiler<'_, 'a> {
    /// A register that nobody else has.
    pub(super) fn fresh(&mut self, class: Class) -> Reg {
        let next = self.registers.get_mut(&class).expect("every class is there");
        *next += 1;
        Reg { class, index: *next - 1 }
    }

    /// A declared register of the given class.
    pub(super) fn register(&mut self, name: &'a str, class: Class) -> Result<Reg, PtxError> {
        let found = self.frame.register(name).ok_or_else(|| self.error(format!("{name} is not declared")))?;
        if found.class != class {
            return Err(self.error(format!("{name} is a {:?} register, a {class:?} one is needed", found.class)));
        }
        self.names.entry(found).or_insert_with(|| name.to_owned());
        Ok(found)
    }

    /// A register that is filled beforehand.
    pub(super) fn prefilled(&mut self, class: Class, value: Prefill) -> Reg {
        if let Some(&found) = self.prefilled.get(&(class, value)) {
            return found;
        }
        let register = self.fresh(class);
        self.prefilled.insert((class, value), register);
        register
    }

    /// A number as a register.
    pub(super) fn constant(&mut self, class: Class, bits: u64) -> Reg {
        match class {
            Class::Predicate => Reg { class, index: if bits != 0 { TRUE } else { FALSE }.into() },
            Class::Word => self.prefilled(class, Prefill::Bits(bits & u64::from(u32::MAX))),
            Class::Wide => self.prefilled(class, Prefill::Bits(bits)),
        }
    }

    /// The operand to be read as `ty`.
    pub(super) fn source(&mut self, operand: &Operand<'a>, ty: Type) -> Result<Reg, PtxError> {
        let class = ty.class();
        match operand {
            Operand::Number(number) => Ok(self.constant(class, number.bits(ty == Type::F64))),
            Operand::Name(name) if self.frame.register(name).is_some() => self.register(name, class),
            Operand::Name("WARP_SZ") => Ok(self.constant(class, 32)),
            Operand::Name(name) => match Special::named(name) {
                Some(special) if class == Class::Word => Ok(self.prefilled(class, Prefill::Special(special))),
                _ => self.address_of(name, 0, class),
            },
            Operand::Offset(name, offset) => self.address_of(name, *offset, class),
            _ => Err(self.error(format!("{operand:?} is no operand of type {ty:?}"))),
        }
    }

    /// The operands, each to be read as `ty`.
    pub(super) fn sources(&mut self, operands: &[Operand<'a>], ty: Type) -> Result<Vec<Reg>, PtxError> {
        operands.iter().map(|operand| self.source(operand, ty)).collect()
    }

    /// The register to be written with a `ty`; `_` takes what nobody wants.
    pub(super) fn target(&mut self, operand: &Operand<'a>, ty: Type) -> Result<Reg, PtxError> {
        match operand {
            Operand::Name("_") => Ok(self.fresh(ty.class())),
            Operand::Name(name) => self.register(name, ty.class()),
            _ => Err(self.error(format!("{operand:?} cannot be written"))),
        }
    }

    /// A predicate and whether it is negated.
    pub(super) fn predicate(&mut self, operand: &Operand<'a>) -> Result<(Reg, bool), PtxError> {
        match operand {
            Operand::Not(name) => Ok((self.register(name, Class::Predicate)?, true)),
            _ => Ok((self.source(operand, Type::Pred)?, false)),
        }
    }

    /// `{a, b}` as its members, anything else as itself.
    pub(super) fn members<'o>(&self, operand: &'o Operand<'a>) -> &'o [Operand<'a>] {
        match operand {
            Operand::Vector(members) => members,
            _ => std::slice::from_ref(operand),
        }
    }

    /// What a variable's name stands for.
    pub(super) fn symbol(&mut self, name: &'a str) -> Result<Symbol, PtxError> {
        if let Some(symbol) = self.frame.symbol(name) {
            return Ok(symbol);
        }
        if let Some(&address) = self.shared.globals.get(name) {
            return Ok(Symbol::Global(address));
        }
        let Some(&variable) = self.shared.shared.get(name) else {
            return Err(self.error(format!("{name} is not declared")));
        };
        if let Some(&place) = self.shared_places.get(name) {
            return Ok(Symbol::Shared(place));
        }
        let symbol = self.place_shared(variable);
        if let Symbol::Shared(place) = symbol {
            self.shared_places.insert(name, place);
        }
        Ok(symbol)
    }

    fn address_of(&mut self, name: &'a str, offset: i64, class: Class) -> Result<Reg, PtxError> {
        let symbol = self.symbol(name)?;
        Ok(self.place_of(symbol, offset, class))
    }

    fn place_of(&mut self, symbol: Symbol, offset: i64, class: Class) -> Reg {
        match symbol {
            Symbol::DynamicShared => self.prefilled(class, Prefill::Dynamic(offset as u64)),
            Symbol::Global(place)
            | Symbol::Shared(place)
            | Symbol::Local(place)
            | Symbol::Param(place)
            | Symbol::LocalParam(place) => self.constant(class, place.wrapping_add_signed(offset)),
        }
    }

    /// `[base+offset]`.
    pub(super) fn address(&mut self, operand: &Operand<'a>) -> Result<Address, PtxError> {
        let Operand::Address(base, offset) = operand else {
            return Err(self.error(format!("{operand:?} is no address")));
        };
        let (base, symbol) = match **base {
            Operand::Name(name) => match self.frame.register(name) {
                Some(register) => (self.register(name, register.class)?, None),
                None => {
                    let symbol = self.symbol(name)?;
                    (self.place_of(symbol, 0, Class::Wide), Some(symbol))
                }
            },
            Operand::Number(number) => (self.constant(Class::Wide, number.bits(false)), None),
            _ => return Err(self.error(format!("{base:?} is no address"))),
        };
        Ok(Address { base, offset: *offset, symbol })
    }

    /// The space of an access: parameters of device functions lie in local memory.
    pub(super) fn space(&self, parts: &[&str], address: &Address) -> Space {
        match (Space::of(parts), address.symbol) {
            (Space::Param, Some(Symbol::LocalParam(_))) => Space::Local,
            (space, _) => space,
        }
    }
}
