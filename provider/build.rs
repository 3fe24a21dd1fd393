//! Compiles the protocol definitions. Needs no `protoc`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let definitions = [
        "pulumi/provider.proto",
        "pulumi/engine.proto",
        "pulumi/resource_status.proto",
        "pulumi/errors.proto",
        "google/rpc/status.proto",
    ];
    let descriptors = protox::compile(definitions, ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
