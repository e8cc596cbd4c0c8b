//! The program itself: its commands in a folder of their own, and a server that is really started.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use appmarket::migrations::Migrator;
use md5::{Digest, Md5};
use sea_orm_migration::MigratorTrait;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "api/support/receiver.rs"]
mod receiver;

use receiver::{Receiver, Reply};

const PROGRAM: &str = env!("CARGO_BIN_EXE_appmarket");
/// Longest wait for anything, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every command.
const COMMANDS: &[&str] = &[
    "",
    "serve",
    "worker",
    "migrate",
    "account",
    "account create",
    "account list",
    "person",
    "person create",
    "trust",
    "trust add",
    "trust remove",
    "token",
    "token create",
    "client",
    "client create",
    "namespace",
    "namespace create",
    "application",
    "application create",
    "tenant",
    "tenant create",
    "tenant list",
    "tenant uninstall",
    "developer",
    "developer create",
    "build",
    "build link",
    "build record",
    "build step",
    "openapi",
    "config",
    "config check",
];

/// The program in a folder, with nothing of this process's environment but the search path.
fn program(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words(arguments)).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Splits at blanks; `_` stands for a blank inside a word.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(|word| word.replace('_', " "))
}

fn run(folder: &TempDir, arguments: &str) -> Output {
    program(folder.path(), arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// What a command that succeeds prints, for people.
#[track_caller]
fn said(folder: &TempDir, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout).trim_end().to_owned()
}

/// What a command that succeeds prints, for programs: one JSON object on one line.
#[track_caller]
fn told(folder: &TempDir, arguments: &str) -> Value {
    let line = said(folder, &format!("{arguments} --json"));
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(&line).unwrap()
}

/// Demands that a command fails with this text, for people and for programs.
#[track_caller]
fn fails(folder: &TempDir, arguments: &str, message: &str) {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments}: {}", text(&output.stdout));
    assert_eq!(text(&output.stderr), format!("appmarket: {message}\n"), "{arguments}");
    assert_eq!(text(&output.stdout), "", "{arguments}");
    let output = run(folder, &format!("{arguments} --json"));
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(told, json!({"error": message}));
}

/// A folder with the account `acme`.
fn with_account() -> TempDir {
    let folder = TempDir::new().unwrap();
    said(&folder, "account create acme --name Acme --time-zone Amsterdam");
    folder
}

/// A server that is running, until it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
    /// What it printed when it was ready.
    ready: Value,
}

