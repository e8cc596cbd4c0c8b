//! The two databases: a folder with a SQLite file, or a database of a PostgreSQL server.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde::Serialize;
use tokio_postgres::NoTls;
use url::Url;

use crate::{Result, process::allowed_cores};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    Sqlite,
    Postgres,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Where one participant keeps its data. The server wants a folder beside PostgreSQL too.
pub struct Place {
    pub folder: PathBuf,
    /// Its own database, unless that is a SQLite file in the folder.
    pub url: Option<Url>,
}

impl Place {
    pub async fn new(name: &str, parent: &Path, postgres: Option<&Postgres>) -> Result<Self> {
        let folder = parent.join(name);
        fs::create_dir_all(&folder)?;
        let url = match postgres {
            Some(postgres) => Some(postgres.create(name, None).await?),
            None => None,
        };
        Ok(Self { folder, url })
    }

    /// A copy under another name; nobody may be using the original.
    pub async fn copy(&self, name: &str, postgres: Option<&Postgres>) -> Result<Self> {
        let folder = self.folder.with_file_name(name);
        copy_folder(&self.folder, &folder)?;
        let url = match (postgres, &self.url) {
            (Some(postgres), Some(url)) => Some(postgres.create(name, Some(url)).await?),
            _ => None,
        };
        Ok(Self { folder, url })
    }
}

impl Place {
    /// Runs a statement beside the server, in a transaction of its own.
    pub async fn execute(&self, sql: &str) -> Result<()> {
        match &self.url {
            Some(url) => connect(url).await?.batch_execute(sql).await?,
            None => self.sqlite()?.execute_batch(sql)?,
        }
        Ok(())
    }

    /// The number that a query asks for.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        Ok(match &self.url {
            Some(url) => connect(url).await?.query_one(sql, &[]).await?.get(0),
            None => self.sqlite()?.query_row(sql, [], |row| row.get(0))?,
        })
    }

    pub fn sqlite(&self) -> Result<rusqlite::Connection> {
        Ok(rusqlite::Connection::open(self.folder.join("appmarket.db"))?)
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A PostgreSQL server on which databases may be created.
pub struct Postgres {
    url: Url,
}

impl Postgres {
    pub fn new(url: Url) -> Self {
        Self { url }
    }

    /// An empty database, or a copy of `template`; one left over from an earlier run goes away.
    async fn create(&self, name: &str, template: Option<&Url>) -> Result<Url> {
        let name = format!("appmarket_bench_{name}");
        let server = connect(&self.url).await?;
        server.batch_execute(&drop_sql(&name)).await?;
        let template = template.map(|url| format!(" TEMPLATE {}", url.path().trim_matches('/')));
        let create = format!("CREATE DATABASE {name}{}", template.unwrap_or_default());
        server.batch_execute(&create).await?;
        let mut url = self.url.clone();
        url.set_path(&name);
        Ok(url)
    }

    pub async fn drop(&self, place: &Place) -> Result<()> {
        if let Some(url) = &place.url {
            let name = url.path().trim_matches('/');
            connect(&self.url).await?.batch_execute(&drop_sql(name)).await?;
        }
        Ok(())
    }

    /// Whether the server runs on `core` alone; `None` when its process is not on this machine.
    pub async fn is_pinned_to(&self, core: usize) -> Result<Option<bool>> {
        let server = connect(&self.url).await?;
        let pid: i32 = server.query_one("SELECT pg_backend_pid()", &[]).await?.get(0);
        let is_local = fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|command| command.starts_with("postgres"));
        if !is_local {
            return Ok(None);
        }
        Ok(Some(allowed_cores(&pid.to_string())? == [core]))
    }
}

fn drop_sql(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

pub async fn connect(url: &Url) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
