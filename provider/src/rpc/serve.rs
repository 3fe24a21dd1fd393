//! The process: bind, print the port, serve, and go when the engine goes.

use std::error::Error;
use std::io::{Read, Write};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::server::TcpIncoming;

use super::wire::resource_provider_server::ResourceProviderServer;
use super::{MESSAGE_LIMIT, Provider};

/// How long operations may take to stop once nobody waits for them.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the last answers may take to leave.
const FAREWELL: Duration = Duration::from_millis(500);

/// Serves until the engine is gone or a signal comes. Without an engine's address it serves whoever attaches.
pub async fn serve(engine_address: Option<String>) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let provider = Provider::new(engine_address.as_deref());
    let service = ResourceProviderServer::new(provider.clone())
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    // The one line that the engine reads. Nothing else is ever written to stdout.
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", listener.local_addr()?.port())?;
    stdout.flush()?;

    let server = tonic::transport::Server::builder();
    // Without it an answer of more than one packet waits for the engine's delayed acknowledgement, 40 ms each time.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stopped, has_stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = engine_gone(engine_address) => {}
        }
        // Whoever ends the process waits only a few seconds: stop between two AWS calls if that is possible.
        let _ = tokio::time::timeout(PATIENCE, provider.stop()).await;
        let _ = stopped.send(());
    };
    // The answers of what was stopped tell what exists; a client that keeps its connection must not keep the process.
    tokio::select! {
        result = server.serve_with_incoming_shutdown(service, incoming, stop) => result?,
        () = async { let _ = has_stopped.await; tokio::time::sleep(FAREWELL).await } => {}
    }
    Ok(())
}

/// Waits until the engine that started this process is gone. It holds the other end of stdin; since others may close
/// that too, the engine's own address has to be silent as well.
async fn engine_gone(address: Option<String>) {
    let Some(address) = address else { return std::future::pending().await };
    let (closed, end_of_input) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut ignored = [0; 64];
        while matches!(std::io::stdin().read(&mut ignored), Ok(count) if count > 0) {}
        let _ = closed.send(());
    });
    let _ = end_of_input.await;
    while TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
