//! The statements of a function's body.

use super::{Instruction, Operand, Statement, StatementKind, Storage, Tokens};
use crate::PtxError;

impl<'a> Tokens<'a> {
    /// Everything up to the brace that closes the body, whose opening one is taken.
    pub fn body(&mut self) -> Result<Vec<Statement<'a>>, PtxError> {
        let (mut statements, mut depth) = (Vec::new(), 0);
        loop {
            let line = self.line();
            let kind = match self.peek() {
                "}" if depth == 0 => {
                    self.next()?;
                    return Ok(statements);
                }
                ";" => {
                    self.next()?;
                    continue;
                }
                _ => self.statement()?,
            };
            match kind {
                Some(StatementKind::Open) => depth += 1,
                Some(StatementKind::Close) => depth -= 1,
                _ => {}
            }
            statements.extend(kind.map(|kind| Statement { line, kind }));
        }
    }

    /// One statement; `None` if it says nothing about what is computed.
    fn statement(&mut self) -> Result<Option<StatementKind<'a>>, PtxError> {
        let first = self.peek();
        if self.peek_second() == ":" {
            let label = self.next()?;
            self.next()?;
            return Ok(Some(self.labelled(label)?));
        }
        let kind = match first {
            "{" | "}" => {
                self.next()?;
                return Ok(Some(if first == "{" { StatementKind::Open } else { StatementKind::Close }));
            }
            ".pragma" => {
                while self.next()? != ";" {}
                return Ok(None);
            }
            ".reg" => {
                self.next()?;
                self.registers()?
            }
            ".local" | ".shared" | ".param" | ".global" | ".const" => {
                StatementKind::Variable(self.variable(Storage::Local)?)
            }
            _ => StatementKind::Instruction(self.instruction()?),
        };
        self.expect(";")?;
        Ok(Some(kind))
    }

    fn labelled(&mut self, label: &'a str) -> Result<StatementKind<'a>, PtxError> {
        if !self.eat(".branchtargets") {
            return Ok(StatementKind::Label(label));
        }
        let mut targets = vec![self.word()?];
        while self.eat(",") {
            targets.push(self.word()?);
        }
        self.expect(";")?;
        Ok(StatementKind::Targets(label, targets))
    }

    fn instruction(&mut self) -> Result<Instruction<'a>, PtxError> {
        let mut guard = None;
        if self.eat("@") {
            let negated = self.eat("!");
            guard = Some((self.word()?, negated));
        }
        let parts = self.word()?.split('.').collect();
        let mut operands = Vec::new();
        while self.peek() != ";" {
            operands.push(self.operand()?);
            if !self.eat(",") {
                break;
            }
        }
        Ok(Instruction { guard, parts, operands })
    }

    fn operand(&mut self) -> Result<Operand<'a>, PtxError> {
        match self.peek() {
            "{" => Ok(Operand::Vector(self.list("}")?)),
            "(" => Ok(Operand::List(self.list(")")?)),
            "[" => {
                self.next()?;
                let base = match self.operand()? {
                    Operand::Offset(name, offset) => Operand::Address(Box::new(Operand::Name(name)), offset),
                    base => Operand::Address(Box::new(base), 0),
                };
                self.expect("]")?;
                Ok(base)
            }
            "!" => {
                self.next()?;
                Ok(Operand::Not(self.word()?))
            }
            _ => match self.try_number()? {
                Some(number) => Ok(Operand::Number(number)),
                None => self.named(),
            },
        }
    }

    /// `name`, `name|name` or `name+offset`.
    fn named(&mut self) -> Result<Operand<'a>, PtxError> {
        let name = self.word()?;
        if self.eat("|") {
            return Ok(Operand::Pair(name, self.word()?));
        }
        match self.peek() {
            "+" | "-" => Ok(Operand::Offset(name, self.offset()?)),
            _ => Ok(Operand::Name(name)),
        }
    }

    /// Operands between an opening mark and `close`.
    fn list(&mut self, close: &str) -> Result<Vec<Operand<'a>>, PtxError> {
        self.next()?;
        let mut list = Vec::new();
        while !self.eat(close) {
            list.push(self.operand()?);
            self.eat(",");
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Vec<Statement<'_>> {
        Tokens::new(text).unwrap().body().unwrap()
    }

    fn instruction(text: &str) -> String {
        let statements = body(text);
        let StatementKind::Instruction(found) = &statements[0].kind else { panic!("{text}") };
        format!("{:?} {} {:?}", found.guard, found.parts.join("."), found.operands)
    }

    #[test]
    fn operands_of_every_form() {
        let cases = [
            ("@!%p1 bra $L; }", "Some((\"%p1\", true)) bra [Name(\"$L\")]"),
            (
                "ld.v2.f32 {%f1, _}, [%rd1+-8]; }",
                "None ld.v2.f32 [Vector([Name(\"%f1\"), Name(\"_\")]), Address(Name(\"%rd1\"), -8)]",
            ),
            (
                "setp.eq.s32 %p|%q, %r, -1; }",
                &format!("None setp.eq.s32 [Pair(\"%p\", \"%q\"), Name(\"%r\"), Number(Integer({}))]", u64::MAX),
            ),
            ("mov.u64 %rd1, table+16; }", "None mov.u64 [Name(\"%rd1\"), Offset(\"table\", 16)]"),
            ("st.local.u8 [4], !%p; }", "None st.local.u8 [Address(Number(Integer(4)), 0), Not(\"%p\")]"),
            (
                "call.uni (r), f, (a, b); }",
                "None call.uni [List([Name(\"r\")]), Name(\"f\"), List([Name(\"a\"), Name(\"b\")])]",
            ),
        ];
        for (text, want) in cases {
            assert_eq!(instruction(text), want);
        }
    }

    #[test]
    fn blocks_labels_and_declarations() {
        let text = ".reg .b32 %r<5>, %x;\n{ .param .b64 p0; L: T: .branchtargets L, L; }\n.pragma \"nounroll\"; ret; }";
        let kinds: Vec<_> = body(text).iter().map(|s| format!("{}: {:?}", s.line, s.kind)).collect();
        assert_eq!(kinds.len(), 7, "{kinds:?}");
        assert_eq!(kinds[0], "1: Registers(U32, [(\"%r\", Some(5)), (\"%x\", None)])");
        assert_eq!(kinds[4], "2: Targets(\"T\", [\"L\", \"L\"])");
        assert!(kinds[6].starts_with("3: Instruction"), "{kinds:?}");
    }
}
