//! `pulumi-resource-s3dataproxy [FLAGS] [ENGINE]`: the engine starts it with its own address as the last word; without
//! one it waits for an engine to attach (`PULUMI_DEBUG_PROVIDERS`).

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut engine = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--version" => {
                use std::io::Write;
                writeln!(std::io::stdout(), "{}", s3dataproxy_schema::VERSION)?;
                return Ok(());
            }
            // The engine's flags for its own plugins. They are of no use here and must not be errors.
            "--tracing" => drop(words.next()),
            flag if flag.starts_with('-') => {}
            address => engine = Some(address.to_owned()),
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(s3dataproxy::rpc::serve::serve(engine));
    // The thread that reads stdin may block for good; it must not keep the process.
    runtime.shutdown_background();
    result
}
