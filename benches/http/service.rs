//! What has to do with no record: the documents, and how soon a server answers.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    BARE, Benchmark, Result, SERVER, Target, bare,
    cases::{Case, expect_equal},
    client::Client,
    database::{Database, Place, Postgres},
    load::Work,
    progress,
    report::{Report, Startup, case_name},
};

/// The largest one.
const DOCUMENT: &str = "/openapi/app-offerings.json";

impl Benchmark {
    pub async fn run_service(
        &self,
        database: Database,
        postgres: Option<&Postgres>,
        report: &mut Report,
    ) -> Result<()> {
        let parent = self.folder.path().join(database.to_string());
        let wants = |case| self.options.cases.contains(&case);
        let place = Place::new("service", &parent, postgres).await?;
        // The first start makes the database.
        let process = self.server.launch(&place).await?;
        if wants(Case::Document) {
            let mut client = Client::connect(process.address, None).await?;
            let answer = client.get_packed(DOCUMENT).await?.expect(200)?;
            expect_equal("encoding", answer.header("Content-Encoding")?, "gzip")?;
            answer.header("ETag")?;
            let bare = bare::start(self.cores, &parent, DOCUMENT, &answer.body, &[]).await?;
            let mut client = Client::connect(bare.address, None).await?;
            let same = client.get_packed(DOCUMENT).await?.expect(200)?;
            expect_equal("what the bare handler answers", same.body, answer.body)?;
            let target = |label, process| Target {
                work: Work::GetPacked,
                ..Target::new(label, process, "", DOCUMENT.to_owned())
            };
            let targets = [target(BARE, &bare), target(SERVER, &process)];
            self.measure(database, case_name(Case::Document), &targets, report).await?;
        }
        process.stop().await?;
        if wants(Case::Startup) {
            progress(&format!("{database}: {}", case_name(Case::Startup)));
            let mut milliseconds = Vec::new();
            for number in 0..=self.options.rounds {
                let started = Instant::now();
                let process = self.server.launch_watched(&place, Duration::from_millis(1)).await?;
                let took = started.elapsed().as_secs_f64() * 1000.0;
                process.stop().await?;
                // Round 0 reads the program from the disk.
                if number > 0 {
                    milliseconds.push(took);
                }
            }
            report.add_startup(Startup { database, milliseconds });
        }
        if let Some(postgres) = postgres {
            postgres.drop(&place).await?;
        }
        fs::remove_dir_all(&place.folder)?;
        Ok(())
    }
}
