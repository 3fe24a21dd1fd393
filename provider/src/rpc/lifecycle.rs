//! `Create`, `Read`, `Update` and `Delete`: each the same line, with a side missing or an end left out.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use s3dataproxy_schema::Inputs;
use tokio::time::Instant;
use tonic::Status;

use super::session::{Session, lenient, stored};
use super::status::{failed, init_failed, invalid, malformed, redact};
use super::views::Views;
use super::wire::{
    CreateRequest, CreateResponse, DeleteRequest, ErrorResourceInitFailed, ReadRequest, ReadResponse, UpdateRequest,
    UpdateResponse,
};
use super::{Provider, codec};
use crate::adopt::in_use;
use crate::apply::{Run, Stop, Tell};
use crate::aws::Clients;
use crate::desired::Desired;
use crate::error::{Error, Kind};
use crate::import::import;
use crate::inputs::{self, Read};
use crate::lives::Lives;
use crate::observe::{observe, recover};
use crate::ours::{before_update, has_anothers, has_any, lost_tags, still_ours};
use crate::outputs::{self, Source};
use crate::pieces::Piece;
use crate::pieces::stage::aws::account;
use crate::plan::{Plan, plan};
use crate::rules::{place, risks};
use crate::state::{self, State};
use crate::unrecorded;
use crate::value::Object;

pub(super) async fn create(provider: Provider, request: CreateRequest) -> Result<CreateResponse, Status> {
    let inputs = codec::decode(request.properties).map_err(malformed)?;
    let session = provider.session()?;
    let stop = stop(&provider, request.timeout);
    // An error hook of the user's has the engine repeat a create that stopped half way. What that has left has to be told
    // again, also when it is time to stop; its clients are there.
    let begun = if request.preview { None } else { provider.0.record().begun(&request.urn, &inputs) };
    let until = if begun.is_some() { Stop::never() } else { stop.clone() };
    let clients = session.clients(&until).await?;
    let place = session.place(&clients.region, begun.as_ref(), &request.urn);
    let work = Work::new(&provider, session, clients, request.urn, inputs, stop)?;
    let desired = Desired::new(&work.read.typed, &place);
    let repeated = begun.is_some();
    let state = begun.unwrap_or_else(|| State {
        default_path: place.default_path.clone(),
        ..State::empty(&place.region, &place.owner)
    });
    let channel = (request.resource_status_address, request.resource_status_token);
    let name = work.read.typed.name.clone().unwrap_or_default();
    let views = Views::new(&provider.0, work.session.views(), channel, Vec::new(), &work.urn, &name);
    if request.preview {
        work.tell_risks(None).await;
        let plan = plan(None, Some(&desired));
        if let Some(views) = &views {
            views.planned(&plan, &state, &work.read.secrets).await;
        }
        let planned = work.source(&desired, &state).planned(&plan, work.account());
        return Ok(CreateResponse { properties: Some(codec::encode(planned)), ..CreateResponse::default() });
    }
    let id =
        work.read.typed.name.clone().ok_or_else(|| Status::invalid_argument("`name` is missing: call Check first"))?;
    let lives = provider.0.record().lives(&id);
    if !lives.unnamed && !repeated {
        work.look_first(&lives, &desired).await.map_err(|error| failed(&error, &work.read.secrets))?;
    }
    let (state, errors) = work.carry_out(state, &desired, views, repeated, lives).await;
    match errors.as_slice() {
        [] => {
            provider.0.record().owner(&place.owner);
            Ok(CreateResponse { id, properties: Some(work.outputs(&desired, &state)), refresh_before_update: false })
        }
        [error, ..] if state.is_empty() && !state.cut_off => Err(failed(error, &work.read.secrets)),
        errors => {
            provider.0.record().begin(&work.urn, &work.inputs, &state);
            Err(work.half_done(id, &desired, &state, errors))
        }
    }
}

