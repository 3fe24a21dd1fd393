//! The gRPC server that the engine talks to. The only room that knows the wire.

use std::collections::{BTreeSet, HashSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

mod check;
pub mod codec;
mod config;
mod diff;
mod engine;
mod lifecycle;
mod record;
pub mod serve;
mod session;
mod status;
mod views;

/// The generated protocol types.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod wire {
    tonic::include_proto!("pulumirpc");
}

/// The generated error details.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod google {
    tonic::include_proto!("google.rpc");
}

use engine::Engine;
use record::Record;
use session::Session;
use wire::resource_provider_server::ResourceProvider;

/// The engine's limit for a message; tonic's own is smaller.
pub const MESSAGE_LIMIT: usize = 400 * 1024 * 1024;

/// The plugin's side of the protocol.
#[derive(Clone, Default)]
pub struct Provider(Arc<Shared>);

/// What all calls share.
#[derive(Default)]
struct Shared {
    engine: Engine,
    /// Made by `Configure`.
    session: Mutex<Option<Arc<Session>>>,
    /// Set by `Cancel` for everything that is under way; a new one begins with the next command.
    cancel: Mutex<CancellationToken>,
    /// Lifecycle operations under way.
    busy: tokio_util::task::TaskTracker,
    /// Whether the engine knows views, and the operations whose views were published.
    views: Mutex<(bool, HashSet<String>)>,
    record: Mutex<Record>,
}

impl Shared {
    fn supports_views(&self) -> bool {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What this command has told of its resources. Never held across an await.
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this operation's views have not been published yet.
    fn first_use(&self, token: &str) -> bool {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).1.insert(token.to_owned())
    }
}

impl Provider {
    /// A provider that talks back to the engine at this address, as the command line gave it.
    pub fn new(engine_address: Option<&str>) -> Provider {
        let provider = Provider::default();
        if let Some(address) = engine_address {
            provider.0.engine.connect(address);
        }
        provider
    }

    /// Stops everything under way at the next safe point and waits for it.
    pub async fn stop(&self) {
        self.cancel_token().cancel();
        self.0.busy.close();
        self.0.busy.wait().await;
    }

