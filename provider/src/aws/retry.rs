//! What the SDK's retries have to be told about API Gateway and S3, and when to stop trying to connect.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{FinalizerInterceptorContextMut, InterceptorContext};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// How often a connection is tried before the endpoint counts as unreachable. Throttling may take minutes and is retried
/// for as long, but a mistyped endpoint must not look like a hang.
const CONNECTION_ATTEMPTS: u32 = 3;

/// Conflicts that pass by themselves are retried; limits that do not are not.
///
/// API Gateway answers 409 "try again later" while another write on the same API is under way, and S3 answers 409
/// `OperationAborted` while a bucket is being changed; CloudWatch Logs answers 400 `OperationAbortedException` for a log
/// group. The SDK takes `LimitExceededException` for a pace; but what says "Maximum number of" at API Gateway, and any at
/// CloudWatch Logs, whose own for a pace is `ThrottlingException`, is a hard limit.
/// Source: <https://github.com/hashicorp/terraform-provider-aws/issues/37605>,
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
#[derive(Debug)]
pub(super) struct Conflicts;

impl ClassifyRetry for Conflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(response) = context.response() else { return RetryAction::NoActionIndicated };
        let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
        match response.status().as_u16() {
            409 if body.contains("try again later") || body.contains("OperationAborted") => {
                RetryAction::throttling_error()
            }
            400 if body.contains("OperationAbortedException") => RetryAction::throttling_error(),
            429 if body.contains("Maximum number of") => RetryAction::RetryForbidden,
            400 if body.contains("LimitExceededException") => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "conflicts of API Gateway and S3"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// For calls that make something new each time they take effect: only an answer that says "not done, slower" is retried.
#[derive(Debug)]
pub(crate) struct OnlyRefusals;

impl ClassifyRetry for OnlyRefusals {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(409 | 429) => RetryAction::NoActionIndicated,
            Some(status) if status < 500 => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "only refusals"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(Conflicts.priority())
    }
}

/// Makes the last permitted connection error final, by taking its kind away, which is what the SDK retries.
#[derive(Debug)]
pub(super) struct GiveUpConnecting;

/// The last of several connection errors.
#[derive(Debug)]
struct GaveUp {
    connected: bool,
    words: String,
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Error for GaveUp {}

/// Whether there was a connection before this error: if so, the call may have taken effect.
pub(super) fn connected(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(gave_up) = error.downcast_ref::<GaveUp>() {
            return gave_up.connected;
        }
        // The HTTP client's own type is private; its words are all there is.
        if error.to_string().contains("(Connect)") {
            return false;
        }
        next = error.source();
    }
    true
}

/// How often no connection came about in this operation.
#[derive(Debug)]
struct Failures(u32);

impl Storable for Failures {
    type Storer = StoreReplace<Failures>;
}

#[dyn_dispatch_hint]
impl Intercept for GiveUpConnecting {
    fn name(&self) -> &'static str {
        "GiveUpConnecting"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error_mut() else { return Ok(()) };
        let unreached = error.is_timeout_error()
            || error.as_connector_error().is_some_and(|error| error.is_io() || error.is_timeout());
        if !unreached {
            return Ok(());
        }
        let failures = bag.load::<Failures>().map_or(0, |failures| failures.0) + 1;
        bag.interceptor_state().store_put(Failures(failures));
        if failures >= CONNECTION_ATTEMPTS {
            let source = match error.as_connector_error() {
                Some(error) => GaveUp { connected: connected(error), words: super::error::innermost(error) },
                None => GaveUp { connected: true, words: "no answer in time".to_owned() },
            };
            *error = OrchestratorError::connector(ConnectorError::other(source.into(), None));
        }
        Ok(())
    }
}
