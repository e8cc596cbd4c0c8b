//! Takes the committed documents into the program, so that what is served is what was reviewed, and stamps
//! the revision for `/version`.
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    documents(&Path::new(&root).join("openapi"), Path::new(&out));
    revision();
    // The suite runs on PostgreSQL too when a server is named: those tests exist only then.
    println!("cargo::rustc-check-cfg=cfg(test_postgres)");
    println!("cargo::rerun-if-env-changed=APPMARKET_TEST_DATABASE_URL");
    if std::env::var_os("APPMARKET_TEST_DATABASE_URL").is_some() {
        println!("cargo::rustc-cfg=test_postgres");
    }
    // Likewise for a store that speaks S3, on which there is a bucket `appmarket-test`.
    println!("cargo::rustc-check-cfg=cfg(test_s3)");
    println!("cargo::rerun-if-env-changed=APPMARKET_TEST_S3_ENDPOINT");
    if std::env::var_os("APPMARKET_TEST_S3_ENDPOINT").is_some() {
        println!("cargo::rustc-cfg=test_s3");
    }
}

/// Writes `documents.rs`: name and text of each document.
fn documents(folder: &Path, out: &Path) {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .filter(|name| name.ends_with(".json"))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    for name in names {
        let path = folder.join(&name);
        writeln!(table, "({name:?}, include_str!({path:?})),")
            .expect("writing into a String cannot fail");
    }
    table.push(']');
    std::fs::write(out.join("documents.rs"), table).expect("OUT_DIR can be written");
}

fn revision() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let revision = output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned());
    // Not behind `APPMARKET_`: `cargo run` hands it on, and the program reads settings from there.
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
}