pub(super) async fn update(provider: Provider, request: UpdateRequest) -> Result<UpdateResponse, Status> {
    let olds = codec::decode(request.olds).map_err(malformed)?;
    let inputs = codec::decode(request.news).map_err(malformed)?;
    let state = stored(&olds)?;
    let session = provider.session()?;
    let lives = lives(&provider, &state);
    let stop = stop(&provider, request.timeout);
    let clients = session.clients_for(&state, &stop).await?;
    let place = session.place(&state.region, Some(&state), &request.urn);
    let mut work = Work::new(&provider, session, clients, request.urn, inputs, stop)?;
    work.read.secrets.extend(state.secrets());
    let desired = Desired::new(&work.read.typed, &place);
    let channel = (request.resource_status_address, request.resource_status_token);
    let views = Views::new(&provider.0, work.session.views(), channel, request.old_views, &work.urn, &request.id);
    if request.preview {
        let old = lenient(&codec::decode(request.old_inputs).map_err(malformed)?)?;
        work.tell_risks(Some(&old)).await;
        let plan = plan(Some(&state), Some(&desired));
        if let Some(views) = &views {
            views.planned(&plan, &state, &work.read.secrets).await;
        }
        let planned = work.source(&desired, &state).planned(&plan, work.account());
        return Ok(UpdateResponse { properties: Some(codec::encode(planned)), refresh_before_update: false });
    }
    let state = if state.cut_off {
        // What a run that was cut off may have made, and the user does not want any more, is to be deleted.
        let old = lenient(&codec::decode(request.old_inputs).map_err(malformed)?)?.typed;
        let before = Desired::new(&old, &place);
        let found = work.stop.look(RECOVER, recover(&work.clients, &lives, state.clone(), &before)).await;
        let found = found.map_err(|error| failed(&error, &work.read.secrets))?;
        State {
            log_group: found.log_group.filter(|_| state.log_group.is_some() || desired.log_group.is_none()),
            domain: found.domain.filter(|_| state.domain.is_some() || desired.domain.is_none()),
            usage_plan: found.usage_plan.filter(|_| state.usage_plan.is_some() || desired.usage_plan.is_none()),
            stage: found.stage,
            leftovers: found.leftovers,
            ..state
        }
    } else {
        state
    };
    let look = async {
        // What was to be taken over may have gone on since, and what is unfinished may have been taken over.
        let (state, mut others) = match has_anothers(&state) || state.stage.is_none() {
            true => still_ours(&work.clients, &lives, state, false).await?,
            false => (state, Vec::new()),
        };
        let (state, more) = before_update(&work.clients, &lives, state, &desired).await?;
        others.extend(more);
        Ok((state, others))
    };
    let looked = work.stop.look("look at what is not wanted any more", look).await;
    let (state, others) = looked.map_err(|error| failed(&error, &work.read.secrets))?;
    tell(&provider, &work.urn, &work.read.secrets, others).await;
    let (state, errors) = work.carry_out(state, &desired, views, true, lives).await;
    match errors.as_slice() {
        [] => Ok(UpdateResponse { properties: Some(work.outputs(&desired, &state)), refresh_before_update: false }),
        errors => Err(work.half_done(request.id, &desired, &state, errors)),
    }
}

