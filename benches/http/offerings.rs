//! The cases of app offerings: the server beside a bare handler and its peers.

use std::{fs, path::Path};

use crate::{
    BARE, Benchmark, Participant, Result, SERVER, Target, bare,
    cases::{self, Case, LIST, expect_equal, named_offering},
    client::Client,
    database::{Database, Place, Postgres},
    load::Work,
    process::Process,
    progress,
    report::{Measurement, PAGES, Report, case_name, grouped},
    server,
};

impl Benchmark {
    pub async fn run_offerings(
        &self,
        database: Database,
        postgres: Option<&Postgres>,
        report: &mut Report,
    ) -> Result<()> {
        let parent = self.folder.path().join(database.to_string());
        let wants = |case| self.options.cases.contains(&case);
        let mut places = Vec::new();

        progress(&format!("{database}: filling the server"));
        let place = Place::new("server", &parent, postgres).await?;
        let known = self.server.fill(&place, self.offerings).await?;
        // The copy has to be taken while nobody uses the original.
        let grown = if wants(Case::Scale) {
            progress(&format!("{database}: growing a copy to {}", grouped(self.grown)));
            let grown = place.copy("grown", postgres).await?;
            server::grow(&grown, &known, self.offerings, self.grown).await?;
            Some(grown)
        } else {
            None
        };
        let server = self.server.start(&place, &known, SERVER).await?;
        server::check(&server).await?;
        places.push(place);

        let mut participants = vec![server];
        for &peer in &self.peers {
            progress(&format!("{database}: filling {}", peer.label(database)));
            let place = Place::new(peer.name(), &parent, postgres).await?;
            participants.push(peer.start(database, &place, self.offerings, self.cores).await?);
            places.push(place);
        }
        for participant in &participants {
            let checked = cases::check(participant, self.offerings).await;
            checked.map_err(|error| format!("{}: {error}", participant.label))?;
        }

        for case in [Case::List, Case::Get, Case::Filtered] {
            if wants(case) {
                let bare = self.bare(case, &participants[0], &parent).await?;
                self.measure_offerings(database, case, &bare, &participants, report).await?;
            }
        }
        if let Some(place) = grown {
            let label = format!("{SERVER}, {} offerings", grouped(self.grown));
            let grown = self.server.start(&place, &known, &label).await?;
            self.measure_pages(database, &participants[0], &grown, report).await?;
            grown.process.stop().await?;
            places.push(place);
        }
        // Last, because it changes how many offerings there are.
        if wants(Case::Create) {
            let bare = self.bare(Case::Create, &participants[0], &parent).await?;
            let mut before = Vec::new();
            for participant in &participants {
                before.push(participant.total().await?);
            }
            let create = Case::Create;
            let sent =
                self.measure_offerings(database, create, &bare, &participants, report).await?;
            for ((participant, before), sent) in participants.iter().zip(before).zip(&sent[1..]) {
                self.check_created(participant, before, *sent).await?;
            }
        }

        for participant in participants {
            participant.process.stop().await?;
        }
        for place in &places {
            if let Some(postgres) = postgres {
                postgres.drop(place).await?;
            }
            fs::remove_dir_all(&place.folder)?;
        }
        Ok(())
    }

    /// A bare handler that answers what the server answers in this case.
    async fn bare(&self, case: Case, server: &Participant, folder: &Path) -> Result<Process> {
        let mut client = server.client().await?;
        let path = case.path(server.item);
        if case == Case::Create {
            let body = named_offering("Bench model", server.service_instance).to_string();
            let answer = client.post(&path, body).await?.expect(201)?;
            let more = ["--written", "201"];
            return bare::start(self.cores, folder, LIST, &answer.body, &more).await;
        }
        let answer = client.get(&path).await?.expect(200)?;
        let route = if case == Case::Get { "/v1/app_offerings/{id}" } else { LIST };
        let process = bare::start(self.cores, folder, route, &answer.body, &[]).await?;
        // It must be the same bytes: everything else is measured against it.
        let mut client = Client::connect(process.address, None).await?;
        let same = client.get(&path).await?.expect(200)?;
        expect_equal("what the bare handler answers", same.body, answer.body)?;
        Ok(process)
    }

    /// One case, all targets; hands back how many requests each of them answered.
    async fn measure_offerings(
        &self,
        database: Database,
        case: Case,
        bare: &Process,
        participants: &[Participant],
        report: &mut Report,
    ) -> Result<Vec<u64>> {
        let work = |service_instance| match case {
            Case::Create => {
                Work::Post(named_offering("Round @unique@", service_instance).to_string())
            }
            _ => Work::Get,
        };
        let server = &participants[0];
        let bare = Target::new(BARE, bare, &server.token, case.path(server.item));
        let mut targets = vec![Target { work: work(server.service_instance), ..bare }];
        for participant in participants {
            let target = participant.target(case.path(participant.item));
            targets.push(Target { work: work(participant.service_instance), ..target });
        }
        self.measure(database, case_name(case), &targets, report).await
    }

    /// The first and the last page of the list, as it is and grown.
    async fn measure_pages(
        &self,
        database: Database,
        small: &Participant,
        grown: &Participant,
        report: &mut Report,
    ) -> Result<()> {
        progress(&format!("{database}: pages"));
        let small_paths = server::check_pages(small, self.offerings).await?;
        let grown_paths = server::check_pages(grown, self.grown).await?;
        let mut targets = Vec::new();
        for (small_path, grown_path) in small_paths.into_iter().zip(grown_paths) {
            targets.extend([small.target(small_path), grown.target(grown_path)]);
        }
        let (measured, _) = self.take_turns(&targets).await?;
        for (index, (target, rounds)) in targets.iter().zip(measured).enumerate() {
            report.add(Measurement::new(database, PAGES[index / 2], &target.label, rounds));
        }
        Ok(())
    }

    /// Every acknowledged offering is there.
    async fn check_created(&self, target: &Participant, before: u64, answered: u64) -> Result<()> {
        let created = target.total().await? - before;
        self.check_acknowledged(&target.label, "offerings", answered, created)
    }
}