    fn cancel_token(&self) -> CancellationToken {
        self.0.cancel.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn session(&self) -> Result<Arc<Session>, Status> {
        let session = self.0.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        session.ok_or_else(|| Status::failed_precondition("the provider is not configured yet"))
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Stream<T> = Pin<Box<dyn futures_util::Stream<Item = Result<T, Status>> + Send>>;

fn unimplemented<T>(what: &str) -> Answer<T> {
    Err(Status::unimplemented(format!("s3dataproxy has no {what}")))
}

#[tonic::async_trait]
impl ResourceProvider for Provider {
    async fn handshake(
        &self,
        request: Request<wire::ProviderHandshakeRequest>,
    ) -> Answer<wire::ProviderHandshakeResponse> {
        let request = request.into_inner();
        self.0.engine.connect(&request.engine_address);
        self.0.engine.require_version().await?;
        *self.0.views.lock().unwrap_or_else(PoisonError::into_inner) = (request.supports_views, HashSet::new());
        *self.0.record() = Record::default();
        // In attach mode a command that was cancelled must not spoil the next one.
        let mut cancel = self.0.cancel.lock().unwrap_or_else(PoisonError::into_inner);
        if cancel.is_cancelled() {
            *cancel = CancellationToken::new();
        }
        Ok(Response::new(wire::ProviderHandshakeResponse {
            accept_secrets: true,
            accept_resources: true,
            accept_outputs: true,
            supports_autonaming_configuration: true,
            accepts_byte_string: true,
        }))
    }

    async fn get_schema(&self, request: Request<wire::GetSchemaRequest>) -> Answer<wire::GetSchemaResponse> {
        match request.into_inner().version {
            0 => Ok(Response::new(wire::GetSchemaResponse { schema: s3dataproxy_schema::SCHEMA.to_owned() })),
            version => Err(Status::invalid_argument(format!("there is no schema of version {version}, only of 0"))),
        }
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Answer<wire::PluginInfo> {
        Ok(Response::new(wire::PluginInfo { version: s3dataproxy_schema::VERSION.to_owned() }))
    }

    async fn attach(&self, request: Request<wire::PluginAttach>) -> Answer<()> {
        self.0.engine.connect(&request.into_inner().address);
        Ok(Response::new(()))
    }

    async fn check_config(&self, request: Request<wire::CheckRequest>) -> Answer<wire::CheckResponse> {
        config::check(request.into_inner()).map(Response::new)
    }

    async fn diff_config(&self, request: Request<wire::DiffRequest>) -> Answer<wire::DiffResponse> {
        config::diff(request.into_inner()).map(Response::new)
    }

    async fn configure(&self, request: Request<wire::ConfigureRequest>) -> Answer<wire::ConfigureResponse> {
        let session = Session::new(request.into_inner())?;
        *self.0.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(session));
        Ok(Response::new(wire::ConfigureResponse {
            accept_secrets: true,
            supports_preview: true,
            accept_resources: true,
            accept_outputs: true,
            supports_autonaming_configuration: true,
        }))
    }

    async fn check(&self, request: Request<wire::CheckRequest>) -> Answer<wire::CheckResponse> {
        // The engine configures a provider first, unless its configuration is not known yet.
        let session = self.session().ok();
        let default_tags = session.as_ref().map(|session| session.default_tags()).unwrap_or_default();
        let region = session.and_then(|session| session.region());
        check::check(&default_tags, region.as_deref(), &self.0, request.into_inner()).map(Response::new)
    }

    async fn diff(&self, request: Request<wire::DiffRequest>) -> Answer<wire::DiffResponse> {
        diff::diff(&*self.session()?, &self.0, request.into_inner()).map(Response::new)
    }

    async fn create(&self, request: Request<wire::CreateRequest>) -> Answer<wire::CreateResponse> {
        self.spawn(lifecycle::create(self.clone(), request.into_inner())).await
    }

    async fn read(&self, request: Request<wire::ReadRequest>) -> Answer<wire::ReadResponse> {
        self.spawn(lifecycle::read(self.clone(), request.into_inner())).await
    }

    async fn update(&self, request: Request<wire::UpdateRequest>) -> Answer<wire::UpdateResponse> {
        self.spawn(lifecycle::update(self.clone(), request.into_inner())).await
    }

    async fn delete(&self, request: Request<wire::DeleteRequest>) -> Answer<()> {
        self.spawn(lifecycle::delete(self.clone(), request.into_inner())).await
    }

    async fn cancel(&self, _: Request<()>) -> Answer<()> {
        self.cancel_token().cancel();
        Ok(Response::new(()))
    }

    async fn parameterize(&self, _: Request<wire::ParameterizeRequest>) -> Answer<wire::ParameterizeResponse> {
        unimplemented("parameters")
    }

    async fn invoke(&self, _: Request<wire::InvokeRequest>) -> Answer<wire::InvokeResponse> {
        unimplemented("functions")
    }

    async fn call(&self, _: Request<wire::CallRequest>) -> Answer<wire::CallResponse> {
        unimplemented("methods")
    }

    async fn construct(&self, _: Request<wire::ConstructRequest>) -> Answer<wire::ConstructResponse> {
        unimplemented("components")
    }

    type ListStream = Stream<wire::ListResponse>;

    async fn list(&self, _: Request<wire::ListRequest>) -> Answer<Self::ListStream> {
        unimplemented("lists")
    }

    async fn get_mapping(&self, _: Request<wire::GetMappingRequest>) -> Answer<wire::GetMappingResponse> {
        unimplemented("mapping")
    }

    async fn get_mappings(&self, _: Request<wire::GetMappingsRequest>) -> Answer<wire::GetMappingsResponse> {
        unimplemented("mappings")
    }
}

impl Provider {
    /// Runs a lifecycle operation as a task of its own: when the engine drops the call, tonic drops the handler, and a
    /// half-done sequence of AWS calls must not be dropped with it.
    async fn spawn<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, Status>> + Send + 'static,
    ) -> Answer<T> {
        match self.0.busy.spawn(operation).await {
            Ok(answer) => answer.map(Response::new),
            Err(_) => Err(Status::internal("the operation broke off because of a bug in s3dataproxy")),
        }
    }
}

/// A random number from the standard library's hasher, which seeds itself from the system.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// The top-level names of property paths, each once.
fn tops<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    paths.map(|path| crate::diff::top(path).to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}
