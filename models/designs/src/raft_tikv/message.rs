//! The library's messages as they travel between our nodes.

use std::fmt;

use ::raft::eraftpb::Message;
use protobuf::Message as _;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A message of the library, whatever it says.
#[derive(Clone)]
pub struct Rpc(pub Message);

impl fmt::Debug for Rpc {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.0;
        write!(formatter, "{:?} {{ term: {}", message.get_msg_type(), message.term)?;
        if message.index > 0 || !message.entries.is_empty() {
            write!(formatter, ", index: {}", message.index)?;
        }
        if !message.entries.is_empty() {
            write!(formatter, ", entries: {}", message.entries.len())?;
        }
        if message.reject {
            write!(formatter, ", reject")?;
        }
        write!(formatter, " }}")
    }
}

impl Serialize for Rpc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&bytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for Rpc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        Message::parse_from_bytes(&bytes).map(Self).map_err(D::Error::custom)
    }
}

/// A message, an entry or a snapshot in the library's own form.
pub(super) fn bytes(message: &impl protobuf::Message) -> Vec<u8> {
    message.write_to_bytes().expect("what is in memory can be written")
}
