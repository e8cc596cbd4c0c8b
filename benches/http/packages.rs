//! The cases of app packages: the server beside a bare handler.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::{
    BARE, Benchmark, Result, SERVER, Target, bare,
    cases::{Case, LIST, expect_equal, item_path},
    client::{Answer, Client},
    database::{Database, Place, Postgres},
    load::Work,
    process::Process,
    progress,
    report::{CROWD, LARGE, Report, SMALL, case_name},
    server::{ACCOUNT, Server, post_all},
    transfer,
};

/// What a package is compared with: one app offering, of the same server.
pub const OFFERING: &str = "appmarket, one offering";
pub const BARE_MD5: &str = "bare axum, with MD5";

const PACKAGES: &str = "/api/platform/appdev/apppackages";
const SUBSCRIPTIONS: &str = "/api/platform/appdev/appsubscriptions/events";
const TICKETS: &str = "/api/platform/applications/authtickets";
/// Where files are uploaded, as axum's router takes it.
const UPLOADS: &str = "/api/platform/developer/packages/{key}/files/{name}";

const NAMESPACE: &str = "bench";
const BEHAVIORS: usize = 50;
const SUBSCRIBED: u64 = 20;
const FILES: u64 = 200;
const FILES_OF_TREE: u64 = 2_000;

/// Large files at once: enough that one waits for its disk while another is received.
const TRANSFERS: u32 = 4;
/// What the target of memory speaks of.
const UPLOADERS: u32 = 32;

/// A running server with its packages.
struct Library {
    process: Process,
    place: Place,
    /// Of the application `load`, which may do everything.
    token: String,
    secret: String,
    /// Of a person, for offerings.
    person: String,
    /// Id of an offering.
    offering: u64,
}

fn key(application: &str) -> String {
    format!("{NAMESPACE}.{application}.1.0.0.Release")
}

fn package(application: &str) -> String {
    format!("{PACKAGES}/{}", key(application))
}

fn with_children(application: &str) -> String {
    format!("{}?includeChildren=true", package(application))
}

fn collection() -> String {
    format!("{PACKAGES}/collection")
}

fn tree(application: &str) -> String {
    format!("/api/platform/developer/packages/{}/metadata", key(application))
}

fn upload(application: &str, name: &str) -> String {
    UPLOADS.replace("{key}", &key(application)).replace("{name}", name)
}

fn download(application: &str, name: &str) -> String {
    let key = key(application);
    format!("/api/platform/appdev/filebasedpackage/packages/{key}?fileName={name}")
}

fn new_package(application: &str) -> String {
    json!({"appKey": key(application), "parentThemeAppKey": null}).to_string()
}

fn small_file() -> Bytes {
    vec![b'x'; 1024].into()
}

/// Content of one of many files, none like another.
fn numbered_file(number: u64) -> Bytes {
    format!("// File {number}\n").into()
}

impl Library {
    async fn client(&self) -> Result<Client> {
        Client::connect(self.process.address, Some(&self.token)).await
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        self.client().await?.get(path).await?.expect(200)
    }

    async fn post(&self, path: &str, body: impl Into<Bytes>) -> Result<Answer> {
        self.client().await?.post(path, body).await?.expect(200)
    }

