//! The same shapes written in other frameworks; their sources are in `benches/peers`.

use std::{fs, path::PathBuf, process::Command};

use crate::{
    Participant, Result,
    database::{Database, Place, connect},
    process::{Cores, Process, free_address, pinned},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Fastify,
    FastApi,
}

impl Peer {
    pub const ALL: [Self; 2] = [Self::Fastify, Self::FastApi];

    pub fn label(self, database: Database) -> &'static str {
        match (self, database) {
            (Self::Fastify, Database::Sqlite) => "Fastify + better-sqlite3",
            (Self::Fastify, Database::Postgres) => "Fastify + pg",
            (Self::FastApi, _) => "FastAPI + SQLAlchemy",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Fastify => "fastify",
            Self::FastApi => "fastapi",
        }
    }

    pub fn is_installed(self) -> bool {
        folder(self.name()).join(self.installed()).exists()
    }

    /// What `install.sh` adds to the peer's folder.
    fn installed(self) -> &'static str {
        match self {
            Self::Fastify => "node_modules",
            Self::FastApi => ".venv/bin/python",
        }
    }

    fn command(self, cores: Cores) -> Command {
        let folder = folder(self.name());
        match self {
            Self::Fastify => {
                let mut command = pinned(cores.server, "node");
                command.env("NODE_ENV", "production").arg(folder.join("server.js"));
                command
            }
            Self::FastApi => {
                let mut command = pinned(cores.server, folder.join(self.installed()));
                command.arg(folder.join("server.py"));
                command
            }
        }
    }

    /// Makes the tables with this many offerings, and starts the server on them.
    pub async fn start(
        self,
        database: Database,
        place: &Place,
        offerings: u64,
        cores: Cores,
    ) -> Result<Participant> {
        let storage = match &place.url {
            None => {
                let file = place.folder.join("peer.db");
                let connection = rusqlite::Connection::open(&file)?;
                connection.pragma_update(None, "journal_mode", "WAL")?;
                let schema = schema("integer PRIMARY KEY", "text", offerings)?;
                connection.execute_batch(&format!("BEGIN; {schema} COMMIT; ANALYZE;"))?;
                file.display().to_string()
            }
            Some(url) => {
                let id = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
                let client = connect(url).await?;
                client.batch_execute(&schema(id, "timestamptz", offerings)?).await?;
                client.batch_execute("VACUUM ANALYZE").await?;
                url.to_string()
            }
        };
        let address = free_address()?;
        let mut command = self.command(cores);
        command.arg(address.port().to_string()).arg(storage);
        let log = place.folder.with_extension("log");
        Ok(Participant {
            label: self.label(database).to_owned(),
            process: Process::start(command, address, "/v1/app_offerings", log).await?,
            // The peers ask for none.
            token: "none".to_owned(),
            service_instance: 1,
            item: offerings / 2,
        })
    }
}

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "benches", "peers", name].iter().collect()
}

fn schema(id: &str, timestamp: &str, offerings: u64) -> Result<String> {
    let text = fs::read_to_string(folder("schema.sql"))?;
    Ok(text
        .replace("{id}", id)
        .replace("{timestamp}", timestamp)
        .replace("{rows}", &offerings.to_string()))
}
