//! The header: for each tensor its dtype, its shape, and where its bytes are.

use std::ops::Range;

use cotangent_base::DType;
use serde_json::{Map, Value};

use crate::array::Kind;

/// The key of the texts.
pub(super) const TEXTS: &str = "__metadata__";

/// The key, among the texts, of the sum over the whole file.
pub(super) const SUM: &str = "cotangent_crc32";

/// What stands in place of the sum's eight digits while it is made.
pub(super) const NO_SUM: [u8; 8] = [b'0'; 8];

/// The key, among the texts, by which the files written here are known. They all have a sum.
pub(super) const MAKER: &str = "cotangent";

/// One tensor of the header.
pub(super) struct Entry {
    pub name: String,
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// From the first byte after the header.
    pub bytes: Range<u64>,
}

impl Entry {
    /// Reads what the header says of `name`; an error says what is wrong with it.
    pub fn parse(name: &str, value: &Value) -> Result<Self, String> {
        let field = |key: &str| value.get(key).ok_or_else(|| format!("no '{key}'"));
        let kind = field("dtype")?.as_str().ok_or("a dtype that is no text")?;
        let kind = read_dtype(kind)
            .ok_or_else(|| format!("dtype {kind}, which is none of F64 F32 F16 BF16 I64 I32 I16 I8 U32 U16 U8 BOOL"))?;
        let shape = numbers(field("shape")?).ok_or("a shape that is no list of sizes")?;
        let [start, end] = numbers(field("data_offsets")?).unwrap_or_default()[..] else {
            return Err("data offsets that are not two numbers".into());
        };
        let size = shape.iter().try_fold(kind.bytes() as u64, |size, &n| size.checked_mul(n));
        if end.checked_sub(start) != size {
            return Err(format!("bytes {start} to {end} for shape {shape:?} of {} each", kind.bytes()));
        }
        let shape = shape.into_iter().map(|n| n as usize).collect();
        Ok(Self { name: name.to_owned(), kind, shape, bytes: start..end })
    }
}

fn numbers(value: &Value) -> Option<Vec<u64>> {
    value.as_array()?.iter().map(Value::as_u64).collect()
}

fn read_dtype(name: &str) -> Option<Kind> {
    Some(match name {
        "F64" => Kind::F64,
        "F32" => Kind::F32,
        "F16" => Kind::F16,
        "BF16" => Kind::Bf16,
        "I64" => Kind::I64,
        "I32" => Kind::I32,
        "I16" => Kind::I16,
        "I8" => Kind::I8,
        "U32" => Kind::U32,
        "U16" => Kind::U16,
        "U8" => Kind::U8,
        "BOOL" => Kind::Bool,
        _ => return None,
    })
}

/// The format's name for a tensor's dtype.
pub(super) fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::F64 => "F64",
        DType::F32 => "F32",
        DType::I64 => "I64",
        DType::U32 => "U32",
        DType::U8 => "U8",
        DType::Bool => "BOOL",
    }
}

/// The tensors of a header in the order of their bytes, which must follow one another without gaps.
pub(super) fn entries(header: &Map<String, Value>) -> Result<Vec<Entry>, String> {
    let tensors = header.iter().filter(|(name, _)| *name != TEXTS);
    let parsed =
        tensors.map(|(name, value)| Entry::parse(name, value).map_err(|what| format!("{what}, for tensor '{name}'")));
    let mut entries = parsed.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| (entry.bytes.start, entry.bytes.end));
    let mut end = 0;
    for entry in &entries {
        if entry.bytes.start != end {
            return Err(format!("bytes {end} to {} out of order before tensor '{}'", entry.bytes.start, entry.name));
        }
        end = entry.bytes.end;
    }
    Ok(entries)
}

/// The texts of a header.
pub(super) fn texts(header: &Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let Some(texts) = header.get(TEXTS) else { return Ok(Vec::new()) };
    let texts = texts.as_object().ok_or("'__metadata__' that is no object")?;
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    texts.iter().map(text).collect::<Option<_>>().ok_or_else(|| "'__metadata__' that is not all text".into())
}
