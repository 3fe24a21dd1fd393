//! What inputs may say about the role.

use s3dataproxy_schema::Role;

use super::arn::is_arn;
use crate::inputs::Failure;
use crate::value::UNKNOWN;

/// A role's path has at most this many characters.
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
const LONGEST: usize = 512;

/// Checks `role`.
pub(super) fn check(role: &Role, failures: &mut Vec<Failure>) {
    let known = |value: &'_ Option<String>| value.clone().filter(|text| !text.contains(UNKNOWN));
    if let Some(arn) = &role.arn {
        if !is_arn(arn, "iam", "role/") {
            let reason =
                "`role.arn` must be the ARN of an IAM role, such as `arn:aws:iam::123456789012:role/research/data`";
            failures.push(Failure::new("role.arn", reason));
        }
        for (path, set) in [
            ("role.path", role.path.is_some()),
            ("role.permissionsBoundaryArn", role.permissions_boundary_arn.is_some()),
        ] {
            let reason =
                format!("`{path}` is for the role that is made, and `role.arn` names another: leave one of them out");
            failures.extend((set && !arn.contains(UNKNOWN)).then(|| Failure::new(path, reason)));
        }
    }
    if let Some(path) = known(&role.path)
        && !is_path(&path)
    {
        let reason = "`role.path` is a path such as `/research/`: a slash at both ends, and up to 512 printable ASCII \
                      characters without spaces";
        failures.push(Failure::new("role.path", reason));
    }
    if let Some(arn) = known(&role.permissions_boundary_arn)
        && !is_policy(&arn)
    {
        let reason = "`role.permissionsBoundaryArn` is the ARN of a managed policy, such as \
                      `arn:aws:iam::123456789012:policy/boundary`";
        failures.push(Failure::new("role.permissionsBoundaryArn", reason));
    }
}

fn is_path(path: &str) -> bool {
    let ends = path == "/" || (path.len() > 2 && path.starts_with('/') && path.ends_with('/'));
    ends && path.len() <= LONGEST && path.chars().all(|c| c.is_ascii_graphic())
}

fn is_policy(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, policy] = parts.as_slice() else { return false };
    let is_account = *account == "aws" || (account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()));
    partition.starts_with("aws") && is_account && policy.strip_prefix("policy/").is_some_and(|name| !name.is_empty())
}
