//! Names: what AWS allows, what the engine wants, and the default when the user says nothing.

use std::fmt;

use s3dataproxy_schema::Inputs;
use sha2::{Digest, Sha256};

use crate::desired::Tags;
use crate::inputs::Failure;
use crate::value::UNKNOWN;

/// The length limits of a bucket's name; the base name keeps them, so that one name serves every piece.
const BUCKET: std::ops::RangeInclusive<usize> = 3..=63;

/// Prefixes and suffixes that S3 keeps for itself.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 6] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"];

/// Why a value cannot be used: the rule that it breaks, and advice that quotes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    rule: String,
    advice: Option<String>,
}

impl Problem {
    fn new(rule: impl Into<String>) -> Option<Problem> {
        Some(Problem { rule: rule.into(), advice: None })
    }

    fn with(rule: impl Into<String>, advice: String) -> Option<Problem> {
        Some(Problem { rule: rule.into(), advice: Some(advice) })
    }

    /// The problem as a failure of a property.
    pub fn at(self, path: &str) -> Failure {
        Failure { path: path.to_owned(), reason: self.rule, advice: self.advice }
    }

    /// The problem with words before it.
    pub fn after(self, words: &str) -> Problem {
        Problem { rule: format!("{words}{}", self.rule), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        self.advice.iter().try_for_each(|advice| write!(f, ": {advice}"))
    }
}

/// How the engine wants names to be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Autonaming {
    /// No wish: the plugin's own way.
    Default,
    /// This name, which may be adjusted to what AWS allows.
    Propose(String),
    /// Exactly this name.
    Enforce(String),
    /// No automatic name: the user has to give one.
    Disable,
}

/// The name of a resource whose inputs have none.
///
/// The same seed gives the same name; `previous` is the name from an earlier check, which a resource keeps.
pub fn autoname(urn_name: &str, previous: Option<&str>, wish: &Autonaming, seed: &[u8]) -> Result<String, Failure> {
    if let Some(previous) = previous {
        return Ok(previous.to_owned());
    }
    match wish {
        Autonaming::Default => {
            let mut hash = Sha256::new();
            hash.update(seed);
            hash.update(urn_name);
            let suffix: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).take(4).collect();
            let base = sanitise(urn_name, BUCKET.end() - 8);
            Ok(format!("{base}-{}", &suffix[..7]))
        }
        Autonaming::Propose(name) => Ok(sanitise(name, *BUCKET.end())),
        Autonaming::Enforce(name) => match bucket_problem(name) {
            None => Ok(name.clone()),
            Some(problem) => Err(Failure::new(
                "name",
                format!("the autonaming configuration enforces `{name}`, which cannot be used: {problem}"),
            )),
        },
        Autonaming::Disable => Err(Failure::new(
            "name",
            "`name` is missing, and automatic naming is disabled for this stack: give the resource a `name`",
        )),
    }
}

/// Whether a name is one that [`autoname`] gives by itself. Names that the engine's configuration proposes are not told
/// from a user's own.
pub fn is_automatic(name: &str, urn_name: &str) -> bool {
    let base = sanitise(urn_name, BUCKET.end() - 8);
    let suffix = name.strip_prefix(&base).and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|suffix| suffix.len() == 7 && suffix.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')))
}

/// The nearest bucket-safe name.
fn sanitise(name: &str, longest: usize) -> String {
    let mut safe = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => safe.push(c),
            _ if safe.ends_with('-') || safe.is_empty() => {}
            _ => safe.push('-'),
        }
    }
    let mut safe = cut(&safe, longest).to_owned();
    let reserved = |prefix: &&str| safe.starts_with(*prefix) || format!("{safe}-").starts_with(*prefix);
    if RESERVED_PREFIXES.iter().any(reserved) || safe.len() < *BUCKET.start() {
        safe = cut(&format!("data-{safe}"), longest).to_owned();
    }
    safe
}

/// The name without what would be illegal at its end.
fn cut(name: &str, longest: usize) -> &str {
    let mut name = name[..name.len().min(longest)].trim_end_matches('-');
    while let Some(rest) = RESERVED_SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)) {
        name = rest.trim_end_matches('-');
    }
    name
}

/// The mount path of a resource whose inputs have none: its own name, as far as a path can say it.
pub fn default_path(urn_name: &str) -> String {
    let path: String = urn_name.chars().map(|c| if is_path_char(c) { c } else { '-' }).collect();
    if ["", ".", ".."].contains(&path.as_str()) { "data".to_owned() } else { path }
}

/// Checks what types cannot: names, paths and tags, the provider's `defaultTags` among them. Parts that are not known yet
/// are skipped.
pub fn check(inputs: &Inputs, default_tags: &Tags) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut fail = |path: &str, problem: Option<Problem>| {
        failures.extend(problem.map(|problem| problem.at(path)));
    };
    if let Some(name) = known(&inputs.name) {
        fail("name", bucket_problem(name).map(|problem| problem.after("`name` is also the bucket's name, and ")));
    }
    if let Some(name) = inputs.bucket.as_ref().and_then(|bucket| known(&bucket.name)) {
        fail("bucket.name", bucket_problem(name).map(|problem| problem.after("`bucket.name` cannot be used: ")));
    }
    if let Some(path) = known(&inputs.path) {
        fail("path", path_problem(path));
    }
    if let Some(stage) = known(&inputs.stage_name) {
        fail("stageName", stage_problem(stage));
    }
    if let Some(operations) = &inputs.operations {
        let twice = operations.iter().enumerate().any(|(index, operation)| operations[..index].contains(operation));
        if twice {
            fail("operations", Problem::new("`operations` names an operation twice"));
        }
        if operations.is_empty() {
            fail("operations", Problem::new("`operations` is empty: name at least one, or leave it out"));
        }
    }
    for (key, value) in inputs.tags.iter().flatten() {
        let path = crate::inputs::join("tags", key);
        fail(&path, tag_problem(key, value).map(|problem| problem.after(&format!("`{path}` cannot be used: "))));
    }
    let mut tags = default_tags.clone();
    tags.extend(inputs.tags.clone().unwrap_or_default());
    fail("tags", tags_problem(&tags, "`tags` with the provider's `defaultTags`"));
    failures
}