/// What a server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Server {
    fn start(folder: &TempDir, arguments: &str) -> Self {
        Self::spawn(program(
            folder.path(),
            &format!("serve --listen 127.0.0.1:0 --json {arguments}"),
        ))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = lines.read_line(&mut line);
            drop(sender.send(read.map(|_| line)));
        });
        let line = receiver.recv_timeout(PATIENCE).expect("the server is ready in time").unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut log = String::new();
            drop(child.kill());
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("the server said {line:?} and {log:?}")
        });
        let docs = ready["docs"].as_str().unwrap();
        let address = docs.strip_prefix("http://").unwrap().strip_suffix("/docs").unwrap();
        Self { child, address: address.parse().unwrap(), ready }
    }

    /// Sends bytes as they are and reads until the server closes the connection.
    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, token: &str, path: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ))
    }

    fn post(&self, head: &str, path: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\n{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    /// Ends it as a crash would: nothing more is written.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as a service manager would; returns its exit code.
    #[cfg(unix)]
    fn stop(mut self) -> Option<i32> {
        terminate(&mut self.child)
    }
}

/// Ends a program as a service manager would; returns its exit code.
#[cfg(unix)]
fn terminate(child: &mut Child) -> Option<i32> {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(started.elapsed() < PATIENCE, "the program does not stop");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn every_command_explains_itself() {
    let folder = TempDir::new().unwrap();
    for command in COMMANDS {
        for help in ["--help", "-h"] {
            let help = said(&folder, &format!("{command} {help}"));
            let usage = format!("Usage: appmarket {command}");
            assert!(help.contains(usage.trim_end()), "{command}: {help}");
            for flag in ["--json", "--data", "--config"] {
                assert!(help.contains(flag), "{command} does not tell of {flag}");
            }
        }
    }
    assert_eq!(said(&folder, "--version"), format!("appmarket {}", env!("CARGO_PKG_VERSION")));
    // Asking changes nothing.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_command_is_refused_with_the_usage() {
    let folder = TempDir::new().unwrap();
    for wrong in [
        "launch",
        "serve now",
        "account create",
        "trust add wdc",
        "trust remove wdc",
        "token create",
        "serve --listen here",
        "token create --account acme --expires-in 0",
        "token create --account acme --expires-in never",
    ] {
        let output = run(&folder, wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(text(&output.stderr).starts_with("error: "), "{wrong}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{wrong}");
    }
    for (wrong, message) in [
        ("--json launch", "unrecognized subcommand 'launch'"),
        (
            "account create --json",
            "the following required arguments were not provided: --name <NAME> <ID>",
        ),
        (
            "serve --listen here --json",
            "invalid value 'here' for '--listen <ADDRESS>': invalid socket address syntax",
        ),
        (
            "account --json",
            "'appmarket account' requires a subcommand but one was not provided [subcommands: create, list, help]",
        ),
        ("--json account", "a command is missing here; --help lists them"),
    ] {
        let output = run(&folder, wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let told: Value = serde_json::from_str(text(&output.stdout)).unwrap();
        assert_eq!(told, json!({"error": message}), "{wrong}");
        assert!(text(&output.stderr).contains("--help"), "{wrong}");
    }
    // Behind `--` it is no flag.
    assert_eq!(text(&run(&folder, "account create -- --json").stdout), "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn commands_say_what_they_did() {
    let folder = TempDir::new().unwrap();
    assert_eq!(
        said(
            &folder,
            "account create wdc --name Widget_Data_Center --time-zone Europe/Amsterdam --locale de"
        ),
        "Account wdc is there, with the administrator administrator@wdc.localhost."
    );
    assert_eq!(
        told(&folder, "account create globex --name Globex"),
        json!({"id": "globex", "name": "Globex", "administrator": {"id": 2, "email": "administrator@globex.localhost"}})
    );
    assert_eq!(
        said(&folder, "trust add wdc globex"),
        "globex may see and install what wdc publishes."
    );
    assert_eq!(
        told(&folder, "trust add globex wdc"),
        json!({"provider": "globex", "customer": "wdc"})
    );
    assert_eq!(
        said(&folder, "trust remove wdc globex"),
        "globex may no longer see and install what wdc publishes."
    );
    assert_eq!(
        told(&folder, "trust remove globex wdc"),
        json!({"provider": "globex", "customer": "wdc"})
    );
    assert_eq!(
        said(
            &folder,
            "person create --account wdc --name Ann_Lee --email ann@wdc.example --administrator"
        ),
        "Ann Lee <ann@wdc.example> belongs to account wdc."
    );
    assert_eq!(
        told(&folder, "person create --account wdc --name Bob --email bob@wdc.example"),
        json!({"id": 4, "account": "wdc", "email": "bob@wdc.example", "administrator": false})
    );
    let made = said(&folder, "token create --account wdc --person ann@wdc.example");
    let (token, rest) = made.split_once("\n\n").unwrap();
    assert!(token.starts_with("amt_") && token.len() == 44, "{token}");
    assert_eq!(rest, "Keep it: it is not shown again. It acts for Ann Lee <ann@wdc.example>.");
    let made = told(
        &folder,
        "token create --account wdc --scope app-offering:Read --scope !ui-extension:All",
    );
    assert_eq!(made["account"], "wdc");
    assert_eq!(made["person"], "administrator@wdc.localhost");
    assert_eq!(made["scopes"], json!(["app-offering:Read", "!ui-extension:All"]));
    let made = said(&folder, "client create --account globex");
    let lines: Vec<&str> = made.lines().collect();
    assert!(lines[0].starts_with("client_id      ") && lines[1].starts_with("client_secret  "));
    assert_eq!(lines[3], "Keep the secret: it is not shown again.");
    let made = told(&folder, "client create --account globex --scope app-offering:Read");
    assert_eq!(made["client_id"].as_str().unwrap().len(), 48);
    assert_eq!(made["client_secret"].as_str().unwrap().len(), 64);
    assert_eq!(made["scopes"], json!(["app-offering:Read"]));
}

#[test]
fn wrong_input_is_refused_with_what_would_be_right() {
    let folder = with_account();
    let long = "x".repeat(33);
    for id in ["Acme", "-acme", "acme-", "a.b", "a/b", &*long] {
        let message =
            format!("account id {id:?}: use 1 to 32 lower-case letters, digits and inner hyphens");
        // A hyphen in front would otherwise make it a flag.
        let output = run(&folder, &format!("account create --name X -- {id}"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), format!("appmarket: {message}\n"));
    }
    let scope = |wrong: &str| {
        format!(
            "scope {wrong:?}: use <record-type>:<Create|Read|Update|Delete|All>, as in \
                 app-offering:Read, `*` for anything, `!` in front to deny"
        )
    };
    for (arguments, message) in [
        ("account create acme --name Again", "account \"acme\" exists already"),
        ("account create b --name _", "account name: use 1 to 128 characters"),
        (
            "account create b --name B --time-zone Nowhere",
            "time zone \"Nowhere\": use a name such as Europe/Amsterdam or Amsterdam",
        ),
        ("account create b --name B --locale tlh", "locale \"tlh\": use en, de, fr or nl"),
        ("trust add acme acme", "an account needs no trust in itself"),
        ("trust add acme nobody", "there is no account \"nobody\""),
        ("trust add nobody acme", "there is no account \"nobody\""),
        ("trust remove acme nobody", "there is no account \"nobody\""),
        ("trust remove nobody acme", "there is no account \"nobody\""),
        ("trust remove acme acme", "account \"acme\" does not trust account \"acme\""),
        ("person create --account nobody --name A --email a@b", "there is no account \"nobody\""),
        ("person create --account acme --name A --email a", "e-mail address \"a\": use name@host"),
        (
            "person create --account acme --name A --email administrator@acme.localhost",
            "account \"acme\" has a person \"administrator@acme.localhost\" already",
        ),
        ("token create --account nobody", "there is no account \"nobody\""),
        (
            "token create --account acme --person nobody@acme.example",
            "account \"acme\" has no person \"nobody@acme.example\"",
        ),
        ("token create --account acme --scope app-offering", &*scope("app-offering")),
        (
            "token create --account acme --scope app-offering:Read --scope everything",
            &*scope("everything"),
        ),
        ("client create --account nobody", "there is no account \"nobody\""),
        ("client create --account acme --scope App:Read", &*scope("App:Read")),
        ("migrate --config nothing.toml", "nothing.toml: there is no such file"),
    ] {
        fails(&folder, arguments, message);
    }
    // None of them left anything behind.
    assert_eq!(
        told(&folder, "person create --account acme --name B --email b@acme.example")["id"],
        2
    );
}

/// Runs a command with this standard input.
fn run_with_input(folder: &TempDir, arguments: &str, input: &str) -> Output {
    let mut command = program(folder.path(), arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn developers_are_added_with_their_password() {
    let folder = with_account();
    said(&folder, "account create globex --name Globex");
    let create = "developer create --email Ann@acme.example --name Ann_Lee --account";
    let output = run_with_input(&folder, &format!("{create} acme"), "correct horse\r\nmore\n");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(text(&output.stdout), "Ann@acme.example may develop for account acme.\n");

    // The same developer in another account, with the password in a file: one line break is none of it.
    let file = folder.path().join("password");
    let from_file = |content: &str| {
        std::fs::write(&file, content).unwrap();
        let mut command = program(folder.path(), &format!("{create} globex --json"));
        command.env("APPMARKET_PASSWORD_FILE", &file).output().unwrap()
    };
    let other = "developer \"Ann@acme.example\" exists already, with another password";
    for content in ["correct horse\n\n", "correct horse \n", "\ncorrect horse"] {
        let output = from_file(content);
        let told: Value = serde_json::from_str(text(&output.stdout)).unwrap();
        assert_eq!(told, json!({"error": other}), "{content:?}");
    }
    let output = from_file("correct horse\r\n");
    let told: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(told, json!({"id": 1, "email": "Ann@acme.example", "account": "globex"}));
}

#[test]
fn developers_that_cannot_be_added_are_refused() {
    let folder = with_account();
    said(&folder, "account create globex --name Globex");
    let ann = "developer create --email ann@acme.example --account";
    let added = run_with_input(&folder, &format!("{ann} acme"), "correct horse\n");
    assert!(added.status.success(), "{}", text(&added.stderr));
    let table = [
        (format!("{ann} nobody"), "correct horse", "there is no account \"nobody\""),
        (format!("{ann} globex"), "", "password: use 8 to 200 characters"),
        (format!("{ann} globex"), "short", "password: use 8 to 200 characters"),
        (
            format!("{ann} globex"),
            "another horse",
            "developer \"ann@acme.example\" exists already, with another password",
        ),
        (
            format!("{ann} acme"),
            "correct horse",
            "developer \"ann@acme.example\" works for account \"acme\" already",
        ),
    ];
    for (arguments, input, message) in table {
        let output = run_with_input(&folder, &arguments, input);
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        assert_eq!(text(&output.stderr), format!("appmarket: {message}\n"), "{arguments}");
    }
    let mut command = program(folder.path(), &format!("{ann} globex"));
    let output = command.env("APPMARKET_PASSWORD_FILE", "nothing").output().unwrap();
    let message = "appmarket: APPMARKET_PASSWORD_FILE: nothing: No such file or directory";
    assert!(text(&output.stderr).starts_with(message), "{}", text(&output.stderr));
}

/// A folder with the application `acme01.loyalty` and the site 1 of the account `acme`.
fn with_site() -> TempDir {
    let folder = with_account();
    said(&folder, "namespace create acme01 --account acme");
    said(&folder, "application create acme01.loyalty.1.0.0 --account acme");
    let db = rusqlite::Connection::open(folder.path().join("data/appmarket.db")).unwrap();
    db.execute_batch(
        "INSERT INTO tenants (account_id, name, is_sandbox, created_at, updated_at) \
         VALUES ('acme', 'Shop', TRUE, 0, 0); \
         INSERT INTO sites (tenant_id, name, created_at) VALUES (1, 'Shop', 0);",
    )
    .unwrap();
    folder
}

#[test]
fn what_an_application_may_do_is_chosen() {
    let folder = with_account();
    said(&folder, "namespace create acme01 --account acme");
    let create = |version: &str, behaviors: &str| {
        format!(
            "application create acme01.loyalty.{version} --account acme --behaviors {behaviors}"
        )
    };
    let all = told(&folder, &create("1.0.0", "all"))["behaviors"].clone();
    assert_eq!(all.as_array().unwrap().len(), 126);
    assert_eq!(told(&folder, &create("1.1.0", "ALL"))["behaviors"], all);
    assert_eq!(told(&folder, &create("1.2.0", "42"))["behaviors"], json!([42]));
    let message =
        "behavior \"everything\": use all, or numbers that GET /platform/reference/behaviors lists";
    fails(&folder, &create("1.3.0", "everything"), message);
}

#[test]
fn a_hosting_pipeline_tells_of_sites_and_builds() {
    let folder = with_site();
    assert_eq!(
        said(&folder, "build link --site 1 --application ACME01.Loyalty --logs shops/loyalty"),
        "Site 1 is hosted; its logs are in hosting/shops/loyalty."
    );
    assert_eq!(
        told(&folder, "build link --site 1 --application acme01.loyalty --logs loyalty"),
        json!({"site": 1, "application": "acme01.loyalty", "logs": "loyalty"})
    );
    let job = "--site 1 --branch feature/x --job 17";
    assert_eq!(
        said(&folder, &format!("build record {job} --status running --commit 0d1f6c2e")),
        "Job 17 of branch feature/x: RUNNING."
    );
    let times = "--started 2026-03-04T09:15:00Z --ended 2026-03-04T10:19:30.5+01:00";
    assert_eq!(
        told(&folder, &format!("build record {job} --status SUCCEED {times}")),
        json!({"id": 1, "site": 1, "branch": "feature/x", "job": "17", "status": "SUCCEED",
            "started": "2026-03-04T09:15:00.000Z", "ended": "2026-03-04T09:19:30.500Z"})
    );
    assert_eq!(
        said(&folder, &format!("build step {job} --name BUILD --status RUNNING")),
        "Step BUILD of job 17: RUNNING."
    );
    let log = "--log builds/17/build.txt";
    fails(
        &folder,
        &format!("build step {job} --name BUILD --status FAILED {log}"),
        "there is no hosting/loyalty/builds/17/build.txt in the store of files (a local one is files/ in \
         the data folder): put the log there first, or leave out --log until it is there",
    );
    let logs = folder.path().join("data/files/hosting/loyalty/builds/17");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("build.txt"), "built").unwrap();
    assert_eq!(
        told(&folder, &format!("build step {job} --name BUILD --status FAILED {log} {times}")),
        json!({"position": 1, "name": "BUILD", "status": "FAILED", "log": "builds/17/build.txt",
            "started": "2026-03-04T09:15:00.000Z", "ended": "2026-03-04T09:19:30.500Z"})
    );
    assert_eq!(
        told(&folder, &format!("build step {job} --name DEPLOY --status PENDING"))["position"],
        2
    );
}

#[test]
fn what_a_hosting_pipeline_cannot_tell_is_refused() {
    let folder = with_site();
    let job = "--site 1 --branch main --job 17";
    let statuses = "PENDING, PROVISIONING, RUNNING, FAILED, SUCCEED, CANCELLING, CANCELLED";
    let key = "use segments of letters, digits and -_.=+@~: with slashes between them";
    let link = "build link --site 1 --application acme01.loyalty --logs";
    let unhosted = "site 1 is not hosted: link it with `appmarket build link --site 1 --application \
                    NAMESPACE.APPID --logs FOLDER`";
    fails(&folder, &format!("build record {job} --status RUNNING"), unhosted);
    said(&folder, &format!("{link} loyalty"));
    let db = rusqlite::Connection::open(folder.path().join("data/appmarket.db")).unwrap();
    db.execute_batch("INSERT INTO sites (id, tenant_id, name, created_at) VALUES (5, 1, 'Two', 0)")
        .unwrap();
    for (arguments, message) in [
        (
            "build link --site 5 --application acme01.loyalty --logs loyalty/two",
            "log folder \"loyalty/two\": the logs of site 1 are in \"loyalty\"; give each site a folder of its own",
        ),
        (
            &*format!("build record {job} --status RUNNING --ended 2026-03-04T09:15:00Z"),
            "status RUNNING is no end: leave out when it ended",
        ),
        ("build link --site 2 --application acme01.loyalty --logs a", "there is no site 2"),
        ("build record --site 2 --branch main --job 17 --status RUNNING", "there is no site 2"),
        ("build link --site 1 --application acme01 --logs a", "there is no application \"acme01\""),
        (
            "build link --site 1 --application acme01.points --logs a",
            "there is no application \"acme01.points\"",
        ),
        (&*format!("{link} ../attachments"), &*format!("log folder \"../attachments\": {key}")),
        (
            &*format!("build record {job} --status DONE"),
            &*format!("status \"DONE\": use one of {statuses}"),
        ),
        (
            "build record --site 1 --branch _ --job 17 --status RUNNING",
            "branch \" \": use 1 to 200 characters",
        ),
        (
            &*format!("build step {job} --name BUILD --status RUNNING"),
            "branch \"main\" of site 1 has no job \"17\": tell of the job first, with `appmarket build record`",
        ),
        (
            &*format!("build step {job} --name BUILD --status RUNNING --log /etc/passwd"),
            &*format!("log \"/etc/passwd\": {key}"),
        ),
    ] {
        fails(&folder, arguments, message);
    }
    let output = run(&folder, &format!("build record {job} --status RUNNING --started today"));
    assert_eq!(output.status.code(), Some(2));
    let message = "use a date and time as in 2026-03-04T09:15:00Z";
    assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
}

#[test]
fn tenants_are_made_with_their_sites() {
    let folder = with_account();
    assert_eq!(
        said(&folder, "tenant create --account acme --site Main_store --site Outlet"),
        "id      1\ndomain  127.0.0.1:8080  (the host of public_url)\nsite    1  Main store\nsite    2  Outlet"
    );
    // As the server derives it from the same settings.
    for (name, value, domain) in [
        ("APPMARKET_LISTEN", "127.0.0.1:9000", "127.0.0.1:9000"),
        ("APPMARKET_PUBLIC_URL", "https://apps.example.test/shop/", "apps.example.test"),
    ] {
        let mut command = program(folder.path(), "tenant create --account acme --json");
        let output = command.env(name, value).output().unwrap();
        let made: Value = serde_json::from_str(text(&output.stdout)).unwrap();
        assert_eq!(made["domain"], domain);
    }
    let made = told(
        &folder,
        "tenant create --account acme --production --name Acme_shop --domain apps.acme.example \
         --site Main",
    );
    let expected = json!({
        "id": 4, "name": "Acme shop", "domain": "apps.acme.example", "account": "acme",
        "isDevTenant": false, "sites": [{"id": 3, "name": "Main"}],
    });
    assert_eq!(made, expected);
    let made = told(&folder, "tenant create --account acme");
    assert_eq!((&made["isDevTenant"], &made["sites"]), (&json!(true), &json!([])));
    fails(&folder, "tenant create --account nobody", "there is no account \"nobody\"");
    let name = "site name: use 1 to 200 characters";
    fails(&folder, "tenant create --account acme --site Main --site _", name);
    let domain = "domain \"https://a.example\": use a host in lower case, as apps.acme.example or \
                  localhost:8443";
    fails(&folder, "tenant create --account acme --domain https://a.example", domain);
    // What was refused left nothing.
    assert_eq!(told(&folder, "tenant create --account acme")["id"], 6);
}

#[test]
fn what_was_made_is_listed() {
    let folder = TempDir::new().unwrap();
    assert_eq!(said(&folder, "account list"), "There are no accounts.");
    assert_eq!(told(&folder, "account list"), json!({"accounts": []}));
    assert_eq!(said(&folder, "tenant list"), "There are no tenants.");
    assert_eq!(told(&folder, "tenant list"), json!({"tenants": []}));
    said(&folder, "account create globex --name Globex_Ltd --locale de");
    said(&folder, "account create acme --name Acme --time-zone Amsterdam");
    said(&folder, "tenant create --account globex --production");
    let made = told(&folder, "tenant create --account acme --site Main_store --site Outlet");
    let accounts = ["acme", "globex"].map(|id| format!("{id:<32}  "));
    assert_eq!(
        said(&folder, "account list"),
        format!("{}Acme\n{}Globex Ltd", accounts[0], accounts[1])
    );
    assert_eq!(
        told(&folder, "account list"),
        json!({"accounts": [
            {"id": "acme", "name": "Acme", "time_zone": "Amsterdam", "locale": "en"},
            {"id": "globex", "name": "Globex Ltd", "time_zone": "UTC", "locale": "de"},
        ]})
    );
    let of_acme = "2       sandbox     acme  Acme Sandbox\n  site 1  Main store\n  site 2  Outlet";
    assert_eq!(
        said(&folder, "tenant list"),
        format!("1       production  globex  Globex Ltd Production\n{of_acme}")
    );
    assert_eq!(said(&folder, "tenant list --account acme"), of_acme);
    assert_eq!(told(&folder, "tenant list --account acme"), json!({"tenants": [made]}));
    fails(&folder, "tenant list --account nobody", "there is no account \"nobody\"");
}

#[test]
fn operators_remove_what_is_installed() {
    let folder = with_site();
    let db = rusqlite::Connection::open(folder.path().join("data/appmarket.db")).unwrap();
    db.execute_batch(
        "INSERT INTO entitlements (account_id, owner_account_id, application_id, version_id, package_id, \
         tenant_id, place, is_current, license_type, starts_at, installed_at, installation_id, enabled, \
         initialized, behaviors, subscriptions, capability_types, transactions, created_at, updated_at) \
         VALUES ('acme', 'acme', 1, 1, 1, 1, 0, TRUE, 'Free', 0, 0, 'i', TRUE, TRUE, '[]', '[]', '[]', \
         '[]', 0, 0)",
    )
    .unwrap();
    let removed = "Removed acme01.loyalty.1.0.0.Release from tenant 1.";
    assert_eq!(said(&folder, "tenant uninstall 1"), removed);
    fails(&folder, "tenant uninstall 1", "entitlement 1 is not installed any more");
    fails(&folder, "tenant uninstall 2", "there is no entitlement 2");
    let topic: String =
        db.query_row("SELECT topic FROM package_events", [], |row| row.get(0)).unwrap();
    assert_eq!(topic, "application.uninstalled");
}

#[test]
fn migrating_twice_changes_nothing() {
    let folder = TempDir::new().unwrap();
    assert_eq!(said(&folder, "migrate"), "The database is up to date; 5 migrations ran.");
    assert_eq!(said(&folder, "migrate"), "The database is up to date.");
    assert_eq!(told(&folder, "migrate"), json!({"migrations": 0}));
}

#[test]
fn of_programs_that_start_at_once_one_migrates() {
    let folder = TempDir::new().unwrap();
    let start =
        |_| program(folder.path(), "migrate --json").stdout(Stdio::piped()).spawn().unwrap();
    let running: Vec<Child> = (0..6).map(start).collect();
    let mut ran: Vec<i64> = running
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stdout));
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            told["migrations"].as_i64().unwrap()
        })
        .collect();
    ran.sort_unstable();
    let all = i64::try_from(Migrator::migrations().len()).unwrap();
    assert_eq!(ran, [0, 0, 0, 0, 0, all]);
}

#[cfg(unix)]
#[test]
fn the_key_is_made_once_and_only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = with_account();
    let path = folder.path().join("data/master.key");
    let key = std::fs::read_to_string(&path).unwrap();
    assert_eq!(key.len(), 64);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    said(&folder, "token create --account acme");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), key);
    let files: Vec<_> = std::fs::read_dir(folder.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("key"))
        .collect();
    assert_eq!(files, ["master.key"]);
    std::fs::write(&path, "not a key").unwrap();
    let output = run(&folder, "migrate");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "appmarket: data/master.key: must hold 64 hexadecimal digits\n"
    );
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let folder = TempDir::new().unwrap();
    let mut command = program(folder.path(), "migrate");
    let url = "postgres://me:secret@127.0.0.1:1/shop?sslmode=disable";
    let output = command.env("APPMARKET_DATABASE_URL", url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let named = "appmarket: cannot open the database postgres://me:********@127.0.0.1:1/shop: ";
    assert!(said.starts_with(named), "{said}");
    assert!(said.contains("refused") && !said.contains("secret"), "{said}");
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/appmarket.db"), "no database".repeat(100)).unwrap();
    let output = run(&folder, "migrate");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let named = "appmarket: cannot open the database sqlite://data/appmarket.db: ";
    assert!(said.starts_with(named) && said.contains("not a database"), "{said}");
}