    fn target(&self, path: String) -> Target<'_> {
        Target::new(SERVER, &self.process, &self.token, path)
    }

    /// Starts a server on an empty place and fills it through itself.
    async fn fill(server: &Server, place: Place, wants: impl Fn(Case) -> bool) -> Result<Self> {
        let process = server.launch(&place).await?;
        server.command(&place, &["namespace", "create", NAMESPACE, "--account", ACCOUNT])?;
        let (secret, behaviors) = application(server, &place, "load", "all")?;
        let token = log_in(&process, &secret).await?;
        let person = server.token(&place)?;
        let mut client = Client::connect(process.address, Some(&person)).await?;
        let offering = client.get(LIST).await?.expect(200)?.json()?[0]["id"].as_u64();
        let offering = offering.ok_or("there is no demo offering")?;
        let library = Self { process, place, token, secret, person, offering };
        if wants(Case::Children) {
            library.fill_children(server, &behaviors).await?;
        }
        if wants(Case::Tree) {
            library.add("tree").await?;
            library.upload_many("tree", FILES_OF_TREE).await?;
        }
        if wants(Case::SmallFiles) {
            library.add("small").await?;
            library.post(&upload("small", "down.txt"), small_file()).await?;
        }
        if wants(Case::LargeFiles) || wants(Case::Uploads) {
            library.add("large").await?;
            let stored = library.post(&upload("large", "down.bin"), transfer::content()).await?;
            let md5 = hex::encode(Md5::digest(transfer::content()));
            expect_equal("checkSum", stored.json()?["checkSum"].as_str(), Some(md5.as_str()))?;
        }
        Ok(library)
    }

    /// The same on a server that has done nothing yet.
    async fn restart(self, server: &Server) -> Result<Self> {
        self.process.stop().await?;
        let process = server.launch(&self.place).await?;
        // It has another address, which its tickets name.
        let token = log_in(&process, &self.secret).await?;
        Ok(Self { process, token, ..self })
    }

    /// An application with the full package.
    async fn fill_children(&self, server: &Server, behaviors: &[u64]) -> Result<()> {
        let behaviors: Vec<_> = behaviors.iter().take(BEHAVIORS).map(u64::to_string).collect();
        application(server, &self.place, "children", &behaviors.join(","))?;
        let package = self.get(&package("children")).await?.json()?["id"].clone();
        let subscription = move |number| {
            let body = json!({
                "applicationEndPoint": format!("https://echo.example.test/hook/{number}"),
                "events": [{"eventName": "order.opened"}, {"eventName": "order.closed"}],
                "packageId": package,
                "noCallback": true,
            });
            (SUBSCRIPTIONS.to_owned(), body.to_string().into())
        };
        post_all(self.process.address, &self.token, 1..=SUBSCRIBED, 200, subscription).await?;
        self.upload_many("children", FILES).await
    }

    async fn add(&self, application: &str) -> Result<()> {
        let path = format!("{PACKAGES}/create");
        self.post(&path, new_package(application)).await?;
        Ok(())
    }

    /// Twenty files in each of as many folders as that takes.
    async fn upload_many(&self, application: &'static str, files: u64) -> Result<()> {
        let file = move |number| {
            let name = format!("assets%2Ffolder-{:03}%2Ffile-{number:04}.js", (number - 1) / 20);
            (upload(application, &name), numbered_file(number))
        };
        post_all(self.process.address, &self.token, 1..=files, 200, file).await
    }

    /// Adds applications until the account has so many.
    async fn fill_applications(&self, wanted: u64) -> Result<()> {
        let there = self.count_applications().await?;
        let create = |number| {
            (format!("{PACKAGES}/create"), new_package(&format!("app-{number:05}")).into())
        };
        post_all(self.process.address, &self.token, there + 1..=wanted, 200, create).await
    }

    async fn count_applications(&self) -> Result<u64> {
        let counted = self.get(&format!("{}?pageSize=0", collection())).await?.json()?;
        Ok(counted["totalCount"].as_u64().ok_or("the collection has no totalCount")?)
    }

    async fn count_files(&self, application: &str) -> Result<u64> {
        let shown = self.get(&package(application)).await?.json()?;
        Ok(shown["assetFileCount"].as_u64().ok_or("the package has no assetFileCount")?)
    }

    /// The figures are to be those of the whole product: nothing may be switched off.
    async fn check(&self) -> Result<()> {
        let path = package("load");
        let mut client = Client::connect(self.process.address, None).await?;
        client.get(&path).await?.expect(401)?;
        let answer = self.get(&path).await?;
        for header in ["ETag", "X-RateLimit-Limit", "X-Request-Id", "x-vol-correlation"] {
            answer.header(header)?;
        }
        let shown = answer.json()?;
        expect_equal("members", shown.as_object().map(|it| it.len()), Some(53))?;
        expect_equal("sharedSecret", shown["sharedSecret"].as_str(), Some(self.secret.as_str()))?;
        expect_equal("children", &shown["applicationBehaviors"], &Value::Null)
    }

    async fn check_children(&self) -> Result<()> {
        let shown = self.get(&with_children("children")).await?.json()?;
        let length = |name: &str| shown[name].as_array().map(Vec::len);
        expect_equal("behaviors", length("applicationBehaviors"), Some(BEHAVIORS))?;
        let subscriptions = length("applicationSubscriptions");
        expect_equal("subscriptions", subscriptions, Some(usize::try_from(SUBSCRIBED)?))?;
        expect_equal("files", shown["assetFileCount"].as_u64(), Some(FILES))
    }

    async fn check_collection(&self, applications: u64) -> Result<()> {
        let shown = self.get(&collection()).await?.json()?;
        expect_equal("totalCount", shown["totalCount"].as_u64(), Some(applications))?;
        expect_equal("pageCount", shown["pageCount"].as_u64(), Some(applications.div_ceil(20)))?;
        expect_equal("items", shown["items"].as_array().map(Vec::len), Some(20))
    }

    async fn check_tree(&self) -> Result<()> {
        let shown = self.get(&tree("tree")).await?.json()?;
        expect_equal("files of the tree", files_below(&shown), FILES_OF_TREE)
    }

    /// The folder in which the server keeps the files.
    fn files(&self) -> PathBuf {
        self.place.folder.join("files").join("packages")
    }
}

