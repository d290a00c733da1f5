//! The stubs that the build makes from the contract.

tonic::include_proto!("claw.chat.v1");