#[test]
fn data_is_kept_where_it_was_asked_for() {
    let folder = TempDir::new().unwrap();
    said(&folder, "migrate --data elsewhere/deep");
    assert!(folder.path().join("elsewhere/deep/appmarket.db").is_file());
    assert!(!folder.path().join("data").exists());
}

#[test]
fn checking_the_configuration_shows_everything_but_the_secrets() {
    let folder = TempDir::new().unwrap();
    let key = "5a".repeat(32);
    let database = "postgres://me:hunter2@db.example/appmarket";
    std::fs::write(
        folder.path().join("appmarket.toml"),
        format!("rate_limit_burst = 7\nmaster_key = \"{key}\"\ndomain = \"example.test\"\n"),
    )
    .unwrap();
    std::fs::write(folder.path().join("store.secret"), "hunter2\n").unwrap();
    let check = |arguments: &str| {
        let mut command = program(folder.path(), arguments);
        command.env("APPMARKET_DATABASE_URL", database).env("APPMARKET_TOKEN_LIFETIME", "600");
        command.env("APPMARKET_OPERATOR_ACCOUNTS", "[\"wdc\"]");
        command.env("APPMARKET_OUTGOING_ALLOW", "[\"loopback\",\"10.1.0.0/16\"]");
        command.env("APPMARKET_STORAGE_ACCESS_KEY_ID", "me");
        command.env("APPMARKET_STORAGE_SECRET_ACCESS_KEY_FILE", "store.secret");
        command.output().unwrap()
    };
    let output = check("config check");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    for line in [
        "rate_limit_burst = 7",
        "token_lifetime = 600",
        "master_key = \"********\"",
        "database_url = \"********\"",
        "storage_secret_access_key = \"********\"",
        "operator_accounts = [\"wdc\"]",
        "outgoing_allow = [\"loopback\",\"10.1.0.0/16\"]",
        "domain = \"example.test\"",
        "# public_url is not set",
        "listen = \"127.0.0.1:8080\"",
    ] {
        assert!(lines.contains(&line), "{line} is not in {lines:#?}");
    }
    let output = check("config check --json");
    let told: Value = serde_json::from_str(text(&output.stdout)).unwrap();
    assert_eq!(
        (&told["master_key"], &told["database_url"]),
        (&json!("********"), &json!("********"))
    );
    assert_eq!((&told["rate_limit_burst"], &told["public_url"]), (&json!(7), &json!(null)));
    for output in [check("config check"), check("config check --json")] {
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!all.contains("hunter2") && !all.contains(&key), "{all}");
    }
    // Looking makes nothing.
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let key = "z".repeat(64);
    for (name, value, message) in [
        ("TOKEN_LIFETIME", "120", "token_lifetime: must be more than 120 seconds"),
        ("RATE_LIMIT_BURST", "0", "rate_limit_burst: must be at least 1"),
        (
            "PUBLIC_URL",
            "example.test",
            "public_url: \"example.test\" is not an http or https address",
        ),
        ("ACCOUNT_URL", "https://example.test", "account_url: must contain {account}"),
        (
            "DATABASE_URL",
            "mysql://hunter2@db",
            "database_url: must start with postgres:// or sqlite:",
        ),
        (
            "MASTER_KEY",
            &key,
            "master_key: must be 64 hexadecimal digits, as `openssl rand -hex 32` prints",
        ),
        ("PACKAGE_RATE_LIMIT_BURST", "0", "package_rate_limit_burst: must be at least 1"),
        ("ACCESS_TICKET_LIFETIME", "180", "access_ticket_lifetime: must be more than 180 seconds"),
        (
            "REFRESH_TICKET_LIFETIME",
            "3599",
            "refresh_ticket_lifetime: must be at least access_ticket_lifetime",
        ),
        ("SIGNING_KEY_DAYS", "0", "signing_key_days: must be at least 1"),
        ("DELIVERY_LANES", "0", "delivery_lanes: must be at least 1"),
        ("DELIVERIES_IN_FLIGHT", "0", "deliveries_in_flight: must be at least 1"),
        ("DELIVERY_LEASE", "2", "delivery_lease: must be at least 3 seconds"),
        ("EVENT_RETENTION_DAYS", "0", "event_retention_days: must be at least 1"),
        ("DELIVERY_RETENTION_DAYS", "0", "delivery_retention_days: must be at least 1"),
        (
            "OPERATOR_ACCOUNTS",
            "[\"wdc\",\"Wdc\"]",
            "operator_accounts: \"Wdc\" is not the id of an account",
        ),
        ("CATALOGUE", "nowhere", "catalogue: nowhere: there is no such folder"),
        (
            "STORAGE_URL",
            "s3://me:hunter2@bucket",
            "storage_url: must be s3://bucket or s3://bucket/prefix",
        ),
        (
            "STORAGE_ENDPOINT",
            "s3.example.test",
            "storage_endpoint: \"s3.example.test\" is not an http or https address",
        ),
        (
            "OUTGOING_CA_FILE",
            "nowhere.pem",
            "outgoing_ca_file: nowhere.pem: No such file or directory (os error 2)",
        ),
        (
            "STORAGE_ACCESS_KEY_ID",
            "me",
            "storage_access_key_id: comes with storage_secret_access_key, or neither",
        ),
    ] {
        let mut command = program(folder.path(), "config check");
        let output = command.env(format!("APPMARKET_{name}"), value).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), format!("appmarket: {message}\n"));
    }
    for (line, expected) in [
        ("rate_limit_burst = \"many\"", "rate_limit_burst: "),
        ("colour = \"red\"", "colour"),
        ("upload_shape = \"ftp\"", "upload_shape: "),
        ("listen = 8080", "listen: "),
        (
            "outgoing_allow = [\"loopback\", \"10.1.2.3/8\"]",
            "outgoing_allow.1: \"10.1.2.3/8\" has bits behind its prefix; write 10.0.0.0/8",
        ),
        ("listen", "expected"),
    ] {
        std::fs::write(folder.path().join("own.toml"), line).unwrap();
        let output = run(&folder, "config check --config own.toml");
        assert_eq!(output.status.code(), Some(1), "{line}");
        let said = text(&output.stderr);
        assert!(said.contains(expected) && said.contains("own.toml"), "{line}: {said}");
    }
}

