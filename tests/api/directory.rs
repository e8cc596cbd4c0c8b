//! Who exists, as far as no operation shows it.
use appmarket::app;
use appmarket::directory::account_numbers;
use appmarket::directory::accounts::{self, NewAccount};
use appmarket::kernel::clock::Clock;
use appmarket::kernel::config::Config;
use appmarket::migrations::{self, Migrator};
use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;
use tempfile::TempDir;

use crate::on_both;

use crate::support::app::START;

on_both! {
    async fn every_account_has_a_number_of_its_own(app: TestApp) {
        let db = app.state.store.connection();
        for (account, number) in [("acme", 1), ("globex", 2), ("initech", 3)] {
            assert_eq!(account_numbers::number(db, account).await.unwrap(), Some(number));
            let found = account_numbers::account(db, number).await.unwrap();
            assert_eq!(found.as_deref(), Some(account));
        }
        assert_eq!(account_numbers::number(db, "nobody").await.unwrap(), None);
        assert_eq!(account_numbers::account(db, 4).await.unwrap(), None);
    }

    async fn an_account_that_is_refused_gets_no_number(app: TestApp) {
        let db = app.state.store.begin().await.unwrap();
        let again = NewAccount { id: "acme", name: "Acme", time_zone: "Amsterdam", locale: "en" };
        accounts::create(&db, again, START).await.unwrap_err();
        db.rollback().await.unwrap();
        assert_eq!(app.count("SELECT COUNT(*) FROM account_numbers").await, 3);
    }
}

#[tokio::test]
async fn accounts_from_before_are_numbered_in_the_order_they_were_made() {
    let folder = TempDir::new().unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    let state = app::connect(config, Clock::frozen(START)).await.unwrap();
    let db = state.store.connection();
    Migrator::up(db, Some(2)).await.unwrap();
    for (account, created_at) in [("second", 2), ("the-first", 1)] {
        let sql = format!(
            "INSERT INTO accounts (id, name, time_zone, locale, created_at, updated_at) \
             VALUES ('{account}', 'A', 'UTC', 'en', {created_at}, {created_at})"
        );
        db.execute_unprepared(&sql).await.unwrap();
    }
    assert_eq!(migrations::up(db).await.unwrap(), Migrator::migrations().len() - 2);
    assert_eq!(account_numbers::account(db, 1).await.unwrap().as_deref(), Some("the-first"));
    assert_eq!(account_numbers::account(db, 2).await.unwrap().as_deref(), Some("second"));
}