pub(super) async fn read(provider: Provider, request: ReadRequest) -> Result<ReadResponse, Status> {
    let properties = codec::decode(request.properties).map_err(malformed)?;
    let inputs = codec::decode(request.inputs).map_err(malformed)?;
    let session = provider.session()?;
    // Import, `.get()` and `pulumi do` know only the id.
    if !properties.contains_key(state::KEY) {
        return from_id(&provider, session, request.id, request.urn).await;
    }
    let state = stored(&properties)?;
    let lives = lives(&provider, &state);
    let stop = stop(&provider, 0.0);
    let clients = session.clients_for(&state, &stop).await?;
    let place = session.place(&state.region, Some(&state), &request.urn);
    let secrets = [session.secrets_of(&inputs)?, state.secrets()].concat();
    let read = lenient(&inputs)?;
    let desired = Desired::new(&read.typed, &place);
    let waiting = clients.waiting(stop.clone(), progress(&provider, &request.urn, &secrets));
    let clients = Arc::new(waiting);
    let state = stop.look(RECOVER, recover(&clients, &lives, state, &desired)).await;
    let state = state.map_err(|error| failed(&error, &secrets))?;
    let seen = stop.look("look at what is there", observe(&clients, &state, &desired)).await;
    let seen = seen.map_err(|error| failed(&error, &secrets))?;
    let look = async {
        tokio::try_join!(
            unrecorded::within(&clients, &state, &seen, &desired),
            unrecorded::of_others(&clients, &stop, &lives, &seen, false)
        )
    };
    let found = stop.look("look for what is not recorded", look).await;
    let (found, others) = found.map_err(|error| failed(&error, &secrets))?;
    let seen = found.added_to(&seen);
    tell(&provider, &request.urn, &secrets, others.into_iter().chain(lost_tags(&seen))).await;
    let channel = (request.resource_status_address, request.resource_status_token);
    let views = Views::new(&provider.0, session.views(), channel, request.old_views, &request.urn, &request.id);
    if let Some(views) = views {
        views.seen(&state, &seen, &secrets).await;
    }
    if seen.is_empty() {
        if !seen.execution_logs.is_empty() {
            let words = format!(
                "the resource is gone, and API Gateway's log groups for it may be left: {}; delete them if nobody needs them",
                seen.execution_logs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            );
            provider.0.engine.warn(&request.urn, &redact(&words, &secrets)).await;
        }
        let same = stop.look("look at what is there", clients.is_accounts_of(&state)).await;
        same.map_err(|error| failed(&error, &secrets))?;
        return Ok(ReadResponse::default());
    }
    let drift = plan(Some(&seen), Some(&desired));
    if drift != plan(Some(&state), Some(&desired)) {
        let details = seen.definition.as_ref().map(|definition| definition.drift.join("; ")).unwrap_or_default();
        let words = format!("changed outside of Pulumi; the next `pulumi up` repairs it:\n{drift}{details}");
        provider.0.engine.warn(&request.urn, &redact(words.trim_end(), &secrets)).await;
    }
    let inputs = outputs::drifted(&inputs, &read, &seen);
    let read = Read { secrets, ..lenient(&inputs)? };
    let source = Source {
        inputs: &inputs,
        read: &read,
        desired: &desired,
        state: &seen,
        execute_api_url: &clients.execute_api_url,
    };
    let properties = Some(codec::encode(source.actual()));
    Ok(ReadResponse { id: request.id, properties, inputs: Some(codec::encode(inputs)), refresh_before_update: false })
}

async fn from_id(provider: &Provider, session: Arc<Session>, id: String, urn: String) -> Result<ReadResponse, Status> {
    let stop = stop(provider, 0.0);
    let clients = session.clients(&stop).await?;
    let place = session.place(&clients.region, None, &urn);
    let found = stop.look(&format!("import `{id}`"), import(&clients, &id, &place)).await;
    let found = found.map_err(|error| failed(&error, &session.secrets))?;
    let Some(found) = found else { return Ok(ReadResponse::default()) };
    let place = session.place(&clients.region, Some(&found.state), &urn);
    let work = Work::new(provider, session, clients, urn, found.inputs.clone(), stop)?;
    let desired = Desired::new(&work.read.typed, &place);
    // Where a lost run made it, there may be more than the stage tells.
    let look = unrecorded::beside(&work.clients, &found.state, &desired);
    let more = work.stop.look("look for what is not recorded", look).await;
    let secrets = [work.read.secrets.as_slice(), &found.state.secrets()].concat();
    let state = more.map_err(|error| failed(&error, &secrets))?.added_to(&found.state);
    Ok(ReadResponse {
        id: work.read.typed.name.clone().unwrap_or(id),
        properties: Some(work.outputs(&desired, &state)),
        inputs: Some(codec::encode(found.inputs)),
        refresh_before_update: false,
    })
}