#[test]
fn the_committed_documents_can_be_checked() {
    let output =
        program(Path::new(env!("CARGO_MANIFEST_DIR")), "openapi --check").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "openapi/ is up to date.\n");
    let folder = TempDir::new().unwrap();
    fails(
        &folder,
        "openapi --check",
        "there is no folder openapi/ here; run this in the source tree",
    );
    let released = folder.path().join("openapi/released");
    std::fs::create_dir_all(&released).unwrap();
    for name in ["released/app-offerings.json.gz", "released/app-packages.json.gz"] {
        copy_committed(&folder, name);
    }
    std::fs::write(folder.path().join("openapi/CHANGELOG.md"), "## Unreleased\n?\n").unwrap();
    fails(
        &folder,
        "openapi --check",
        "out of date: openapi/app-offerings-3.0.json, openapi/app-offerings.json, \
         openapi/app-packages-3.0.json, openapi/app-packages.json, openapi/config.schema.json, \
         openapi/events.json, openapi/CHANGELOG.md; run `appmarket openapi` and commit the result",
    );
    said(&folder, "openapi");
    assert_eq!(told(&folder, "openapi --check"), json!({"stale": []}));
    std::fs::write(folder.path().join("openapi/app-offerings.json"), "{}").unwrap();
    fails(
        &folder,
        "openapi --check",
        "out of date: openapi/app-offerings.json#/openapi; run `appmarket openapi` and commit the result",
    );
    assert_eq!(told(&folder, "openapi"), json!({"written": ["openapi/app-offerings.json"]}));
    // Changed by hand: the first place is named.
    let path = folder.path().join("openapi/app-packages.json");
    let mut document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    document["paths"]["/platform/tenants/{tenantId}"]["get"]["tags"][0] = "elsewhere".into();
    std::fs::write(&path, document.to_string()).unwrap();
    fails(
        &folder,
        "openapi --check",
        "out of date: openapi/app-packages.json#/paths/~1platform~1tenants~1{tenantId}/get/tags/0; \
         run `appmarket openapi` and commit the result",
    );
}

