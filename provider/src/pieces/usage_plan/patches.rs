//! A change of a usage plan, as UpdateUsagePlan wants to be told.

use s3dataproxy_schema::{Quota, QuotaPeriod, Throttle};

/// What is done to one path of a usage plan.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Patch {
    /// It gets this value where it has none.
    Add(&'static str, String),
    /// It gets this value.
    Replace(&'static str, String),
    /// It goes; of a list, this value.
    Remove(&'static str, Option<String>),
}

/// Where the stages of a plan are.
pub(super) const STAGES: &str = "/apiStages";

/// Where the name of a plan, or of a key, is.
pub(super) const NAME: &str = "/name";

/// What brings a plan's limits from old to new.
pub(super) fn limits(old: (&Option<Throttle>, &Option<Quota>), new: (&Option<Throttle>, &Option<Quota>)) -> Vec<Patch> {
    let throttle = |throttle: &Throttle| {
        vec![
            ("/throttle/rateLimit", throttle.rate_limit.to_string()),
            ("/throttle/burstLimit", throttle.burst_limit.to_string()),
        ]
    };
    let quota = |quota: &Quota| {
        vec![
            ("/quota/limit", quota.limit.to_string()),
            ("/quota/offset", quota.offset.unwrap_or(0).to_string()),
            ("/quota/period", period(quota.period).to_owned()),
        ]
    };
    let mut patches = change("/throttle", old.0.as_ref().map(throttle), new.0.as_ref().map(throttle));
    patches.extend(change("/quota", old.1.as_ref().map(quota), new.1.as_ref().map(quota)));
    patches
}

type Fields = Vec<(&'static str, String)>;

/// All fields of what changes: API Gateway checks them together.
fn change(path: &'static str, old: Option<Fields>, new: Option<Fields>) -> Vec<Patch> {
    match (old, new) {
        (old, new) if old == new => Vec::new(),
        (_, None) => vec![Patch::Remove(path, None)],
        (None, Some(new)) => new.into_iter().map(|(path, value)| Patch::Add(path, value)).collect(),
        (Some(_), Some(new)) => new.into_iter().map(|(path, value)| Patch::Replace(path, value)).collect(),
    }
}

/// API Gateway's word for a period.
pub(super) fn period(period: QuotaPeriod) -> &'static str {
    match period {
        QuotaPeriod::Day => "DAY",
        QuotaPeriod::Week => "WEEK",
        QuotaPeriod::Month => "MONTH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_as_patches() {
        let slow = Some(Throttle { rate_limit: 0.5, burst_limit: 2 });
        let fast = Some(Throttle { rate_limit: 50.0, burst_limit: 2 });
        let daily = Some(Quota { limit: 9, period: QuotaPeriod::Day, offset: Some(0) });
        assert_eq!(limits((&slow, &daily), (&slow, &daily)), []);
        assert_eq!(
            limits((&None, &None), (&slow, &None)),
            [Patch::Add("/throttle/rateLimit", "0.5".to_owned()), Patch::Add("/throttle/burstLimit", "2".to_owned())]
        );
        assert_eq!(
            limits((&slow, &daily), (&fast, &None)),
            [
                Patch::Replace("/throttle/rateLimit", "50".to_owned()),
                Patch::Replace("/throttle/burstLimit", "2".to_owned()),
                Patch::Remove("/quota", None),
            ]
        );
    }
}
