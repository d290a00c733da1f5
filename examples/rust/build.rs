//! Generates the stubs from the hub's contract, with a protobuf compiler that is itself a crate.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = "../../proto";
    println!("cargo:rerun-if-changed={folder}");
    let contract = protox::compile(["claw/chat/v1/chat_hub.proto"], [folder])?;
    tonic_prost_build::configure().build_server(false).build_transport(false).compile_fds(contract)?;
    Ok(())
}