/// A value that is there and known.
fn known(value: &Option<String>) -> Option<&str> {
    value.as_deref().filter(|text| !text.contains(UNKNOWN))
}

/// Why S3 would refuse a bucket name, or the plugin does.
pub fn bucket_problem(name: &str) -> Option<Problem> {
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !BUCKET.contains(&name.chars().count()) {
        return Problem::new(format!(
            "a bucket's name has {} to {} characters, not {}",
            BUCKET.start(),
            BUCKET.end(),
            name.chars().count()
        ));
    }
    if name.chars().any(|c| c.is_uppercase()) {
        return Problem::with("a bucket's name has no upper-case letters", format!("write `{}`", name.to_lowercase()));
    }
    if name.contains('.') {
        return Problem::with(
            "a dot in a bucket's name breaks HTTPS, because AWS's certificate covers one level of names",
            format!("write `{}`", name.replace('.', "-")),
        );
    }
    if let Some(c) = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        let rule = "a bucket's name has only lower-case letters, digits and hyphens";
        return Problem::with(rule, format!("take out `{c}`"));
    }
    if !is_edge(name.chars().next()) || !is_edge(name.chars().last()) {
        return Problem::new("a bucket's name begins and ends with a letter or digit");
    }
    if let Some(prefix) = RESERVED_PREFIXES.iter().find(|prefix| name.starts_with(**prefix)) {
        return Problem::new(format!("S3 keeps names that begin with `{prefix}` for itself"));
    }
    if let Some(suffix) = RESERVED_SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
        return Problem::new(format!("S3 keeps names that end with `{suffix}` for itself"));
    }
    None
}

/// Why a mount path cannot be used.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
fn path_problem(path: &str) -> Option<Problem> {
    if path == "/" {
        return None;
    }
    if path.is_empty() {
        return Problem::new("`path` is empty: write `/` for the stage's root, or leave it out");
    }
    if path.starts_with('/') || path.ends_with('/') {
        let advice = format!("write `{}`", path.trim_matches('/'));
        return Problem::with("`path` neither begins nor ends with a slash", advice);
    }
    for segment in path.split('/') {
        if segment.is_empty() {
            return Problem::with("`path` has an empty segment", format!("`{path}` has two slashes in a row"));
        }
        if segment == "." || segment == ".." {
            return Problem::new(format!(
                "`path` has the segment `{segment}`, which clients resolve before they send it"
            ));
        }
        if segment.contains(['{', '}']) {
            return Problem::new("`path` has no `{}`: keys below the path are served as they are");
        }
        if let Some(c) = segment.chars().find(|c| !is_path_char(*c)) {
            let rule = "a segment of `path` has only letters, digits and `_ - . , :`";
            return Problem::with(rule, format!("take out `{c}`"));
        }
    }
    None
}

fn is_path_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ',' | ':')
}

/// Why a stage's name cannot be used.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
fn stage_problem(stage: &str) -> Option<Problem> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if stage.is_empty() || stage.len() > 128 || !stage.chars().all(legal) {
        return Problem::new("`stageName` has 1 to 128 letters, digits, hyphens and underscores");
    }
    None
}

/// Why tags cannot be used together. `what` says whose they are.
pub fn tags_problem(tags: &Tags, what: &str) -> Option<Problem> {
    // AWS allows fifty tags, and the plugin's own is one of them.
    // Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging.html>
    if tags.len() > 49 {
        let count = tags.len();
        return Problem::new(format!("{what} has {count} tags; with the plugin's own, AWS has room for 49"));
    }
    // Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>
    let mut folded = Tags::new();
    for key in tags.keys() {
        if let Some(other) = folded.insert(key.to_lowercase(), key.clone()) {
            let rule = format!("{what} has two keys that are one to IAM, which does not tell upper from lower case");
            return Problem::with(rule, format!("`{other}` and `{key}`"));
        }
    }
    None
}

/// Why a tag cannot be used on all of S3, IAM and API Gateway.
pub fn tag_problem(key: &str, value: &str) -> Option<Problem> {
    let legal = |text: &str| {
        text.contains(UNKNOWN) || text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
    };
    if key.is_empty() || key.chars().count() > 128 {
        return Problem::new("a tag's key has 1 to 128 characters");
    }
    if key.to_lowercase().starts_with("aws:") {
        return Problem::new("AWS keeps tags that begin with `aws:` for itself");
    }
    if key.eq_ignore_ascii_case(crate::owner::TAG) {
        return Problem::new(format!("`{key}` is the tag by which the plugin knows its own: choose another"));
    }
    if value.chars().count() > 256 {
        return Problem::new("a tag's value has at most 256 characters");
    }
    if !legal(key) || !legal(value) {
        return Problem::new("a tag has only letters, digits, spaces and `_ . : / = + - @`");
    }
    None
}

#[cfg(test)]
mod tests;
