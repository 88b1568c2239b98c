//! What a run leaves on disk, and the model it trained.

pub mod checkpoint;
pub mod event;
pub mod folder;
pub mod trained;
