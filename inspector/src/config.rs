//! What our TOML files have in common: sizes, and errors with their line.

use crate::size;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A size: a number of bytes, or a text such as `64K`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Size {
    Number(u64),
    Text(String),
}

/// A size in bytes.
pub fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Size::deserialize(deserializer) {
        Ok(Size::Number(number)) => Ok(number),
        Ok(Size::Text(text)) => size::parse(&text).map_err(D::Error::custom),
        Err(_) => Err(D::Error::custom("expected a size, such as 1024, \"64K\" or 0x8000")),
    }
}

/// A size that need not be there.
pub fn some_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    bytes(deserializer).map(Some)
}

/// Sizes by name.
pub fn bytes_by_name<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, u64>, D::Error> {
    #[derive(Deserialize)]
    struct Named(#[serde(deserialize_with = "bytes")] u64);

    let named = BTreeMap::<String, Named>::deserialize(deserializer)?;
    Ok(named.into_iter().map(|(name, Named(bytes))| (name, bytes)).collect())
}

/// The message of the TOML reader, on one line and with its place.
pub fn at_line(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', "; ");
    let line = error.span().map(|span| {
        let before = text.as_bytes().get(..span.start).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    });
    match line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}
