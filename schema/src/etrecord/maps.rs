//! The maps from instructions and delegates' operations to debug handles.
//!
//! JSON keys are text; instructions are numbers in it. A debug handle names a
//! node, or several, of the graph before lowering.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

/// Debug handles of an instruction or of a delegate's operation. The exporter
/// writes a number for one and a list for several; a handle may repeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handles(Vec<i64>);

impl Handles {
    /// The handles, in the exporter's order.
    pub fn as_slice(&self) -> &[i64] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Handles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum OneOrMany {
            One(i64),
            Many(Vec<i64>),
        }
        // `None` is written for an operation without a node.
        Ok(Handles(match Option::<OneOrMany>::deserialize(deserializer)? {
            None => Vec::new(),
            Some(OneOrMany::One(handle)) => vec![handle],
            Some(OneOrMany::Many(handles)) => handles,
        }))
    }
}

/// What the exporter wrote of a delegate call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Delegate {
    /// Backend, such as `XnnpackBackend`.
    #[serde(default)]
    pub name: String,
    /// Handles of the backend's own operations, if it told the exporter.
    #[serde(default, rename = "delegate_map", deserialize_with = "null_is_empty")]
    pub operations: DelegateMap,
}

/// Handles by a delegate's own name or number of an operation, in file order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DelegateMap(Vec<(String, Handles)>);

impl DelegateMap {
    /// Handles of operation `number`.
    pub fn find_number(&self, number: i32) -> Option<&Handles> {
        self.find_exactly(&number.to_string())
    }

    /// Handles of operation `name`: those of the entry of this name, or else
    /// of the last entry whose name is a part of it (backends append a counter
    /// to a node's name), as in the Inspector.
    pub fn find_name(&self, name: &str) -> Option<&Handles> {
        let part = || self.0.iter().rev().find(|(entry, _)| name.contains(entry.as_str()));
        self.find_exactly(name).or_else(|| part().map(|(_, handles)| handles))
    }

    fn find_exactly(&self, name: &str) -> Option<&Handles> {
        self.0.iter().find(|(entry, _)| entry == name).map(|(_, handles)| handles)
    }

    /// Every operation's name or number, and its handles, in file order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Handles)> {
        self.0.iter().map(|(name, handles)| (name.as_str(), handles))
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the backend told nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DelegateMap, D::Error> {
    Ok(Option::<DelegateMap>::deserialize(deserializer)?.unwrap_or_default())
}

impl<'de> Deserialize<'de> for DelegateMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries: Entries<Handles> = Entries::deserialize(deserializer)?;
        Ok(DelegateMap(entries.0))
    }
}

/// A JSON object in file order.
struct Entries<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for InOrder<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder(PhantomData))
    }
}

/// A map by method and instruction.
pub(super) type ByMethod<T> = HashMap<String, HashMap<String, T>>;

/// The three maps of an ETRecord.
#[derive(Clone, Debug, Default)]
pub(super) struct Maps {
    pub handles: ByMethod<Handles>,
    pub delegates: ByMethod<Delegate>,
    pub output_counts: ByMethod<u32>,
}