pub(super) async fn delete(provider: Provider, request: DeleteRequest) -> Result<(), Status> {
    let properties = codec::decode(request.properties).map_err(malformed)?;
    let inputs = codec::decode(request.old_inputs).map_err(malformed)?;
    let state = stored(&properties)?;
    let session = provider.session()?;
    let known = lives(&provider, &state);
    let stop = stop(&provider, request.timeout);
    let clients = session.clients_for(&state, &stop).await?;
    let (read, secrets) = (lenient(&inputs)?, [session.secrets_of(&inputs)?, state.secrets()].concat());
    let force_destroy = read.typed.bucket.as_ref().and_then(|bucket| bucket.force_destroy).unwrap_or(false);
    let clients = Arc::new(clients.waiting(stop.clone(), progress(&provider, &request.urn, &secrets)));
    // A run that was cut off may have made what its state does not know.
    let desired = Desired::new(&read.typed, &session.place(&state.region, Some(&state), &request.urn));
    let before = stop.look(RECOVER, recover(&clients, &known, state, &desired)).await;
    let before = before.map_err(|error| failed(&error, &secrets))?;
    let look = async {
        tokio::try_join!(
            still_ours(&clients, &known, before.clone(), true),
            unrecorded::beside(&clients, &before, &desired),
            unrecorded::logs(&clients, &before),
            // For the end of the work.
            unrecorded::listed(&clients)
        )
    };
    let looked = stop.look("look at what is to be deleted", look).await;
    let ((state, others), found, logs, ()) = looked.map_err(|error| failed(&error, &secrets))?;
    let mut state = found.added_to(&state);
    if state.rest_api.is_some() {
        state.execution_logs.extend(logs);
    }
    if !has_any(&state) {
        let same = stop.look("look at what is to be deleted", clients.is_accounts_of(&before)).await;
        same.map_err(|error| failed(&error, &secrets))?;
    }
    tell(&provider, &request.urn, &secrets, others).await;
    let plan = plan(Some(&state), None);
    let channel = (request.resource_status_address, request.resource_status_token);
    let views = Views::new(&provider.0, session.views(), channel, request.old_views, &request.urn, &request.id);
    let run = Arc::new(Run {
        aws: clients,
        desired: None,
        force_destroy,
        resumes: false.into(),
        lost: false.into(),
        lives: known,
        adopted: false.into(),
        stop: stop.clone(),
        state: Arc::new(Mutex::new(state)),
        progress: progress(&provider, &request.urn, &secrets),
        warnings: Mutex::default(),
    });
    let (left, errors, _) = finish(&run, plan).await;
    tell(&provider, &request.urn, &secrets, run.warnings()).await;
    // By now the engine has told of what else it deletes at the same time.
    let others = lives(&provider, &before);
    let look = unrecorded::of_others(&run.aws, &stop, &others, &before, true);
    let lost = stop.look("look at what lost runs left", look).await;
    let lost = lost.unwrap_or_else(|error| match error.kind {
        Kind::Stopped => Vec::new(),
        _ => vec![error.to_string()],
    });
    tell(&provider, &request.urn, &secrets, lost).await;
    if let Some(views) = views {
        // Of a delete that failed, only the rows of what is gone may go; the rest keeps its rows as they are.
        views.deleted(&before, &left, errors.is_empty()).await;
    }
    match errors.as_slice() {
        [] => Ok(()),
        errors => {
            let words: Vec<String> = errors.iter().map(Error::to_string).collect();
            let code = failed(&errors[0], &[]).code();
            Err(Status::new(code, redact(&words.join("\n"), &secrets)))
        }
    }
}

/// What a look for things without a record is made for.
const RECOVER: &str = "look for what an earlier run may have made";

/// What create and update share.
struct Work {
    provider: Provider,
    session: Arc<Session>,
    clients: Arc<Clients>,
    urn: String,
    inputs: Object,
    read: Read<Inputs>,
    stop: Stop,
}

