//! `Diff`: a projection of the comparison of inputs and of the plan. Pure and offline.

use tonic::Status;

use super::session::{Session, lenient, stored};
use super::status::malformed;
use super::wire::{self, DiffRequest, DiffResponse, diff_response::DiffChanges, property_diff::Kind};
use super::{Shared, codec, tops};
use crate::plan::ChangeKind;

pub(super) fn diff(session: &Session, shared: &Shared, request: DiffRequest) -> Result<DiffResponse, Status> {
    let olds = codec::decode(request.olds).map_err(malformed)?;
    let news = codec::decode(request.news).map_err(malformed)?;
    let old_inputs = codec::decode(request.old_inputs).map_err(malformed)?;
    let state = stored(&olds)?;
    shared.record().owner(&state.owner);
    let place = session.place(&state.region, Some(&state), &request.urn);
    let (old, new) = (lenient(&old_inputs)?, lenient(&news)?);
    let diff = crate::diff::diff(&state, &old, &new, &place, &request.ignore_changes);

    let replaced: Vec<&String> =
        diff.details.iter().filter(|(_, detail)| detail.replace).map(|(path, _)| path).collect();
    let kind = |kind: ChangeKind, replace: bool| match (kind, replace) {
        (ChangeKind::Add, false) => Kind::Add,
        (ChangeKind::Add, true) => Kind::AddReplace,
        (ChangeKind::Update, false) => Kind::Update,
        (ChangeKind::Update, true) => Kind::UpdateReplace,
        (ChangeKind::Delete, false) => Kind::Delete,
        (ChangeKind::Delete, true) => Kind::DeleteReplace,
    };
    let detailed = diff.details.iter().map(|(path, detail)| {
        let kind = kind(detail.kind, detail.replace) as i32;
        (path.clone(), wire::PropertyDiff { kind, input_diff: detail.input })
    });
    let changes = if diff.details.is_empty() { DiffChanges::DiffNone } else { DiffChanges::DiffSome };
    Ok(DiffResponse {
        replaces: tops(replaced.into_iter()),
        stables: Vec::new(),
        delete_before_replace: diff.delete_before_replace,
        changes: changes as i32,
        diffs: tops(diff.details.keys()),
        detailed_diff: detailed.collect(),
        has_detailed_diff: true,
    })
}
