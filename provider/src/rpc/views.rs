//! Views: the pieces as child rows of the resource, where the provider's `views` asks for them.
//!
//! The engine executes view steps after the operation has answered, and a wrong one can make a stack unusable. So steps
//! are published once, when the outcome is decided; only for pieces that exist; and not at all where the engine gives no
//! address, or the old views belong to another name of the resource.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tonic::transport::Endpoint;

use super::session::urn_name;
use super::wire::resource_status_client::ResourceStatusClient;
use super::wire::view_step::Op;
use super::wire::{PublishViewStepsRequest, View, ViewStep, ViewStepState};
use super::{Shared, codec};
use crate::outputs::guarded;
use crate::pieces::{Piece, REGISTRY};
use crate::plan::{Action, Plan};
use crate::state::State;
use crate::value::{Object, Value};

/// How long publishing may take. A failure to publish must not fail the operation.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where one operation's steps go, and what they are about.
pub(super) struct Views {
    shared: Arc<Shared>,
    address: String,
    token: String,
    old: Vec<View>,
    /// The resource's own name in its URN, and its id: together they make view names unique for each incarnation.
    owner: String,
    id: String,
}

impl Views {
    /// The views of one operation; none where nobody wants any.
    pub(super) fn new(
        shared: &Arc<Shared>,
        wanted: bool,
        (address, token): (String, String),
        old: Vec<View>,
        urn: &str,
        id: &str,
    ) -> Option<Views> {
        let possible = !address.is_empty() && !token.is_empty() && shared.supports_views();
        let views =
            Views { shared: shared.clone(), address, token, owner: urn_name(urn).to_owned(), id: id.to_owned(), old };
        // The engine cannot tell a renamed resource's views from another's.
        let renamed = !views.old.iter().all(|view| views.is_own(&view.name));
        (wanted && possible && !renamed).then_some(views)
    }

    /// What a plan will do, in a preview; `state` is what is there.
    pub(super) async fn planned(&self, plan: &Plan, state: &State, secrets: &[String]) {
        let steps = REGISTRY.iter().filter_map(|entry| {
            let new = self.state_of(entry.piece, state, secrets);
            let name = self.name(entry.piece);
            let new = new.unwrap_or_else(|| self.view(entry.piece, &name, Object::new()));
            match (plan.action(entry.piece), self.old(&name)) {
                (Action::Delete, _) => None,
                (Action::Same, Some(old)) => Some(step(Op::Same, Some(old), Some(new))),
                (Action::Same, None) => None,
                (_, Some(old)) => Some(step(Op::Update, Some(old), Some(new))),
                (_, None) => Some(step(Op::Create, None, Some(new))),
            }
        });
        self.publish(steps.collect()).await;
    }

    /// What was done, after a create or update that left `state`.
    pub(super) async fn applied(&self, plan: &Plan, state: &State, secrets: &[String]) {
        self.publish(self.compare(state, secrets, |piece| plan.action(piece) != Action::Same, true)).await;
    }

    /// What a refresh saw. It may not make new views.
    pub(super) async fn seen(&self, old: &State, seen: &State, secrets: &[String]) {
        let changed = |piece| self.state_of(piece, old, &[]) != self.state_of(piece, seen, &[]);
        self.publish(self.compare(seen, secrets, changed, false)).await;
    }

    /// What a delete removed. After a failure what is left keeps its rows.
    pub(super) async fn deleted(&self, before: &State, left: &State, whole: bool) {
        let left = left.rooted();
        let gone: Vec<String> = REGISTRY
            .iter()
            .filter(|entry| {
                self.state_of(entry.piece, before, &[]).is_some() && self.state_of(entry.piece, &left, &[]).is_none()
            })
            .map(|entry| self.name(entry.piece))
            .collect();
        let rows = self.old.iter().filter(|view| whole || gone.contains(&view.name));
        self.publish(rows.map(|view| step(Op::Delete, Some(echo(view)), None)).collect()).await;
    }

