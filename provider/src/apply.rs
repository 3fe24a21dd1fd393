//! Making a plan happen.
//!
//! Steps that do not need each other run at the same time. Nothing is undone: whatever happens, the state says what is
//! there, and the next plan finishes the work. A stop (cancel, timeout) takes effect between AWS calls, and
//! ends a look at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws::Clients;
use crate::desired::Desired;
use crate::error::{Error, Kind};
use crate::lives::Lives;
use crate::pieces::{self, Piece};
use crate::plan::{Action, Plan, Step};
use crate::state::State;

/// How long a call under way may go on after a cancel before it is abandoned.
const GRACE: Duration = Duration::from_secs(20);

/// What a piece's work needs: where to call, what should be there, and what is.
pub struct Run {
    /// The AWS clients.
    pub aws: Arc<Clients>,
    /// What should be there; none when everything is deleted.
    pub desired: Option<Desired>,
    /// Whether objects are deleted with the bucket.
    pub force_destroy: bool,
    /// Whether an earlier run may have made things that the state does not know.
    pub resumes: AtomicBool,
    /// The other lives of this resource.
    pub lives: Lives,
    /// Whether something of a lost run was taken over.
    pub adopted: AtomicBool,
    /// Whether a call was given up that may have taken effect.
    pub lost: AtomicBool,
    /// When to stop.
    pub stop: Stop,
    /// What is there, kept current after every call.
    pub state: Arc<Mutex<State>>,
    /// Tells the user what is being done.
    pub progress: Tell,
    /// What went differently than it should, without failing; the user is told when the work is done.
    pub warnings: Mutex<Vec<String>>,
}

/// Words to the user.
pub type Tell = Box<dyn Fn(&str) + Send + Sync>;

/// When to stop early.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Set when the user gives up.
    pub cancel: CancellationToken,
    /// When the time is up.
    pub deadline: Option<Instant>,
}

impl Stop {
    /// When all has to be heard that there is.
    pub fn never() -> Stop {
        Stop { cancel: CancellationToken::new(), deadline: None }
    }

