//! IAM policy documents as text that can be compared.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A policy document in one fixed form: keys sorted, lists of texts sorted, a list of one as the one.
///
/// AWS gives some policies back in another order or with single texts in lists; in this form equal policies are equal
/// texts. What is no JSON stays as it is, and equals nothing of ours.
pub fn canonical(text: &str) -> String {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => sorted(json).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Each statement of a policy, in canonical form.
pub fn statements(text: &str) -> Vec<String> {
    let policy: Json = serde_json::from_str(&canonical(text)).unwrap_or_default();
    match &policy["Statement"] {
        Json::Array(all) => all.iter().map(Json::to_string).collect(),
        Json::Null => Vec::new(),
        one => vec![one.to_string()],
    }
}

/// The texts of a policy that its author chose: who is named, and what conditions compare with. AWS quotes them one by
/// one. Short ones, such as `*` or `true`, tell nothing.
pub fn words(text: &str) -> Vec<String> {
    let policy: Json = serde_json::from_str(text).unwrap_or_default();
    let mut words = Vec::new();
    collect(&policy, false, &mut words);
    words
}

fn collect(json: &Json, chosen: bool, words: &mut Vec<String>) {
    match json {
        Json::String(text) if chosen && text.len() > "false".len() => words.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, chosen, words)),
        Json::Object(map) => {
            for (key, value) in map {
                collect(value, chosen || matches!(key.as_str(), "Principal" | "NotPrincipal" | "Condition"), words);
            }
        }
        _ => {}
    }
}

/// Text as IAM gives policies back: percent-encoded.
pub fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let map: BTreeMap<String, Json> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Json::Object(map.into_iter().collect())
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.into_iter().map(sorted).collect();
            if items.len() == 1 {
                return items.remove(0);
            }
            if items.iter().all(Json::is_string) {
                items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            }
            Json::Array(items)
        }
        // `"false"` and `false` mean the same in a condition.
        Json::Bool(value) => Json::String(value.to_string()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{canonical, words};

    #[test]
    fn equal_policies_are_equal_texts() {
        let ours =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":["b","a"]}]}"#;
        let theirs =
            r#"{"Statement":{"Resource":["a","b"],"Action":["s3:GetObject"],"Effect":"Allow"},"Version":"2012-10-17"}"#;
        assert_eq!(canonical(ours), canonical(theirs));
        assert_ne!(canonical(ours), canonical(&theirs.replace("Allow", "Deny")));
        assert_eq!(canonical(&canonical(ours)), canonical(ours));
        assert_eq!(canonical("no json"), "no json");
    }

    #[test]
    fn the_words_of_a_policy_are_what_its_author_chose() {
        let policy = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["*","123456789012"]},
            "Action":"execute-api:Invoke","Condition":{"StringEquals":{"aws:Referer":"hunter2","x":"true"}}}]}"#;
        assert_eq!(words(policy), ["123456789012", "hunter2"]);
        assert_eq!(words("no json"), [""; 0]);
    }
}