impl Work {
    fn new(
        provider: &Provider,
        session: Arc<Session>,
        clients: Arc<Clients>,
        urn: String,
        inputs: Object,
        stop: Stop,
    ) -> Result<Work, Status> {
        let mut read = inputs::read(&inputs).map_err(invalid)?;
        let elsewhere = place::check(&read.typed, Some(&clients.region));
        if !elsewhere.is_empty() {
            return Err(invalid(elsewhere));
        }
        read.secrets.extend(session.secrets.iter().cloned());
        let clients = Arc::new(clients.waiting(stop.clone(), progress(provider, &urn, &read.secrets)));
        Ok(Work { provider: provider.clone(), session, clients, urn, inputs, read, stop })
    }

    fn account(&self) -> Option<&str> {
        self.clients.account.as_deref()
    }

    fn source<'a>(&'a self, desired: &'a Desired, state: &'a State) -> Source<'a> {
        let execute_api_url = &self.clients.execute_api_url;
        Source { inputs: &self.inputs, read: &self.read, desired, state, execute_api_url }
    }

    fn outputs(&self, desired: &Desired, state: &State) -> prost_types::Struct {
        codec::encode(self.source(desired, state).actual())
    }

    async fn carry_out(
        &self,
        state: State,
        desired: &Desired,
        views: Option<Views>,
        resumes: bool,
        lives: Lives,
    ) -> (State, Vec<Error>) {
        let looked = self.stop.look("switch on logs", account::look(&self.clients, &state, desired)).await;
        if let Err(error) = looked {
            return (state, vec![error]);
        }
        let plan = plan(Some(&state), Some(desired));
        let run = Arc::new(Run {
            aws: self.clients.clone(),
            desired: Some(desired.clone()),
            force_destroy: desired.bucket.force_destroy,
            resumes: resumes.into(),
            lost: false.into(),
            lives,
            adopted: false.into(),
            stop: self.stop.clone(),
            state: Arc::new(Mutex::new(state.rooted())),
            progress: progress(&self.provider, &self.urn, &self.read.secrets),
            warnings: Mutex::default(),
        });
        let unsure = state.cut_off;
        let (mut state, mut errors, mut lost) = finish(&run, plan.clone()).await;
        if errors.is_empty() && !resumes && run.adopted.load(Ordering::Relaxed) {
            // What was taken over may have had more to it.
            let look = unrecorded::unwanted(&self.clients, &state, desired);
            (state, errors, lost) = match self.stop.look("look for what is not wanted any more", look).await {
                Ok(found) => {
                    let more = found.added_to(&state);
                    *run.state() = more.clone();
                    finish(&run, crate::plan::plan(Some(&more), Some(desired))).await
                }
                Err(error) => (state, vec![error], lost),
            };
        }
        let mut words = run.warnings();
        words.extend(run.lives.tell(&self.clients, &self.stop, &state).await);
        tell(&self.provider, &self.urn, &self.read.secrets, words).await;
        state.cut_off = (lost || unsure) && !errors.is_empty();
        if errors.is_empty() && self.read.typed.wait_for_ready.unwrap_or(true) && outputs::touches_the_way(&plan) {
            self.wait_for_ready(desired, &state).await;
        }
        // With nothing made, the resource is not saved, and rows below it would have no parent.
        if let Some(views) = views.filter(|_| !state.is_empty()) {
            views.applied(&plan, &state, &self.read.secrets).await;
        }
        (state, errors)
    }

    /// Looks for other lives before a create under a name that they may have, too: nothing is made where one is live.
    async fn look_first(&self, lives: &Lives, desired: &Desired) -> Result<(), Error> {
        let doing = format!("create the REST API `{}`", desired.rest_api.name);
        match self.stop.look(&doing, lives.look(&self.clients, &desired.owner)).await {
            Err(error) if error.kind != Kind::Denied => return Err(error),
            _ => {}
        }
        match lives.of_name(&desired.rest_api.name).filter(|life| life.deployed) {
            Some(life) => Err(in_use(&desired.owner, life, Piece::RestApi, &doing)),
            None => Ok(()),
        }
    }

    async fn wait_for_ready(&self, desired: &Desired, state: &State) {
        // Where not everybody may call, a probe may get no further than API Gateway.
        if !desired.definition.api.is_open() || desired.stage.settings.web_acl.is_some() {
            return;
        }
        let Some(url) = self.source(desired, state).probe_url() else { return };
        self.provider.0.engine.progress(&self.urn, "waiting until the URL answers");
        let waited = self.clients.probe.wait(&url, &desired.definition.api.operations, &self.stop).await;
        self.provider.0.engine.progress(&self.urn, "");
        if let Err(seen) = waited {
            let words = format!(
                "everything is made, but {url} does not answer from S3 yet ({seen}). New roles take a while to spread \
                 in AWS; try the URL again in a minute. `waitForReady: false` skips this check"
            );
            self.provider.0.engine.warn(&self.urn, &redact(&words, &self.read.secrets)).await;
        }
    }

    /// Tells the risks that the inputs bring, once: not those that the old ones had already.
    async fn tell_risks(&self, old: Option<&Read<Inputs>>) {
        let known = old.map(risks::warnings).unwrap_or_default();
        for risk in risks::warnings(&self.read).into_iter().filter(|risk| !known.contains(risk)) {
            self.provider.0.engine.warn(&self.urn, &risk).await;
        }
    }

    /// The status of work that stopped half way, with everything that exists.
    fn half_done(&self, id: String, desired: &Desired, state: &State, errors: &[Error]) -> Status {
        let secrets = [self.read.secrets.as_slice(), &state.secrets()].concat();
        init_failed(ErrorResourceInitFailed {
            id,
            properties: Some(self.outputs(desired, state)),
            reasons: errors.iter().map(|error| redact(&error.to_string(), &secrets)).collect(),
            inputs: Some(codec::encode(self.inputs.clone())),
            refresh_before_update: false,
        })
    }
}

