//! The plugin, as one straight line:
//!
//! ```text
//! bytes → Value → Inputs → Desired → Plan → State → outputs → Value → bytes
//! └─ rpc ─┘     └────── pure ──────┘   └AWS┘ └─ pure ─┘     └─ rpc ─┘
//! ```
//!
//! Every RPC is a prefix of it. The modules stand in reading order.

pub mod value;

pub mod inputs;
pub mod names;
pub mod owner;
pub mod rules;

pub mod desired;
pub mod partition;
pub mod pieces;
pub mod policy;

pub mod diff;
pub mod plan;
pub mod state;

pub mod adopt;
pub mod apply;
pub mod aws;
pub mod error;
pub mod import;
pub mod lives;
pub mod observe;
pub mod ours;
pub mod unrecorded;

pub mod outputs;

pub mod rpc;

#[cfg(test)]
mod tidy;
