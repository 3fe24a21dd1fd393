//! Talking back to the engine: progress, warnings.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use super::wire::engine_client::EngineClient;
use super::wire::{LogRequest, LogSeverity};

/// How long a message to the engine may take. Messages are a courtesy; nothing waits for them longer.
const PATIENCE: Duration = Duration::from_secs(2);

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
