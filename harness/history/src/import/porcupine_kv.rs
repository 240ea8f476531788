//! The key-value histories of Porcupine: Jepsen's notation with a `:key` beside the `:value`.
//!
//! ```text
//! {:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}
//! {:process 1, :type :ok, :f :get, :key "4", :value "x 0 1 y"}
//! ```
//! Source: <https://github.com/anishathalye/porcupine>, `test_data/kv`.

use super::{Format, Read, contains, jepsen_edn};
use crate::value::Value;

pub const FORMAT: Format = Format {
    name: "porcupine-kv",
    doc: "Porcupine's key-value histories: Jepsen's maps in EDN with :get, :put and :append, and a \
          :key beside the :value.",
    recognises,
    read: Read::Recorded(jepsen_edn::read),
    failed_cas: None,
    initial: Value::Nil,
};

fn recognises(head: &[u8]) -> bool {
    (jepsen_edn::FORMAT.recognises)(head)
        && contains(head, ":key ")
        && [":f :get", ":f :put", ":f :append"].iter().any(|function| contains(head, function))
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn get_put_and_append_are_operations_on_a_key() {
        check(
            "kv",
            r#"{:process 0, :type :invoke, :f :append, :key "4", :value "x"}
               {:process 1, :type :invoke, :f :get, :key "4", :value nil}
               {:process 0, :type :ok, :f :append, :key "4", :value "x"}
               {:process 1, :type :ok, :f :get, :key "4", :value "x"}
               {:process 1, :type :invoke, :f :put, :key "5", :value "y"}"#,
            &[
                "0 4.append(\"x\") ok nil [0, 2]",
                "1 4.read(nil) ok \"x\" [1, 3]",
                "1 5.write(\"y\") info nil [4, never]",
            ],
        );
    }
}