/// Brings a file of the source tree into a folder where the command can be tried.
fn copy_committed(folder: &TempDir, name: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    std::fs::copy(root.join(name), folder.path().join("openapi").join(name)).unwrap();
}

/// The documents of today as the released ones, and that of the app offerings changed, so that the one of today is
/// another; with the changelog.
fn release_otherwise(folder: &TempDir, change: impl Fn(&mut Value)) {
    std::fs::create_dir_all(folder.path().join("openapi/released")).unwrap();
    copy_committed(folder, "CHANGELOG.md");
    for name in ["app-offerings.json", "app-packages.json"] {
        copy_committed(folder, name);
        let path = folder.path().join("openapi").join(name);
        let mut document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        if name == "app-offerings.json" {
            change(&mut document);
        }
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(document.to_string().as_bytes()).unwrap();
        let path = folder.path().join(format!("openapi/released/{name}.gz"));
        std::fs::write(path, packer.finish().unwrap()).unwrap();
    }
}

#[test]
fn what_breaks_the_released_documents_is_refused_unless_their_major_version_rises() {
    const CATEGORY: &str = "/components/schemas/CreateUiExtension/properties/category/enum";
    let folder = TempDir::new().unwrap();
    release_otherwise(&folder, |document| {
        document.pointer_mut(CATEGORY).unwrap().as_array_mut().unwrap().push(json!("vanished"));
        document["paths"]["/v1/gone"] = json!({"get": {"operationId": "get_gone"}});
        document["paths"].as_object_mut().unwrap().remove("/v1/account");
    });
    let breaking = [
        (format!("#{CATEGORY}"), "the value \"vanished\" is gone"),
        ("#/paths/~1v1~1gone/get".to_owned(), "the operation is gone"),
    ];
    let refused = breaking
        .clone()
        .map(|(place, what)| format!("openapi/app-offerings.json{place}: {what}\n"));
    let refused = format!(
        "{}This breaks those who use the released documents: raise the major version of the document, or \
         leave it as it was.",
        refused.concat()
    );
    for arguments in ["openapi", "openapi --check", "openapi --release"] {
        fails(&folder, arguments, &refused);
    }
    let account = ("#/paths/~1v1~1account/get".to_owned(), "the operation is new");
    let all = breaking.iter().map(|it| (it, true)).chain([(&account, false)]);
    let mut all: Vec<Value> = all
        .map(|((place, what), breaks)| {
            json!({"document": "app-offerings.json", "place": place, "what": what, "breaks": breaks})
        })
        .collect();
    all.sort_by_key(|it| it["place"].as_str().unwrap().to_owned());
    assert_eq!(told(&folder, "openapi --changes"), json!({"changes": all}));
    // The document of today counts as the next major version when the released one is of the one before.
    release_otherwise(&folder, |document| {
        document["info"]["version"] = "0.9.0".into();
        document["paths"]["/v1/gone"] = json!({"get": {"operationId": "get_gone"}});
    });
    said(&folder, "openapi");
    let changelog = std::fs::read_to_string(folder.path().join("openapi/CHANGELOG.md")).unwrap();
    let section = "## Unreleased\n\n### App Offerings 1.0.0 (was 0.9.0)\n\n\
        - **Breaking:** `#/paths/~1v1~1gone/get`: the operation is gone\n\n## ";
    assert!(changelog.contains(section), "{changelog}");
    assert_eq!(told(&folder, "openapi --check"), json!({"stale": []}));
    let released = said(&folder, "openapi --release");
    assert_eq!(released, "Released App Offerings 1.0.0, App Packages 1.0.0.");
    assert_eq!(told(&folder, "openapi --changes"), json!({"changes": []}));
    let changelog = std::fs::read_to_string(folder.path().join("openapi/CHANGELOG.md")).unwrap();
    assert!(changelog.contains("## Unreleased\n\nNothing.\n\n## 20"), "{changelog}");
    assert_eq!(told(&folder, "openapi --check"), json!({"stale": []}));
    fails(&folder, "openapi --release", "nothing has changed since the documents were released");
    // What differs is another version.
    release_otherwise(&folder, |document| {
        document["paths"].as_object_mut().unwrap().remove("/v1/account");
    });
    fails(
        &folder,
        "openapi --release",
        "openapi/app-offerings.json is not what was released as 1.0.0: raise its version, `VERSION` in \
         src/api/document",
    );
    std::fs::write(folder.path().join("openapi/CHANGELOG.md"), "Nothing yet.\n").unwrap();
    fails(&folder, "openapi", "openapi/CHANGELOG.md has no line \"## Unreleased\"");
}

