//! Calls of API Gateway at the pace that its quotas allow.
//!
//! The quotas are fixed, and all resources of an account and Region share them. A call over them is refused, and retries
//! of many such calls keep each other from getting through. So every call waits for its turn, first come, first served,
//! whichever resource or provider of this process it is made for. Other processes are not seen: for what they take away,
//! there are the SDK's retries, and these wait for their turn too.
//!
//! The wait is where the SDK asks how to sign: that is in every attempt, and before the signature, which holds for five
//! minutes only.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock, PoisonError};
use std::time::Duration;

use aws_sdk_apigateway::config::auth::{DefaultAuthSchemeResolver, Params, ResolveAuthScheme};
use aws_sdk_apigateway::operation::create_rest_api::CreateRestApiInput;
use aws_sdk_apigateway::types::EndpointType;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionsFuture;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use crate::apply::{Stop, Tell};

/// What is allowed of one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quota {
    operation: &'static str,
    calls: u32,
    seconds: u32,
}

/// The lane of `CreateRestApi` for edge-optimized APIs, which have a quota of their own.
const EDGE: &str = "edge-optimized CreateRestApi";

const QUOTAS: [Quota; 12] = [
    Quota { operation: "CreateRestApi", calls: 1, seconds: 3 },
    Quota { operation: EDGE, calls: 1, seconds: 30 },
    Quota { operation: "PutRestApi", calls: 1, seconds: 1 },
    Quota { operation: "CreateDeployment", calls: 1, seconds: 5 },
    Quota { operation: "DeleteRestApi", calls: 1, seconds: 30 },
    Quota { operation: "GetResources", calls: 5, seconds: 2 },
    Quota { operation: "CreateDomainName", calls: 1, seconds: 30 },
    Quota { operation: "UpdateDomainName", calls: 1, seconds: 30 },
    Quota { operation: "DeleteDomainName", calls: 1, seconds: 30 },
    Quota { operation: "UpdateUsagePlan", calls: 1, seconds: 20 },
    Quota { operation: "CreateApiKey", calls: 5, seconds: 1 },
    Quota { operation: "DeleteApiKey", calls: 5, seconds: 1 },
];

/// All operations together.
const TOTAL: Quota = Quota { operation: "management calls", calls: 10, seconds: 1 };
const TOTAL_BURST: u32 = 40;

/// How much slower than allowed the calls go: one may be quicker on its way than the one before it.
const SLACK: f64 = 1.05;

/// A wait that is longer than this is told to the user.
const LONG: Duration = Duration::from_secs(3);

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.calls {
            1 => write!(f, "one {} in {} s", self.operation, self.seconds),
            calls => write!(f, "{calls} {} in {} s", self.operation, self.seconds),
        }
    }
}

/// The schedule of a quota: `burst` calls at once, and one more after each `interval`.
#[derive(Debug)]
struct Bucket {
    interval: Duration,
    burst: u32,
    /// When the whole burst may be used again.
    full: Option<Instant>,
}

impl Bucket {
    fn new(quota: Quota, burst: u32, scale: f64) -> Bucket {
        let interval = f64::from(quota.seconds) / f64::from(quota.calls) * scale * SLACK;
        Bucket { interval: Duration::from_secs_f64(interval), burst, full: None }
    }

    /// When the next call may go: at `now`, or later.
    fn next(&self, now: Instant) -> Instant {
        let start = self.full.and_then(|full| full.checked_sub(self.interval * (self.burst - 1)));
        start.map_or(now, |start| start.max(now))
    }

    /// Notes that a call goes at `now`.
    fn take(&mut self, now: Instant) {
        self.full = Some(self.full.map_or(now, |full| full.max(now)) + self.interval);
    }
}

/// The schedules of one account and Region. Whoever holds a lock is next, and the lock itself keeps the order of those
/// who wait; one who gives up leaves the turn to the next.
#[derive(Debug)]
pub(super) struct Pace {
    lanes: Vec<(Quota, Mutex<Bucket>)>,
    total: Mutex<Bucket>,
}

/// Where calls count together: the account (or the key, where the account is not known), Region and custom endpoint.
pub(super) type Place = (String, String, Option<String>);

impl Pace {
    fn new(scale: f64) -> Pace {
        // The documentation does not say how much of a quota may be used at once, so its calls go evenly.
        let lane = |quota| (quota, Mutex::new(Bucket::new(quota, 1, scale)));
        Pace { lanes: QUOTAS.map(lane).into(), total: Mutex::new(Bucket::new(TOTAL, TOTAL_BURST, scale)) }
    }

