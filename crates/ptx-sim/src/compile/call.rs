//! Calls of device functions: the body is put in place of the call, with its parameters in local memory.

use super::scope::Frame;
use super::{Compiler, Symbol};
use crate::PtxError;
use crate::ins::Op;
use crate::parse::{Function, Instruction, Operand, Storage, Variable};

/// Calls within calls; more is a recursion.
const MAX_DEPTH: usize = 32;

impl<'a> Compiler<'_, 'a> {
    pub(super) fn call(&mut self, ins: &Instruction<'a>) -> Result<(), PtxError> {
        let none = Vec::new();
        let (results, name, arguments) = match &ins.operands[..] {
            [Operand::List(results), Operand::Name(name), Operand::List(arguments)] => (results, *name, arguments),
            [Operand::Name(name), Operand::List(arguments)] => (&none, *name, arguments),
            [Operand::List(results), Operand::Name(name)] => (results, *name, &none),
            [Operand::Name(name)] => (&none, *name, &none),
            _ => return Err(self.unsupported(ins)),
        };
        if name == "__assertfail" {
            self.emit(Op::Trap, &[], &[], 0);
            return Ok(());
        }
        let Some(&function) = self.shared.functions.get(name) else {
            return Err(self.error(format!("the function {name} is not declared")));
        };
        if self.calls.len() > MAX_DEPTH || self.calls.contains(&name) {
            return Err(self.error(format!("{name} calls itself, which is not played")));
        }
        // Lanes whose guard is false go around the whole body.
        let around = self.guard.map(|(register, negated)| {
            self.guard = Some((register, !negated));
            self.emit(Op::Branch, &[], &[], 0);
            self.guard = None;
            self.code.len() - 1
        });
        self.put_in_place(function, results, arguments)?;
        if let Some(branch) = around {
            self.code[branch].imm = self.code.len() as i64;
        }
        Ok(())
    }

    fn put_in_place(
        &mut self,
        function: &Function<'a>,
        results: &[Operand<'a>],
        arguments: &[Operand<'a>],
    ) -> Result<(), PtxError> {
        let Some(body) = &function.body else {
            return Err(self.error(format!("the function {} has no body here", function.name)));
        };
        let mut inner = Frame::default();
        self.bind(&mut inner, &function.returns, results)?;
        self.bind(&mut inner, &function.params, arguments)?;
        let (outer, line) = (std::mem::replace(&mut self.frame, inner), self.line);
        self.calls.push(function.name);
        self.body(body)?;
        self.link()?;
        let end = self.code.len() as i64;
        for branch in std::mem::take(&mut self.frame.returns) {
            self.code[branch].imm = end;
        }
        self.calls.pop();
        (self.frame, self.line, self.guard) = (outer, line, None);
        Ok(())
    }

    /// Lets the formal parameters stand for the places of the actual ones.
    fn bind(&mut self, inner: &mut Frame<'a>, formal: &[Variable<'a>], actual: &[Operand<'a>]) -> Result<(), PtxError> {
        if formal.len() != actual.len() {
            return Err(self.error(format!("{} arguments, {} wanted", actual.len(), formal.len())));
        }
        for (formal, actual) in formal.iter().zip(actual) {
            let place = match actual {
                Operand::Name(name) => self.frame.symbol(name),
                _ => None,
            };
            let (Some(Symbol::LocalParam(place)), true) = (place, formal.storage == Storage::Param) else {
                return Err(self.error("only arguments in `.param` variables are played"));
            };
            inner.symbols().insert(formal.name, Symbol::LocalParam(place));
        }
        Ok(())
    }
}