    fn compare(
        &self,
        state: &State,
        secrets: &[String],
        changed: impl Fn(Piece) -> bool,
        create: bool,
    ) -> Vec<ViewStep> {
        let mut steps = Vec::new();
        for entry in &REGISTRY {
            let name = self.name(entry.piece);
            steps.extend(match (self.old(&name), self.state_of(entry.piece, state, secrets)) {
                (Some(old), Some(new)) => {
                    Some(step(if changed(entry.piece) { Op::Update } else { Op::Same }, Some(old), Some(new)))
                }
                (Some(old), None) => Some(step(Op::Delete, Some(old), None)),
                (None, Some(new)) if create => Some(step(Op::Create, None, Some(new))),
                (None, _) => None,
            });
        }
        // Views of an earlier incarnation that could not be deleted with it.
        let current: Vec<String> = REGISTRY.iter().map(|entry| self.name(entry.piece)).collect();
        let stale = self.old.iter().filter(|view| !current.contains(&view.name));
        steps.extend(stale.map(|view| step(Op::Delete, Some(echo(view)), None)));
        steps
    }

    fn old(&self, name: &str) -> Option<ViewStepState> {
        self.old.iter().find(|view| view.name == name).map(echo)
    }

    fn name(&self, piece: Piece) -> String {
        let incarnation: String = Sha256::digest(&self.id).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{}{incarnation}", self.stem(piece))
    }

    fn stem(&self, piece: Piece) -> String {
        format!("{}-{}-", self.owner, piece.to_string().to_lowercase().replace(' ', "-"))
    }

    /// Whether a view's name is one that this resource gives, now or in an earlier incarnation.
    fn is_own(&self, name: &str) -> bool {
        let is_incarnation = |rest: &str| rest.len() == 8 && rest.chars().all(|c| c.is_ascii_hexdigit());
        REGISTRY.iter().any(|entry| name.strip_prefix(&self.stem(entry.piece)).is_some_and(is_incarnation))
    }

    /// A piece that exists, as a view.
    fn state_of(&self, piece: Piece, state: &State, secrets: &[String]) -> Option<ViewStepState> {
        let Value::Object(mut pieces) = Value::from(state.to_json()) else { return None };
        let secrets = [secrets, &state.secrets()].concat();
        let outputs = match guarded(pieces.remove(piece.key())?, &secrets) {
            Value::Object(outputs) => outputs,
            secret => Object::from([("state".to_owned(), secret)]),
        };
        Some(self.view(piece, &self.name(piece), outputs))
    }

    fn view(&self, piece: Piece, name: &str, outputs: Object) -> ViewStepState {
        let kind: String = piece.to_string().split(' ').map(capital).collect();
        ViewStepState {
            r#type: format!("s3dataproxy:view:{kind}"),
            name: name.to_owned(),
            inputs: Some(codec::encode(Object::new())),
            outputs: Some(codec::encode(outputs)),
            ..ViewStepState::default()
        }
    }

    async fn publish(&self, steps: Vec<ViewStep>) {
        // A call that the engine repeats has the same token; a second set of steps would be duplicates.
        if steps.is_empty() || !self.shared.first_use(&self.token) {
            return;
        }
        let Ok(endpoint) = Endpoint::from_shared(format!("http://{}", self.address)) else { return };
        let request = PublishViewStepsRequest { token: self.token.clone(), steps };
        let send = async {
            let channel = endpoint.connect().await.ok()?;
            ResourceStatusClient::new(channel).publish_view_steps(request).await.ok()
        };
        let _ = tokio::time::timeout(PATIENCE, send).await;
    }
}

fn step(op: Op, old: Option<ViewStepState>, new: Option<ViewStepState>) -> ViewStep {
    let (r#type, name) = match old.as_ref().or(new.as_ref()) {
        Some(view) => (view.r#type.clone(), view.name.clone()),
        None => Default::default(),
    };
    ViewStep { op: op as i32, r#type, name, old, new, ..ViewStep::default() }
}

/// An old view exactly as the engine sent it.
fn echo(view: &View) -> ViewStepState {
    ViewStepState {
        r#type: view.r#type.clone(),
        name: view.name.clone(),
        parent_type: view.parent_type.clone(),
        parent_name: view.parent_name.clone(),
        inputs: view.inputs.clone(),
        outputs: view.outputs.clone(),
    }
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{}", first.to_uppercase(), rest.to_lowercase())
}