/// Applies a plan in a task of its own, so that even a panic leaves the state that was reached. Tells that, what went
/// wrong, and whether a call was given up that may have taken effect.
async fn finish(run: &Arc<Run>, plan: Plan) -> (State, Vec<Error>, bool) {
    let reached = run.state.clone();
    let work = tokio::spawn({
        let run = run.clone();
        async move { run.apply(&plan).await }
    });
    let errors = work.await;
    let errors = errors.unwrap_or_else(|_| {
        run.lost.store(true, Ordering::Relaxed);
        vec![
            Error::new(Kind::Other, "finish the operation", "a bug in s3dataproxy broke it off")
                .hint("run `pulumi up` again; what exists is saved"),
        ]
    });
    let state = reached.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (state, errors, run.lost.load(Ordering::Relaxed))
}

/// What to know of other lives for work on a resource that is on record.
fn lives(provider: &Provider, state: &State) -> Lives {
    let mut record = provider.0.record();
    record.owner(&state.owner);
    record.lives("")
}

fn stop(provider: &Provider, timeout: f64) -> Stop {
    let deadline = (timeout > 0.0).then(|| Duration::try_from_secs_f64(timeout).ok()).flatten();
    Stop { cancel: provider.cancel_token(), deadline: deadline.and_then(|timeout| Instant::now().checked_add(timeout)) }
}

fn progress(provider: &Provider, urn: &str, secrets: &[String]) -> Tell {
    let (provider, urn, secrets) = (provider.clone(), urn.to_owned(), secrets.to_vec());
    Box::new(move |message| provider.0.engine.progress(&urn, &redact(message, &secrets)))
}

/// Tells the user warnings.
async fn tell(provider: &Provider, urn: &str, secrets: &[String], warnings: impl IntoIterator<Item = String>) {
    for words in warnings {
        provider.0.engine.warn(urn, &redact(&words, secrets)).await;
    }
}