    /// Why to stop now, if there is a reason.
    pub fn reason(&self) -> Option<&'static str> {
        if self.cancel.is_cancelled() {
            Some("the operation was cancelled")
        } else if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            Some("the time given by `customTimeouts` is up")
        } else {
            None
        }
    }

    /// Waits until there is a reason to stop, and tells it.
    pub async fn come(&self) -> &'static str {
        tokio::select! { () = self.time_is_up() => {}, () = self.cancel.cancelled() => {} }
        self.reason().unwrap_or("it was time to stop")
    }

    /// Looks, and gives that up at once when it is time to stop: a look leaves nothing behind that could be lost.
    pub fn look<'a, T: 'a>(
        &'a self,
        doing: &'a str,
        look: impl Future<Output = Result<T, Error>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Error>> + Send + 'a {
        // Many calls at once are a large future, which here would be in others several times.
        let look = Box::pin(look);
        async move {
            tokio::select! {
                biased;
                reason = self.come() => Err(Error::new(Kind::Stopped, doing, reason)),
                seen = look => seen,
            }
        }
    }

    async fn time_is_up(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// Waits until calls under way have to be abandoned.
    async fn abandon(&self) {
        let cancelled = async {
            self.cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! { () = self.time_is_up() => {}, () = cancelled => {} }
    }
}

impl Run {
    /// The state, to read or to write. Never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the user is to be told.
    pub fn warn(&self, words: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }

    /// Takes what was noted so far.
    pub fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What should be there, for work that makes or changes.
    pub fn desired(&self) -> &Desired {
        self.desired.as_ref().expect("only deletes have nothing desired")
    }

    /// Ends a piece's work between two calls when it is time to stop.
    pub fn check(&self, doing: &str) -> Result<(), Error> {
        match self.stop.reason() {
            Some(reason) => Err(Error::new(Kind::Stopped, doing, reason)),
            None => Ok(()),
        }
    }

    /// Makes the plan happen as far as possible and says what went wrong.
    pub async fn apply(&self, plan: &Plan) -> Vec<Error> {
        let mut waiting: Vec<&Step> = plan.steps.iter().filter(|step| step.action != Action::Same).collect();
        let mut undone: Vec<Piece> = waiting.iter().map(|step| step.piece).collect();
        let mut running = FuturesUnordered::new();
        let mut errors = Vec::new();
        loop {
            if self.stop.reason().is_none() {
                let (ready, blocked) = waiting
                    .into_iter()
                    .partition(|step| !self.blockers(step, plan).any(|piece| undone.contains(&piece)));
                waiting = blocked;
                let start = |step: &'_ Step| {
                    let (piece, action) = (step.piece, step.action);
                    async move { (piece, (pieces::entry(piece).run)(self, action).await) }
                };
                running.extend(Vec::into_iter(ready).map(start));
            }
            let finished = tokio::select! {
                // What ends by itself when the time is up made no call that could have taken effect.
                biased;
                finished = running.next() => finished,
                () = self.stop.abandon(), if !running.is_empty() => {
                    self.lost.store(true, Ordering::Relaxed);
                    None
                }
            };
            match finished {
                Some((piece, Ok(()))) => undone.retain(|other| *other != piece),
                Some((piece, Err(error))) => {
                    self.lost.fetch_or(error.may_have_worked(), Ordering::Relaxed);
                    errors.push((piece, error.of(piece)));
                }
                None => break,
            }
        }
        // What runs at the same time fails in any order; the user reads it in one.
        errors.sort_by_key(|(piece, _)| pieces::REGISTRY.iter().position(|entry| entry.piece == *piece));
        let mut errors: Vec<Error> = errors.into_iter().map(|(_, error)| error).collect();
        // Several pieces may wait for one look.
        errors.dedup_by_key(|error| error.to_string());
        if let Some(reason) = self.stop.reason()
            && !undone.is_empty()
            && !errors.iter().any(|error| error.kind == Kind::Stopped)
        {
            let names: Vec<String> = undone.iter().map(|piece| format!("the {piece}")).collect();
            errors.push(Error::new(Kind::Stopped, format!("finish {}", names.join(", ")), reason));
        }
        if errors.is_empty() && !undone.is_empty() {
            let names: Vec<String> = undone.iter().map(|piece| format!("the {piece}")).collect();
            let reason = "a bug in s3dataproxy: these steps wait for each other";
            errors.push(Error::new(Kind::Other, format!("finish {}", names.join(", ")), reason));
        }
        errors
    }

    /// What has to be done before a step.
    fn blockers<'a>(&'a self, step: &'a Step, plan: &'a Plan) -> impl Iterator<Item = Piece> + 'a {
        let updates = self.desired.is_some();
        pieces::REGISTRY.iter().filter_map(move |other| {
            let entry = pieces::entry(step.piece);
            let first = match (step.action, plan.action(other.piece)) {
                (Action::Delete, Action::Delete) => {
                    // What stands between the two may be on no record.
                    pieces::rests_on(other.piece, step.piece)
                        || (!updates && self.goes_before(other.piece, step.piece))
                        // One that cannot go still answers.
                        || (step.piece == Piece::Role && other.piece == Piece::RestApi)
                        // API Gateway makes a log group anew for what it still has to write.
                        || (step.piece == Piece::LogGroup && other.piece != Piece::LogGroup)
                }
                // What an update drops goes last, when nothing uses it any more.
                (Action::Delete, _) => updates,
                (_, Action::Delete) => false,
                _ => {
                    entry.needs.contains(&other.piece)
                        || entry.follows.contains(&other.piece)
                        || self.looks_first(other.piece, step.piece)
                        || self.is_found_by(other.piece, step.piece)
                }
            };
            first.then_some(other.piece)
        })
    }

    /// A bucket or role made elsewhere is only looked at: for one that is not there, nothing is made or changed.
    fn looks_first(&self, first: Piece, then: Piece) -> bool {
        let bucket = self.desired().bucket.existing;
        match first {
            Piece::Bucket => bucket && then != Piece::Bucket,
            Piece::Role => {
                self.desired().role.given.is_some() && then != Piece::Role && !(bucket && then == Piece::Bucket)
            }
            _ => false,
        }
    }

    /// Whether a piece is made after the one by which it would be found if this run was lost. Where nobody gave a name, the
    /// next run has another, and of all pieces only REST APIs can be looked for by their owner tag.
    fn is_found_by(&self, first: Piece, then: Piece) -> bool {
        let made = match then {
            Piece::Bucket => !self.desired().bucket.existing,
            Piece::Role => self.desired().role.given.is_none(),
            Piece::LogGroup => true,
            _ => false,
        };
        self.lives.unnamed && first == Piece::RestApi && made
    }

    /// The bucket's place in a delete. Data that must be kept stops everything, so the bucket goes first; where objects
    /// go with it, the API goes first, so that nobody writes while the bucket is emptied.
    fn goes_before(&self, first: Piece, then: Piece) -> bool {
        if self.force_destroy {
            (first, then) == (Piece::RestApi, Piece::Bucket)
        } else {
            first == Piece::Bucket && then != Piece::Bucket
        }
    }
}
