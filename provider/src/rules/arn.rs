//! ARNs that inputs name.

use crate::value::UNKNOWN;

/// Whether a text is the ARN of something of a service, whose name begins with `resource`; or not known yet.
pub(super) fn is_arn(text: &str, service: &str, resource: &str) -> bool {
    if text.contains(UNKNOWN) {
        return true;
    }
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    matches!(parts.as_slice(), ["arn", partition, of, region, account, what]
        if partition.starts_with("aws")
            && *of == service
            && region.is_empty() == (service == "iam")
            && is_account(account)
            && what.strip_prefix(resource).is_some_and(|name| !name.is_empty()))
}
