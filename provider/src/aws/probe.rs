//! The readiness probe: does the URL answer from S3 yet?
//!
//! API Gateway accepts a role before it can assume it; for the first seconds every request fails. The probe asks for a
//! key that cannot exist until S3's own "no such key" comes back.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation as HttpOperation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use s3dataproxy_schema::Operation;
use tokio::time::Instant;

use crate::apply::Stop;

/// How long to wait for readiness in all, and between two tries. IAM spreads a new role within seconds, rarely a minute.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_secs(2);

/// A key that nobody has.
const KEY: &str = "s3dataproxy-readiness-probe/f3b1c9d2-6f0e-4d43-9f0a-1d8f0a4f6f53";

/// Sends probes through the HTTP client that everything else uses.
#[derive(Clone, Debug)]
pub struct Probe {
    http: Option<SharedHttpClient>,
}

/// What a probe saw.
#[derive(Debug)]
enum Seen {
    /// S3 answered.
    Ready,
    /// Something else did, in words.
    NotYet(String),
}

impl Probe {
    pub(super) fn new(sdk: &SdkConfig) -> Probe {
        Probe { http: sdk.http_client() }
    }

    /// Waits until the URL answers from S3. What keeps it from doing so after two minutes is told in words.
    pub async fn wait(&self, invoke_url: &str, operations: &[Operation], stop: &Stop) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        // Without GET there is no body to read; the status has to do. A write would be none of ours to try.
        let (method, target) = match operations {
            all if all.contains(&Operation::Get) => ("GET", format!("/{KEY}")),
            all if all.contains(&Operation::Head) => ("HEAD", format!("/{KEY}")),
            all if all.contains(&Operation::List) => ("GET", "/?max-keys=1".to_owned()),
            _ => return Ok(()),
        };
        let mut last = String::new();
        while Instant::now() < end && stop.reason().is_none() {
            match self.look(method, target.clone(), invoke_url).await {
                Seen::Ready => return Ok(()),
                Seen::NotYet(reason) => last = reason,
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancel.cancelled() => break,
            }
        }
        Err(last)
    }

    async fn look(&self, method: &'static str, target: String, invoke_url: &str) -> Seen {
        let mut operation = HttpOperation::builder()
            .service_name("s3dataproxy")
            .operation_name("Probe")
            .no_auth()
            .no_retry()
            .endpoint_url(invoke_url)
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(10)).build())
            .serializer(move |(): ()| {
                let mut request = HttpRequest::new(SdkBody::empty());
                request.set_method(method)?;
                // Below the endpoint's own path.
                request.set_uri(target.clone())?;
                Ok(request)
            })
            .deserializer(|response| {
                let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned();
                Ok::<_, OrchestratorError<std::convert::Infallible>>((response.status().as_u16(), body))
            });
        if let Some(http) = &self.http {
            operation = operation.http_client(http.clone());
        }
        match operation.build().invoke(()).await {
            Ok((200, body)) if body.contains("<ListBucketResult") => Seen::Ready,
            Ok((404, body)) if method == "HEAD" || body.contains("NoSuchKey") => Seen::Ready,
            Ok((status, body)) => {
                Seen::NotYet(format!("status {status}, {}", body.chars().take(200).collect::<String>()))
            }
            Err(error) => Seen::NotYet(aws_smithy_types::error::display::DisplayErrorContext(&error).to_string()),
        }
    }
}
