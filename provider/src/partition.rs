//! AWS partitions: the first word of an ARN and the domain of a URL follow from the Region.

/// A group of Regions with its own accounts and names.
/// Source: <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second part of ARNs, such as `aws`.
    pub name: &'static str,
    /// The domain of service endpoints, such as `amazonaws.com`.
    pub dns_suffix: &'static str,
}

/// The partitions by the prefix of their Regions' names; what matches none is the commercial one.
const PREFIXES: [(&str, Partition); 7] = [
    ("cn-", Partition { name: "aws-cn", dns_suffix: "amazonaws.com.cn" }),
    ("us-gov-", Partition { name: "aws-us-gov", dns_suffix: "amazonaws.com" }),
    ("us-isob-", Partition { name: "aws-iso-b", dns_suffix: "sc2s.sgov.gov" }),
    ("us-isof-", Partition { name: "aws-iso-f", dns_suffix: "csp.hci.ic.gov" }),
    ("us-iso-", Partition { name: "aws-iso", dns_suffix: "c2s.ic.gov" }),
    ("eu-isoe-", Partition { name: "aws-iso-e", dns_suffix: "cloud.adc-e.uk" }),
    ("eusc-", Partition { name: "aws-eusc", dns_suffix: "amazonaws.eu" }),
];

impl Partition {
    /// The partition of a Region.
    pub fn of(region: &str) -> Partition {
        PREFIXES
            .iter()
            .find(|(prefix, _)| region.starts_with(prefix))
            .map_or(Partition { name: "aws", dns_suffix: "amazonaws.com" }, |(_, partition)| *partition)
    }
}

#[cfg(test)]
mod tests {
    use super::Partition;

    #[test]
    fn partition_follows_from_the_region() {
        for (region, name, dns_suffix) in [
            ("eu-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ] {
            assert_eq!(Partition::of(region), Partition { name, dns_suffix }, "{region}");
        }
    }
}