/// An access token of the application `load`.
async fn log_in(process: &Process, secret: &str) -> Result<String> {
    let credential = json!({"applicationId": key("load"), "sharedSecret": secret}).to_string();
    let mut client = Client::connect(process.address, None).await?;
    let ticket = client.post(TICKETS, credential).await?.expect(200)?.json()?;
    Ok(ticket["accessToken"].as_str().ok_or("the ticket has no token")?.to_owned())
}

/// Makes an application by the command line; its secret and behaviors.
fn application(
    server: &Server,
    place: &Place,
    name: &str,
    behaviors: &str,
) -> Result<(String, Vec<u64>)> {
    let version = format!("{NAMESPACE}.{name}.1.0.0");
    let arguments = ["application", "create", &version, "--account", ACCOUNT];
    let printed = server.command(place, &[&arguments[..], &["--behaviors", behaviors]].concat())?;
    let secret = printed["sharedSecret"].as_str().ok_or("no secret was printed")?.to_owned();
    let behaviors = printed["behaviors"].as_array().into_iter().flatten();
    Ok((secret, behaviors.filter_map(Value::as_u64).collect()))
}

fn files_below(folder: &Value) -> u64 {
    let files = folder["files"].as_array().map_or(0, |files| files.len() as u64);
    let folders = folder["subFolders"].as_array().into_iter().flatten();
    files + folders.map(files_below).sum::<u64>()
}

impl Benchmark {
    pub async fn run_packages(
        &self,
        database: Database,
        postgres: Option<&Postgres>,
        report: &mut Report,
    ) -> Result<()> {
        let parent = self.folder.path().join(database.to_string());
        let wants = |case| self.options.cases.contains(&case);
        progress(&format!("{database}: filling the packages"));
        let place = Place::new("packages", &parent, postgres).await?;
        let mut library = Library::fill(&self.server, place, wants).await?;
        library.check().await?;
        let folder = &parent;
        let run = PackageRun { benchmark: self, database, library: &library, folder };
        if wants(Case::Package) {
            run.package(report).await?;
        }
        if wants(Case::Children) {
            library.check_children().await?;
            run.read(case_name(Case::Children), with_children("children"), report).await?;
        }
        if wants(Case::Tree) {
            library.check_tree().await?;
            run.read(case_name(Case::Tree), tree("tree"), report).await?;
        }
        if wants(Case::SmallFiles) {
            run.small_files(report).await?;
        }
        if wants(Case::LargeFiles) {
            run.large_files(report).await?;
        }
        if wants(Case::Uploads) {
            // Not the memory that other work took before is to be seen.
            library = library.restart(&self.server).await?;
            let run = PackageRun { benchmark: self, database, library: &library, folder };
            run.crowd(report).await?;
        }
        let run = PackageRun { benchmark: self, database, library: &library, folder };
        if wants(Case::Collection) {
            progress(&format!("{database}: filling the collection"));
            library.fill_applications(self.applications).await?;
            library.check_collection(self.applications).await?;
            run.read(case_name(Case::Collection), collection(), report).await?;
        }
        // Last, because it changes how many applications there are.
        if wants(Case::NewPackage) {
            run.new_packages(report).await?;
        }
        let Library { process, place, .. } = library;
        process.stop().await?;
        if let Some(postgres) = postgres {
            postgres.drop(&place).await?;
        }
        fs::remove_dir_all(&place.folder)?;
        Ok(())
    }
}

/// The cases of packages on one database.
struct PackageRun<'a> {
    benchmark: &'a Benchmark,
    database: Database,
    library: &'a Library,
    folder: &'a Path,
}

