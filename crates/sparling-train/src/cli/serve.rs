//! `sparling serve`.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::configuration;
use super::output::{say, warn};
use crate::backend::Backend;
use crate::run::folder::RunFolder;
use crate::serve::{self, Models};

/// What `serve` takes.
#[derive(Debug, Args)]
pub struct Serve {
    /// The run's folder.
    run: PathBuf,
    /// The port to answer on; 0 takes any that is free.
    #[arg(long, default_value_t = 7878)]
    port: u16,
    /// The address to answer on; every one but this machine's own is open to others.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Take examples from this folder instead of the one that the run was trained on.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where to compute.
    #[arg(long)]
    backend: Option<Backend>,
}

impl Serve {
    pub(super) fn run(self) -> Result<()> {
        let backend = Backend::choose(self.backend, "serve")?;
        let config = configuration::of_run(&RunFolder::open(&self.run)?, self.data.as_deref())?;
        let domain: Arc<dyn sparling_data::Domain> = Arc::from(config.build_domain()?);
        domain.prepare()?;
        let models = Models::of(&self.run, domain, backend)?;
        let listener = TcpListener::bind((self.address, self.port)).with_context(|| {
            format!(
                "cannot answer on {} at port {}; choose another with --port, or 0 for any that is free",
                self.address, self.port
            )
        })?;
        if !self.address.is_loopback() {
            warn(format_args!(
                "whoever reaches {} can use this page: nothing asks for a password",
                self.address
            ));
        }
        let address = listener.local_addr()?;
        say!("{} at http://{address}/ until Ctrl-C", self.run.display());
        Ok(serve::answer_on(listener, models)?)
    }
}
