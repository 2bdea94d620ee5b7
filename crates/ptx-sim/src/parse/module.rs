//! Directives at the top of a text, and the heads of functions.

use super::{Function, Module, Storage, Tokens};
use crate::PtxError;

impl<'a> Module<'a> {
    /// Reads a whole text.
    pub fn parse(text: &'a str) -> Result<Self, PtxError> {
        let mut tokens = Tokens::new(text)?;
        let mut module = Module::default();
        while !tokens.is_empty() {
            module.directive(&mut tokens)?;
        }
        Ok(module)
    }

    fn directive(&mut self, tokens: &mut Tokens<'a>) -> Result<(), PtxError> {
        match tokens.peek() {
            ".version" => {
                tokens.next()?;
                let text = tokens.word()?;
                let numbers = text.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                self.version = numbers.ok_or_else(|| tokens.error(format!("`{text}` is no version")))?;
            }
            ".target" => {
                tokens.next()?;
                self.target = tokens.word()?;
                while tokens.eat(",") {
                    tokens.word()?;
                }
            }
            ".address_size" => {
                tokens.next()?;
                if tokens.word()? != "64" {
                    return Err(tokens.error("only 64-bit addresses are played"));
                }
            }
            ".visible" | ".extern" | ".weak" | ".common" => {
                tokens.next()?;
            }
            ".entry" | ".func" => self.functions.push(function(tokens)?),
            ".section" => {
                while tokens.next()? != "{" {}
                tokens.skip_block("{", "}")?;
            }
            ".pragma" | ".alias" => while tokens.next()? != ";" {},
            ";" => {
                tokens.next()?;
            }
            ".global" | ".const" | ".shared" => {
                let variable = tokens.variable(Storage::Global)?;
                tokens.expect(";")?;
                self.variables.push(variable);
            }
            other => return Err(tokens.error(format!("`{other}` is not played here"))),
        }
        Ok(())
    }
}

/// `.entry name (parameters) .maxntid 256, 1, 1 { … }`, or `.func (result) name (parameters) { … }`.
fn function<'a>(tokens: &mut Tokens<'a>) -> Result<Function<'a>, PtxError> {
    let line = tokens.line();
    let is_kernel = tokens.next()? == ".entry";
    let returns = if tokens.peek() == "(" { tokens.parameters()? } else { Vec::new() };
    let name = tokens.word()?;
    let params = if tokens.peek() == "(" { tokens.parameters()? } else { Vec::new() };
    let mut function = Function {
        name,
        is_kernel,
        returns,
        params,
        max_threads: None,
        exact_threads: false,
        max_registers: None,
        body: None,
        line,
    };
    loop {
        match tokens.next()? {
            "{" => {
                function.body = Some(tokens.body()?);
                return Ok(function);
            }
            ";" => return Ok(function),
            head @ (".maxntid" | ".reqntid") => {
                function.max_threads = Some(numbers(tokens)?.iter().product());
                function.exact_threads = head == ".reqntid";
            }
            ".maxnreg" => function.max_registers = Some(number(tokens)?),
            ".minnctapersm" | ".maxnctapersm" => {
                number(tokens)?;
            }
            ".noreturn" => {}
            ".pragma" => while tokens.next()? != ";" {},
            other => return Err(tokens.error(format!("`{other}` is not played at a function's head"))),
        }
    }
}

fn number(tokens: &mut Tokens<'_>) -> Result<u32, PtxError> {
    let text = tokens.word()?;
    text.parse().map_err(|_| tokens.error(format!("`{text}` is no number")))
}

fn numbers(tokens: &mut Tokens<'_>) -> Result<Vec<u32>, PtxError> {
    let mut list = vec![number(tokens)?];
    while tokens.eat(",") {
        list.push(number(tokens)?);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let text = ".version 7.0\n.target sm_80, debug\n.address_size 64\n.global .align 4 .b8 t[3] = {1, 2, 3};\n\
                    .extern .shared .align 16 .b8 dynamic[];\n.func (.param .b32 r) f (.param .b32 a, .param .b64 b);\n\
                    .visible .entry k(.param .u64 p, .param .align 8 .b8 q[24])\n.maxntid 16, 8, 1\n.minnctapersm 2\n\
                    {\nret;\n}";
        let module = Module::parse(text).unwrap();
        assert_eq!((module.version, module.target), ((7, 0), "sm_80"));
        let variables: Vec<_> = module.variables.iter().map(|v| (v.name, v.count, v.initial.len(), v.align)).collect();
        assert_eq!(variables, [("t", Some(3), 3, 4), ("dynamic", None, 0, 16)]);
        let [f, k] = &module.functions[..] else { panic!("two functions") };
        assert!(!f.is_kernel && f.body.is_none() && f.params.len() == 2 && f.returns.len() == 1);
        assert!(k.is_kernel && k.max_threads == Some(128) && !k.exact_threads && k.line == 7);
        assert_eq!(k.params.iter().map(|p| p.bytes()).collect::<Vec<_>>(), [8, 24]);
    }

    #[test]
    fn errors_name_the_line() {
        let error = Module::parse(".version 7.0\n\n.frobnicate x;").unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.to_string().contains(".frobnicate"), "{error}");
        assert_eq!(Module::parse(".version 7.0\n.entry k() { ret;").unwrap_err().message, "the text ends too early");
    }
}