impl PackageRun<'_> {
    async fn measure(
        &self,
        name: &str,
        targets: &[Target<'_>],
        report: &mut Report,
    ) -> Result<Vec<u64>> {
        self.benchmark.measure(self.database, name, targets, report).await
    }

    async fn bare(&self, route: &str, body: &[u8], more: &[&str]) -> Result<Process> {
        bare::start(self.benchmark.cores, self.folder, route, body, more).await
    }

    /// A bare handler that answers what the server answers to this GET.
    async fn bare_of(&self, path: &str) -> Result<Process> {
        let answer = self.library.get(path).await?;
        let route = path.split('?').next().unwrap_or(path);
        let bare = self.bare(route, &answer.body, &[]).await?;
        // It must be the same bytes: everything else is measured against it.
        let mut client = Client::connect(bare.address, None).await?;
        let same = client.get(path).await?.expect(200)?;
        expect_equal("what the bare handler answers", same.body, answer.body)?;
        Ok(bare)
    }

    async fn read(&self, name: &str, path: String, report: &mut Report) -> Result<()> {
        let bare = self.bare_of(&path).await?;
        let server = self.library.target(path.clone());
        let targets = [Target::new(BARE, &bare, "", path), server];
        self.measure(name, &targets, report).await?;
        Ok(())
    }

    /// A package, beside an offering of the same server.
    async fn package(&self, report: &mut Report) -> Result<()> {
        let Library { process, person, offering, .. } = self.library;
        let path = package("load");
        let bare = self.bare_of(&path).await?;
        let targets = [
            Target::new(BARE, &bare, "", path.clone()),
            self.library.target(path),
            Target::new(OFFERING, process, person, item_path(*offering)),
        ];
        self.measure(case_name(Case::Package), &targets, report).await?;
        Ok(())
    }

    /// Every file that goes up is a new one.
    async fn small_files(&self, report: &mut Report) -> Result<()> {
        let [up, down] = SMALL;
        let path = download("small", "down.txt");
        expect_equal("a small file", self.library.get(&path).await?.body, small_file())?;
        self.read(down, path, report).await?;

        let work = || Work::Post("x".repeat(1024));
        let model = self.library.post(&upload("small", "model.txt"), small_file()).await?;
        let bare = self.bare(UPLOADS, &model.body, &[]).await?;
        let before = self.library.count_files("small").await?;
        let path = upload("small", "up-@unique@.txt");
        let targets = [
            Target { work: work(), ..Target::new(BARE, &bare, "", path.clone()) },
            Target { work: work(), ..self.library.target(path) },
        ];
        let sent = self.measure(up, &targets, report).await?;
        let uploaded = self.library.count_files("small").await? - before;
        self.benchmark.check_acknowledged(SERVER, "files", sent[1], uploaded)
    }

    /// The bare handlers copy a file too, as durably; one of them computes the MD5 that is in the answer
    /// to an upload.
    async fn large_files(&self, report: &mut Report) -> Result<()> {
        let [up, down] = LARGE;
        let path = download("large", "down.bin");
        let content = self.library.get(&path).await?.body;
        expect_equal("a large file is whole", content == transfer::content(), true)?;
        let route = path.split('?').next().unwrap_or(&path);
        let bare = self.bare(route, &content, &["--from-file"]).await?;
        let work = || Work::Download(TRANSFERS);
        let targets = [
            Target { work: work(), ..Target::new(BARE, &bare, "none", path.clone()) },
            Target { work: work(), ..self.library.target(path) },
        ];
        self.measure(down, &targets, report).await?;

        let path = upload("large", "up.bin");
        let model = self.library.post(&path, transfer::content()).await?.body;
        let copies = self.folder.join("copies");
        fs::create_dir_all(&copies)?;
        let to_files = ["--to-files", &copies.display().to_string(), "--md5"];
        let bare = self.bare(UPLOADS, &model, &to_files[..2]).await?;
        let bare_md5 = self.bare(UPLOADS, &model, &to_files).await?;
        let of_bare = |label, bare| Target {
            work: Work::Upload(TRANSFERS),
            leaves: Some(copies.clone()),
            ..Target::new(label, bare, "none", path.clone())
        };
        let targets = [of_bare(BARE, &bare), of_bare(BARE_MD5, &bare_md5), self.uploads(TRANSFERS)];
        self.measure(up, &targets, report).await?;
        Ok(())
    }

    async fn crowd(&self, report: &mut Report) -> Result<()> {
        self.measure(CROWD, &[self.uploads(UPLOADERS)], report).await?;
        Ok(())
    }

    /// One large file after the other, the same each time.
    fn uploads(&self, connections: u32) -> Target<'_> {
        Target {
            work: Work::Upload(connections),
            leaves: Some(self.library.files()),
            ..self.library.target(upload("large", "up.bin"))
        }
    }

    async fn new_packages(&self, report: &mut Report) -> Result<()> {
        let path = format!("{PACKAGES}/create");
        let model = self.library.post(&path, new_package("model")).await?;
        let bare = self.bare(&path, &model.body, &[]).await?;
        let before = self.library.count_applications().await?;
        let work = || Work::Post(new_package("new-@unique@"));
        let targets = [
            Target { work: work(), ..Target::new(BARE, &bare, "", path.clone()) },
            Target { work: work(), ..self.library.target(path) },
        ];
        let sent = self.measure(case_name(Case::NewPackage), &targets, report).await?;
        let created = self.library.count_applications().await? - before;
        self.benchmark.check_acknowledged(SERVER, "applications", sent[1], created)
    }
}