    /// The one of this place. `scale` is how long a second of the documentation lasts.
    pub(super) fn of(place: Place, scale: f64) -> Arc<Pace> {
        static ALL: LazyLock<std::sync::Mutex<HashMap<Place, Arc<Pace>>>> = LazyLock::new(Default::default);
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(place).or_insert_with(|| Arc::new(Pace::new(scale))).clone()
    }

    fn lane(&self, operation: &str) -> Option<&(Quota, Mutex<Bucket>)> {
        self.lanes.iter().find(|(quota, _)| quota.operation == operation)
    }

    /// Waits until a call of this operation may go, and counts it.
    async fn turn(&self, operation: &str) {
        match self.lane(operation) {
            Some((_, bucket)) => {
                let mut bucket = bucket.lock().await;
                sleep_until(bucket.next(Instant::now())).await;
                self.any_turn().await;
                bucket.take(Instant::now());
            }
            None => self.any_turn().await,
        }
    }

    async fn any_turn(&self) {
        let mut total = self.total.lock().await;
        sleep_until(total.next(Instant::now())).await;
        total.take(Instant::now());
    }

    /// The quota behind a wait, in words.
    fn words(&self, operation: &str) -> String {
        let quota = self.lane(operation).map_or(TOTAL, |(quota, _)| *quota);
        format!("waiting: API Gateway allows {quota} for an account and Region")
    }
}

/// For whom is waited: when to give up, and how to tell the user.
pub(super) struct Waiting {
    pub(super) stop: Stop,
    pub(super) tell: Tell,
}

/// Lets each attempt of a call wait for its turn.
pub(super) struct InTurn {
    pace: Arc<Pace>,
    waiting: Option<Waiting>,
    options: DefaultAuthSchemeResolver,
}

impl InTurn {
    pub(super) fn new(pace: Arc<Pace>, waiting: Option<Waiting>) -> InTurn {
        InTurn { pace, waiting, options: DefaultAuthSchemeResolver::default() }
    }

    async fn wait(&self, operation: &str) -> Result<(), GaveUpWaiting> {
        let turn = self.pace.turn(operation);
        let Some(Waiting { stop, tell }) = &self.waiting else {
            turn.await;
            return Ok(());
        };
        if let Some(reason) = stop.reason() {
            return Err(GaveUpWaiting(reason));
        }
        let told = async {
            tokio::pin!(turn);
            tokio::select! {
                () = &mut turn => return,
                () = sleep(LONG) => tell(&self.pace.words(operation)),
            }
            turn.await;
            tell("");
        };
        tokio::select! {
            () = told => Ok(()),
            reason = stop.come() => Err(GaveUpWaiting(reason)),
        }
    }
}

impl fmt::Debug for InTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTurn").field("pace", &self.pace).finish_non_exhaustive()
    }
}

impl ResolveAuthScheme for InTurn {
    fn resolve_auth_scheme<'a>(
        &'a self,
        params: &'a Params,
        bag: &'a ConfigBag,
        components: &'a RuntimeComponents,
    ) -> AuthSchemeOptionsFuture<'a> {
        AuthSchemeOptionsFuture::new(async move {
            self.wait(bag.load::<Edge>().map_or(params.operation_name(), |_| EDGE)).await?;
            self.options.resolve_auth_scheme(params, bag, components).await
        })
    }
}

/// Why a call was not made.
#[derive(Debug)]
struct GaveUpWaiting(&'static str);

impl fmt::Display for GaveUpWaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for GaveUpWaiting {}

/// Why it was time to stop, where that kept a call from being made.
pub(super) fn gave_up_waiting(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(GaveUpWaiting(reason)) = error.downcast_ref::<GaveUpWaiting>() {
            return Some(reason);
        }
        next = error.source();
    }
    None
}

/// The mark of a call that makes an edge-optimized API.
#[derive(Debug)]
struct Edge;

impl Storable for Edge {
    type Storer = StoreReplace<Edge>;
}

/// Marks the calls that make edge-optimized APIs; where none is named, API Gateway makes one of these.
#[derive(Debug)]
pub(super) struct MarkEdge;

#[dyn_dispatch_hint]
impl Intercept for MarkEdge {
    fn name(&self) -> &'static str {
        "MarkEdge"
    }

    fn read_before_execution(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input().downcast_ref::<CreateRestApiInput>() {
            let types = input.endpoint_configuration().map(|endpoint| endpoint.types()).unwrap_or_default();
            if types.is_empty() || types.contains(&EndpointType::Edge) {
                bag.interceptor_state().store_put(Edge);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