#[test]
fn the_first_start_offers_demo_data_and_the_second_finds_it_again() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "");
    assert_eq!(server.ready["api"], format!("http://{}/v1", server.address));
    let demo = &server.ready["demo"];
    assert_eq!((&demo["provider"], &demo["customer"]), (&json!("wdc"), &json!("globex")));
    let token = demo["token"].as_str().unwrap().to_owned();
    let list = server.get(&token, "/v1/app_offerings").expect(200);
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(list[0]["reference"], "note-dispatcher");
    assert_eq!(server.get(&token, "/v1/me").expect(200)["name"], "Ann Lee");
    assert_eq!(server.get("", "/docs/").status, 200);
    assert_eq!(server.get("", "/readyz").expect(200), json!({"status": "ready"}));
    #[cfg(unix)]
    assert_eq!(server.stop(), Some(0));
    #[cfg(not(unix))]
    server.kill();
    let server = Server::start(&folder, "");
    assert_eq!(server.ready.get("demo"), None);
    assert_eq!(server.get(&token, "/v1/app_offerings").expect(200), list);
}

#[test]
fn without_a_command_it_serves_and_greets_people() {
    let folder = TempDir::new().unwrap();
    let mut command = program(folder.path(), "");
    command.env("APPMARKET_LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut greeting = Vec::new();
    while greeting.len() < 14 {
        match receiver.recv_timeout(PATIENCE) {
            Ok(line) => greeting.push(line),
            Err(_) => break,
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(greeting[0], format!("Appmarket {} is ready.", env!("CARGO_PKG_VERSION")));
    let docs = greeting[2].strip_prefix("  Swagger UI  http://127.0.0.1:").unwrap();
    assert!(docs.ends_with("/docs") && !docs.starts_with("0/"), "{docs}");
    let reference = docs.replace("/docs", "/reference");
    assert_eq!(greeting[3], format!("  To read     http://127.0.0.1:{reference}"));
    assert_eq!(greeting[4], "  Accounts    wdc (provider), globex (customer it trusts)");
    assert!(greeting[5].starts_with("  Token       amt_"), "{}", greeting[5]);
    assert_eq!(greeting[6], "  App key     acme01.loyalty.1.1.0.Release");
    let secret = greeting[7].strip_prefix("  Secret      ").unwrap();
    assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
    assert_eq!(greeting[8], "  Sandbox     tenant 1, to install it in");
    assert_eq!(greeting[12], "`appmarket token create --account wdc` makes another token, and");
    assert_eq!(
        greeting[13],
        "`appmarket token create --account globex` one that installs what wdc publishes."
    );
}

#[test]
fn without_demo_data_an_empty_database_stays_empty() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "--no-demo");
    assert_eq!(server.ready.get("demo"), None);
    fails(&folder, "token create --account wdc", "there is no account \"wdc\"");
    assert_eq!(server.get("amt_none", "/v1/me").expect(401), json!({"message": "Unauthorized"}));
    drop(server);
    // The next one may fill it, as nobody has.
    assert_eq!(Server::start(&folder, "").ready["demo"]["provider"], "wdc");
}

#[test]
fn commands_work_while_the_server_runs() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "--no-demo");
    said(&folder, "account create acme --name Acme --time-zone Amsterdam");
    let token = told(&folder, "token create --account acme")["token"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&token, "/v1/account").expect(200)["time_zone"], "Amsterdam");
    let made = told(&folder, "token create --account acme --scope me:Read");
    let narrow = made["token"].as_str().unwrap();
    server.get(narrow, "/v1/me").expect(200);
    assert_eq!(server.get(narrow, "/v1/account").expect(403), json!({"message": "Forbidden"}));
    // What is kept of a token is of no use to anybody.
    for entry in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(token.len()).any(|part| part == token.as_bytes()),
                "{}",
                path.display()
            );
        }
    }
    let made = told(&folder, "client create --account acme");
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made["client_id"].as_str().unwrap(),
        made["client_secret"].as_str().unwrap()
    );
    let answer = server.post("Content-Type: application/x-www-form-urlencoded", "/token", &body);
    assert!(answer.head.contains("\r\ncache-control: no-store"), "{}", answer.head);
    let issued = answer.expect(200);
    assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("bearer"), &json!(3600)));
    server.get(issued["access_token"].as_str().unwrap(), "/v1/me").expect(200);
}

#[test]
fn what_was_acknowledged_survives_a_crash() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "");
    let token = server.ready["demo"]["token"].as_str().unwrap().to_owned();
    let head = format!(
        "Authorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: k"
    );
    let body = r#"{"name":"Ticket Echo","policy_jwt_alg":"es256","service_instance_id":1,
        "webhook_uri_template":"https://echo.example.org/hook?account={account}"}"#;
    let answer = server.post(&head, "/v1/app_offerings", body);
    server.kill();
    let made = answer.expect(201);
    let server = Server::start(&folder, "");
    let found = server.get(&token, &format!("/v1/app_offerings/{}", made["id"])).expect(200);
    assert_eq!(found, made);
    let audit = server.get(&token, &format!("/v1/app_offerings/{}/audit", made["id"])).expect(200);
    assert_eq!(audit.as_array().unwrap().len(), 1);
    // The repetition of a client that did not hear the answer makes no second record.
    let again = server.post(&head, "/v1/app_offerings", body);
    assert!(again.head.contains("\r\nidempotency-replayed: true"), "{}", again.head);
    assert_eq!(again.expect(201), made);
}

/// A worker that is running, until it is dropped.
struct Worker(Child);

impl Worker {
    /// Starts one; also returns what it printed when it was ready.
    fn start(mut command: Command) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (Self(child), line.trim_end().to_owned())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_worker_says_what_it_is_for() {
    let folder = TempDir::new().unwrap();
    let help = said(&folder, "worker --help");
    assert!(
        help.starts_with(
            "Deliver messages, and answer no requests (any number may run beside servers)\n"
        ),
        "{help}"
    );
    for setting in ["master_key", "outgoing_allow", "public_url", "account_url"] {
        assert!(help.contains(setting), "{setting}: {help}");
    }
    said(&folder, "migrate");
    // No server has been there to tell its addresses.
    let (_worker, ready) = Worker::start(program(folder.path(), "worker"));
    assert_eq!(
        ready,
        "Delivering the messages of sqlite://data/appmarket.db. They name http://127.0.0.1:8080 and \
         http://127.0.0.1:8080/accounts/{account}."
    );
}

#[test]
fn a_worker_makes_no_database_and_no_key() {
    let folder = TempDir::new().unwrap();
    fails(
        &folder,
        "worker",
        "there is no database data/appmarket.db: start the server first, or name its folder with --data",
    );
    assert!(!folder.path().join("data").exists());
    said(&folder, "migrate");
    std::fs::remove_file(folder.path().join("data/master.key")).unwrap();
    fails(
        &folder,
        "worker",
        "there is no master key data/master.key: set master_key to that of the server, or name its folder \
         with --data",
    );
    assert!(!folder.path().join("data/master.key").exists());
}

#[cfg(unix)]
#[test]
fn a_worker_that_is_ready_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    said(&folder, "migrate");
    for _ in 0..5 {
        let (mut worker, _) = Worker::start(program(folder.path(), "worker"));
        assert_eq!(terminate(&mut worker.0), Some(0));
    }
}

