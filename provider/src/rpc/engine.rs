//! Talking back to the engine: progress, warnings, and whether it is new enough.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::wire::engine_client::EngineClient;
use super::wire::{LogRequest, LogSeverity, RequirePulumiVersionRequest};

/// How long a message to the engine may take. Messages are a courtesy; nothing waits for them longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The engines that do all the plugin counts on; the latest of it are the views of a destroy.
const VERSIONS: &str = ">=3.180.0";

/// The engine, once its address is known. In attach mode it has another one at every command.
#[derive(Debug, Default)]
pub(super) struct Engine(Mutex<Option<(String, Channel)>>);

impl Engine {
    /// Remembers where the engine is. The connection is made with the first message.
    pub(super) fn connect(&self, address: &str) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if address.is_empty() || current.as_ref().is_some_and(|(known, _)| known == address) {
            return;
        }
        if let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) {
            *current = Some((address.to_owned(), endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).connect_lazy()));
        }
    }

    /// Fails where the engine says that it is too old. One that cannot be asked may go on: what it does not know shows in
    /// what it sends, see [`super::session::Session::new`].
    pub(super) async fn require_version(&self) -> Result<(), Status> {
        let channel = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((_, channel)) = channel else { return Ok(()) };
        let request = RequirePulumiVersionRequest { pulumi_version_range: VERSIONS.to_owned() };
        match EngineClient::new(channel).require_pulumi_version(request).await {
            // Without a source it is the engine's own word, and no broken connection.
            Err(no) if no.code() == Code::Unknown && no.source().is_none() => Err(too_old(no.message())),
            _ => Ok(()),
        }
    }

    /// Text in the resource's row while the operation goes on.
    pub(super) fn progress(&self, urn: &str, message: &str) {
        let send = self.send(LogSeverity::Info, urn, message, true);
        tokio::spawn(send);
    }

    /// A warning that stays.
    pub(super) async fn warn(&self, urn: &str, message: &str) {
        self.send(LogSeverity::Warning, urn, message, false).await;
    }

    fn send(
        &self,
        severity: LogSeverity,
        urn: &str,
        message: &str,
        ephemeral: bool,
    ) -> impl Future<Output = ()> + Send + 'static {
        let channel = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = LogRequest {
            severity: severity as i32,
            message: message.to_owned(),
            urn: urn.to_owned(),
            stream_id: 0,
            ephemeral,
        };
        async move {
            if let Some((_, channel)) = channel {
                // A message that does not get through must not fail the operation.
                let _ = EngineClient::new(channel).log(request).await;
            }
        }
    }
}

/// What is said to an engine that is too old.
pub(super) fn too_old(why: &str) -> Status {
    Status::failed_precondition(format!(
        "this Pulumi CLI is too old for s3dataproxy ({why}): install a newer one, https://www.pulumi.com/docs/install"
    ))
}
