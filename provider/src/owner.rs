//! The owner tag, by which the plugin knows what it made.
//!
//! Its value is the resource's URN and, each behind an `@`, the Region and a number for this life of the resource: a
//! replacement has the same URN as what it replaces, and the two must never delete each other's pieces. The Region is part
//! of who the resource is: buckets and roles are known in all of them, and a REST API only in its own.

use crate::desired::Tags;

/// The tag on the bucket, the role and the REST API.
pub const TAG: &str = "s3dataproxy:owner";

/// A tag's value has at most this many characters.
const LONGEST: usize = 256;

/// The tag's value for a resource that begins its life: the URN in the characters that tags allow. Of a long URN the end
/// is kept, where the resource's own name is.
pub fn begin(urn: &str, region: &str, life: u32) -> String {
    let legal = |c: char| if c.is_alphanumeric() || " _.:/=+-@".contains(c) { c } else { '/' };
    let resource: Vec<char> = urn.strip_prefix("urn:pulumi:").unwrap_or(urn).chars().map(legal).collect();
    let life = format!("@{region}@{life:08x}");
    let resource: String = resource[resource.len().saturating_sub(LONGEST - life.len())..].iter().collect();
    resource + &life
}

/// Whose something is, as its tags tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// This very resource's.
    Ours,
    /// An earlier or later life's of this resource: of a run that was lost, or of what is being replaced.
    AnotherLifes,
    /// Nobody's that the plugin knows.
    Unmarked,
    /// Another resource's.
    Anothers,
}

/// Compares something's tags with an owner.
pub fn whose(tags: &Tags, owner: &str) -> Whose {
    match tags.get(TAG) {
        None => Whose::Unmarked,
        Some(other) if other == owner => Whose::Ours,
        Some(other) if resource(other) == resource(owner) => Whose::AnotherLifes,
        Some(_) => Whose::Anothers,
    }
}

/// Whether something is still what a state of this owner recorded with the tags `known`: nobody has put another owner on it
/// since. A life that was about to take it over may have recorded it with the owner that it had.
pub fn is_recorded(tags: &Tags, known: &Tags, owner: &str) -> bool {
    tags.get(TAG).is_none_or(|value| value == owner || known.get(TAG) == Some(value))
}

/// The same of something with a name that others could give to theirs, too: what has lost our tag may have been deleted, and
/// made again by somebody.
pub fn is_proven(tags: &Tags, known: &Tags, owner: &str) -> bool {
    tags.contains_key(TAG) && is_recorded(tags, known, owner)
}

/// What stages and deployments have as their description: they are made in one call that takes no tags.
pub fn note(owner: &str) -> String {
    format!("made by s3dataproxy for {owner}")
}

/// The owner without the number of its life.
fn resource(owner: &str) -> &str {
    owner.rsplit_once('@').map_or(owner, |(resource, _)| resource)
}

/// The resource's own name, at the end of its URN, as far as tags can say it.
pub fn name(owner: &str) -> &str {
    let urn = resource(owner).rsplit_once('@').map_or(owner, |(urn, _)| urn);
    urn.splitn(4, "::").nth(3).unwrap_or(urn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_the_urn_in_legal_characters() {
        let urn = "urn:pulumi:dev::shop::my:mod:Comp$s3dataproxy:index:S3DataProxy::data";
        let owner = begin(urn, "eu-west-1", 10);
        assert_eq!(owner, "dev::shop::my:mod:Comp/s3dataproxy:index:S3DataProxy::data@eu-west-1@0000000a");
        assert_eq!(name(&owner), "data");
        let long = begin(&format!("urn:pulumi:dev::shop::t::{}end", "x".repeat(300)), "eu-west-1", 1);
        assert_eq!(long.len(), LONGEST);
        assert!(long.ends_with("end@eu-west-1@00000001"));
    }

    #[test]
    fn lives_of_one_resource_are_told_from_other_resources() {
        let urn = "urn:pulumi:dev::shop::s3dataproxy:index:S3DataProxy::a@b";
        let ours = begin(urn, "eu-west-1", 1);
        assert_eq!(name(&ours), "a@b");
        let tagged = |value: String| Tags::from([(TAG.to_owned(), value)]);
        assert_eq!(whose(&tagged(ours.clone()), &ours), Whose::Ours);
        assert_eq!(whose(&tagged(begin(urn, "eu-west-1", 2)), &ours), Whose::AnotherLifes);
        assert_eq!(
            whose(&tagged(begin("urn:pulumi:dev::shop::s3dataproxy:index:S3DataProxy::a", "eu-west-1", 1)), &ours),
            Whose::Anothers
        );
        assert_eq!(whose(&tagged(begin(urn, "eu-west-2", 1)), &ours), Whose::Anothers);
        assert_eq!(whose(&Tags::new(), &ours), Whose::Unmarked);
    }
}