#[cfg(unix)]
#[test]
fn a_worker_that_is_told_other_addresses_says_so() {
    let folder = TempDir::new().unwrap();
    let serve = "serve --no-demo --listen 127.0.0.1:0 --json";
    let server = Server::spawn(program(folder.path(), serve));
    let api = server.ready["api"].as_str().unwrap().to_owned();
    let public_url = api.strip_suffix("/v1").unwrap();
    let log = folder.path().join("log");
    let start = |variables: &[(&str, &str)]| {
        let mut command = program(folder.path(), "worker --json");
        command.envs(variables.iter().copied()).stderr(File::create(&log).unwrap());
        let (_worker, ready) = Worker::start(command);
        let ready: Value = serde_json::from_str(&ready).unwrap();
        (ready, std::fs::read_to_string(&log).unwrap())
    };
    let addresses = |public_url: &str| {
        json!({"database": "sqlite://data/appmarket.db", "public_url": public_url,
               "domain": "localhost", "account_url": format!("{public_url}/accounts/{{account}}")})
    };
    let (ready, logged) = start(&[]);
    assert_eq!(ready, addresses(public_url));
    assert!(!logged.contains("WARN"), "{logged}");
    let (ready, logged) = start(&[("APPMARKET_PUBLIC_URL", "https://api.example.test")]);
    assert_eq!(ready, addresses("https://api.example.test"));
    let warning = format!(
        "messages will not name the address that the server has setting=\"public_url\" \
         here=\"https://api.example.test\" server=\"{public_url}\""
    );
    assert!(logged.contains(&warning), "{logged}");
    assert_eq!(server.stop(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_worker_delivers_what_servers_leave_to_it() {
    deliver_beside_a_server(None);
}

#[cfg(all(unix, test_postgres))]
#[test]
fn a_worker_delivers_what_servers_leave_to_it_on_postgresql() {
    deliver_beside_a_server(Some(&Schema::new("worker").database()));
}

/// A server that delivers nothing, and workers that come and go.
#[cfg(unix)]
fn deliver_beside_a_server(database: Option<&str>) {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::of_anything();
    let launch = |arguments: &str| {
        let mut command = program(folder.path(), arguments);
        command.env("APPMARKET_DELIVER", "false").env("APPMARKET_OUTGOING_ALLOW", "[\"loopback\"]");
        command.envs(database.map(|url| ("APPMARKET_DATABASE_URL", url)));
        command
    };
    let work = || {
        let (worker, ready) = Worker::start(launch("worker --json"));
        let ready: Value = serde_json::from_str(&ready).unwrap();
        let name = ready["database"].as_str().unwrap();
        assert!(
            name.starts_with(if database.is_some() { "postgres://" } else { "sqlite:" }),
            "{name}"
        );
        worker
    };
    let server = Server::spawn(launch("serve --listen 127.0.0.1:0 --json"));
    let token = server.ready["demo"]["token"].as_str().unwrap().to_owned();
    let head = format!("Authorization: Bearer {token}");
    let body = json!({"event": "app_instance.create", "uri": receiver.url("/in")}).to_string();
    let hook = server.post(&head, "/v1/webhooks", &body).expect(201)["id"].as_i64().unwrap();
    let test = || {
        let answer = server.post(&head, &format!("/v1/webhooks/{hook}/test"), "{}");
        assert_eq!(answer.status, 204, "{}", answer.body);
    };
    let log = || server.get(&token, &format!("/v1/webhooks/{hook}/deliveries")).expect(200);
    let states = || -> Vec<Value> {
        log().as_array().unwrap().iter().map(|it| it["state"].clone()).collect()
    };
    // Longer than anybody would take to look.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(receiver.received().len(), 0);
    assert_eq!(states(), ["waiting"]);

    let mut worker = work();
    let received = receiver.wait_for(1);
    assert_eq!(received[0].json()["event"], "webhook.verify");
    // The addresses are the server's, of which the worker was told nothing.
    let pages = server.ready["api"].as_str().unwrap().replace("/v1", "/accounts/wdc");
    assert_eq!(received[0].json()["account"], pages);
    let callback = received[0].json()["payload"]["callback"].as_str().unwrap().to_owned();
    assert!(callback.starts_with(&format!("{pages}/webhooks/{hook}/verify?")), "{callback}");
    // Is told to stop while a message is on its way: that one comes to its end, no other leaves.
    receiver.reply(Reply::After(Duration::from_secs(1), Box::new(Reply::Status(202))));
    test();
    receiver.wait_for(2);
    test();
    assert_eq!(terminate(&mut worker.0), Some(0));
    assert_eq!(receiver.received().len(), 2);
    let mut all = states();
    all.sort_by_key(|state| state.as_str().unwrap().to_owned());
    assert_eq!(all, ["delivered", "delivered", "waiting"]);
    let attempts = |delivery: &Value| {
        let path = format!("/v1/webhooks/{hook}/deliveries/{}", delivery["id"]);
        server.get(&token, &path).expect(200)["attempts"].as_array().unwrap().clone()
    };
    let second =
        log().as_array().unwrap().iter().flat_map(attempts).find(|it| it["response_status"] == 202);
    assert!(second.unwrap()["duration"].as_i64().unwrap() >= 1000);

    // The next one begins at once where that one has stopped.
    let started = Instant::now();
    let mut worker = work();
    receiver.wait_for(3);
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "waited for the lease of a worker that is gone"
    );
    assert_eq!(terminate(&mut worker.0), Some(0));
    assert_eq!(states(), ["delivered", "delivered", "delivered"]);
    assert_eq!(receiver.received().len(), 3);
    assert_eq!(server.stop(), Some(0));
}

/// A file that was sent to the demo package.
struct Sent {
    path: String,
    bytes: Vec<u8>,
    is_acknowledged: bool,
}

/// How far uploads have come.
#[derive(Default)]
struct Progress {
    /// How many were acknowledged.
    acknowledged: AtomicU64,
    /// Whether the server is gone, and failures are to be expected.
    is_killed: AtomicBool,
}

/// Bytes that no other file has, and that repeat too late for a lost or doubled piece to go unnoticed.
fn unique(size: usize) -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let pattern: Vec<u8> = (0..65_521).map(|at| (at % 251) as u8).collect();
    let mut bytes = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes().to_vec();
    bytes.extend(pattern.iter().cycle().take(size - 8));
    bytes
}

/// Begins a request as the holder of a token, of whose body `length` bytes are to follow.
fn begin(to: SocketAddr, token: &str, line: &str, length: usize) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{line} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    Ok(stream)
}

/// Sends a request as the holder of a token: status and body of the answer.
fn exchange(to: SocketAddr, token: &str, line: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
    let mut stream = begin(to, token, line, body.len())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|part| part == b"\r\n\r\n");
    let head = head.ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = text(&answer[..head]).split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, answer.split_off(head + 4)))
}

/// An access token of an application.
fn log_in(server: &Server, credentials: &str) -> String {
    let path = "/api/platform/applications/authtickets";
    let ticket = server.post("Content-Type: application/json", path, credentials).expect(200);
    ticket["accessToken"].as_str().unwrap().to_owned()
}

/// Uploads small and large files into a folder of the package, every third over the first of them, until
/// the server is killed.
fn upload_until_killed(
    to: SocketAddr,
    token: &str,
    files: &str,
    folder: &str,
    progress: &Progress,
) -> Vec<Sent> {
    let mut sent = Vec::new();
    for number in 0.. {
        let path = format!("{folder}/{}", if number % 3 == 2 { 0 } else { number });
        let bytes = unique(if number % 2 == 0 { 1_000 } else { 700_000 });
        let answer = exchange(to, token, &format!("POST {files}/{path}"), &bytes);
        let is_acknowledged = match answer {
            Ok((200, _)) => {
                progress.acknowledged.fetch_add(1, Ordering::SeqCst);
                true
            }
            Ok((status, body)) => panic!("{path}: {status} {}", text(&body)),
            Err(error) => {
                assert!(progress.is_killed.load(Ordering::SeqCst), "{path}: {error}");
                false
            }
        };
        sent.push(Sent { path, bytes, is_acknowledged });
        if !is_acknowledged {
            break;
        }
    }
    sent
}

/// Check sum and size of each file below a folder, by path.
fn tree(folder: &Value, files: &mut BTreeMap<String, (String, usize)>) {
    for file in folder["files"].as_array().unwrap() {
        let size = usize::try_from(file["sizeInBytes"].as_u64().unwrap()).unwrap();
        let sum = file["checkSum"].as_str().unwrap().to_owned();
        files.insert(file["path"].as_str().unwrap().to_owned(), (sum, size));
    }
    folder["subFolders"].as_array().unwrap().iter().for_each(|folder| tree(folder, files));
}

