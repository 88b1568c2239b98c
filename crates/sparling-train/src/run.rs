//! What a run leaves on disk, and the model it trained.

pub mod begin;
pub mod changes;
pub mod checkpoint;
pub mod event;
pub mod folder;
pub mod lock;
pub mod log;
pub mod trained;