/// Demands of a server that it shows every acknowledged file, and each file that it shows whole: as one
/// of those that were sent since the last that was acknowledged. Returns how many of these files there are.
fn check_files(server: &Server, token: &str, key: &str, sent: &[Sent]) -> usize {
    let mut shown = BTreeMap::new();
    let path = format!("/api/platform/developer/packages/{key}/metadata");
    tree(&server.get(token, &path).expect(200), &mut shown);
    let path = format!("/api/platform/appdev/apppackages/{key}");
    let package = server.get(token, &path).expect(200);
    assert_eq!(package["assetFileCount"], shown.len());
    let mut by_path: BTreeMap<&str, Vec<&Sent>> = BTreeMap::new();
    for file in sent {
        let candidates = by_path.entry(&file.path).or_default();
        if file.is_acknowledged {
            candidates.clear();
        }
        candidates.push(file);
    }
    let mut found = 0;
    for (path, candidates) in by_path {
        let Some((sum, size)) = shown.get(path) else {
            assert!(!candidates[0].is_acknowledged, "{path} is lost");
            continue;
        };
        let line =
            format!("GET /api/platform/appdev/filebasedpackage/packages/{key}?fileName={path}");
        let (status, bytes) = exchange(server.address, token, &line, b"").unwrap();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        assert!(candidates.iter().any(|it| it.bytes == bytes), "{path} is not what was sent");
        assert_eq!((sum, size), (&hex::encode(Md5::digest(&bytes)), &bytes.len()), "{path}");
        found += 1;
    }
    found
}

#[test]
fn killed_uploads_are_whole_or_not_there() {
    kill_uploads(20, None);
}

#[cfg(test_postgres)]
#[test]
fn killed_uploads_are_whole_or_not_there_on_postgresql() {
    kill_uploads(10, Some(&Schema::new("kills").database()));
}

/// A schema of PostgreSQL that is there until it is dropped.
#[cfg(test_postgres)]
struct Schema {
    name: String,
    url: String,
}

#[cfg(test_postgres)]
impl Schema {
    fn new(what: &str) -> Self {
        let url = std::env::var("APPMARKET_TEST_DATABASE_URL").unwrap();
        let schema = Self { name: format!("test_{what}_{}", std::process::id()), url };
        schema.run(&format!("CREATE SCHEMA {}", schema.name));
        schema
    }

    /// The address of a database that has nothing but this schema.
    fn database(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{}", self.url, self.name)
    }

    fn run(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connected = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await;
            let (client, connection) = connected.unwrap();
            let connection = tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
            drop(client);
            drop(connection.await);
        });
    }
}

#[cfg(test_postgres)]
impl Drop for Schema {
    fn drop(&mut self) {
        self.run(&format!("SET lock_timeout = '5s'; DROP SCHEMA {} CASCADE", self.name));
    }
}

/// Kills a server that often while files are uploaded, and looks at what is there afterwards. On a
/// database of its own, or on this one.
fn kill_uploads(kills: u64, database: Option<&str>) {
    let folder = TempDir::new().unwrap();
    let launch = || {
        let mut command = program(folder.path(), "serve --listen 127.0.0.1:0 --json");
        command.envs(database.map(|url| ("APPMARKET_DATABASE_URL", url)));
        Server::spawn(command)
    };
    let mut server = launch();
    let demo = &server.ready["demo"]["application"];
    let key = demo["appKey"].as_str().unwrap().to_owned();
    let login = json!({"applicationId": key, "sharedSecret": demo["sharedSecret"]}).to_string();
    // Tokens are good for the address that issued them; each start has a port of its own.
    let start = || {
        let server = launch();
        let token = log_in(&server, &login);
        (server, token)
    };
    let store = folder.path().join("data/files/packages");
    let stored = || std::fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path());
    let demo_files = stored().count();
    let files = format!("/api/platform/developer/packages/{key}/files");

    let mut sent = Vec::new();
    let mut token = log_in(&server, &login);
    for kill in 0..kills {
        let (progress, known) = (Progress::default(), sent.len());
        // One upload never ends, so that each kill meets one.
        let line = format!("POST {files}/kill-{kill}/endless");
        let mut endless = begin(server.address, &token, &line, 2_000_000).unwrap();
        endless.write_all(&unique(1_000_000)).unwrap();
        sent.extend(std::thread::scope(|scope| {
            let uploads: Vec<_> = (0..6)
                .map(|place| {
                    let (to, folder) = (server.address, format!("kill-{kill}/{place}"));
                    let (token, files, progress) = (&*token, &*files, &progress);
                    scope.spawn(move || upload_until_killed(to, token, files, &folder, progress))
                })
                .collect();
            // Another moment each time: before the first answer, and after more and more of them.
            let started = Instant::now();
            while progress.acknowledged.load(Ordering::SeqCst) < kill % 8 {
                assert!(started.elapsed() < PATIENCE, "uploads come to no end");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(7 * kill % 30));
            progress.is_killed.store(true, Ordering::SeqCst);
            server.kill();
            let ended = uploads.into_iter().map(|upload| upload.join().unwrap());
            ended.flatten().collect::<Vec<_>>()
        }));
        (server, token) = start();
        check_files(&server, &token, &key, &sent[known..]);
    }
    let is_unfinished = |path: &PathBuf| path.to_string_lossy().contains('#');
    let unfinished = stored().filter(is_unfinished).count();
    assert!(unfinished > 0, "no kill met an upload that was under way");

    // A day later, what the kills have left is removed, and nothing else.
    server.kill();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for path in stored() {
        File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let (server, token) = start();
    let expected = demo_files + check_files(&server, &token, &key, &sent);
    let started = Instant::now();
    while stored().count() != expected {
        let left = stored().count();
        assert!(started.elapsed() < PATIENCE, "{left} files are left instead of {expected}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(demo_files + check_files(&server, &token, &key, &sent), expected);
}

#[test]
fn operators_may_be_typed_as_they_are_into_an_address() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "");
    let token = server.ready["demo"]["token"].as_str().unwrap();
    for (query, count) in [
        ("created_at=>2016-01-15T23:00:00Z", 2),
        ("created_at=>=2016-01-15<2100-01-01", 2),
        ("created_at=<2016-01-15", 0),
        ("id=>1", 1),
        ("id=%3E1", 1),
    ] {
        let answer = server.send(&format!(
            "GET /v1/app_offerings?{query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        ));
        assert_eq!(answer.expect(200).as_array().unwrap().len(), count, "{query}");
    }
    // The answer to an address that had to be mended ends the connection, asked for or not.
    let answer = server.send(&format!(
        "GET /v1/app_offerings?id=>1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    assert!(answer.head.contains("\r\nconnection: close"), "{}", answer.head);
    assert_eq!(answer.expect(200)[0]["id"], 2);
}

#[test]
fn a_body_that_is_too_long_is_refused_by_the_real_server_too() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "");
    let token = server.ready["demo"]["token"].as_str().unwrap();
    // Announced, and not sent: the server need not read it to know.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = 2 * 1024 * 1024;
    write!(stream, "POST /v1/app_offerings HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n").unwrap();
    let mut sent = 0;
    // The server may stop reading, and close, as soon as it has seen too much.
    while sent < length && stream.write_all(&[b' '; 65_536]).is_ok() {
        sent += 65_536;
    }
    let mut start = [0; 12];
    if stream.read_exact(&mut start).is_ok() {
        assert_eq!(&start, b"HTTP/1.1 413");
    }
    // Whatever became of that connection, the next is served.
    assert_eq!(server.get(token, "/v1/app_offerings").status, 200);
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_is_touched() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = TempDir::new().unwrap();
    let output = run(&folder, &format!("serve --listen {address}"));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.starts_with(&format!("appmarket: cannot listen on {address}: ")), "{said}");
    assert!(said.ends_with("; choose another with --listen\n"), "{said}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn addresses_in_answers_lead_back_to_the_server() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&folder, "");
    let token = server.ready["demo"]["token"].as_str().unwrap();
    let answer = server.get(token, "/v1/app_offerings?per_page=1");
    let link = answer.head.lines().find_map(|line| line.strip_prefix("link: ")).unwrap();
    assert!(link.starts_with(&format!("<http://{}/v1/app_offerings?", server.address)), "{link}");
    let mut command = program(folder.path(), "serve --listen 127.0.0.1:0 --json");
    command.env("APPMARKET_PUBLIC_URL", "https://api.example.test/");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["docs"], "https://api.example.test/docs");
    assert_eq!(ready["reference"], "https://api.example.test/reference");
}
