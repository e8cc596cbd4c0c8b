//! `GET /platform/appdev/apppackages/{applicationKey}` (contract 3.3) after it was asked for before.
use serde_json::json;

use super::{PATH, loyalty, path_of, refused_key, whole};
use crate::on_both;

on_both! {
    async fn what_is_known_of_names_hides_no_change(app: TestApp) {
        let (world, loyalty, client) = loyalty(&app).await;
        let first = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(client.get(&path_of("ACME01.Loyalty.01.0.0")).await.expect(200), first);
        assert_eq!(first["hasApplicationVersions"], false);

        app.advance_seconds(60);
        let body = json!({"applicationName": "Points", "packageDescription": "Changed"});
        let changed = client.put(&path_of(&loyalty.key), body).await.expect(200);
        assert_eq!(whole(&client, &loyalty.key).await, changed);
        assert_eq!(changed["applicationName"], "Points");

        let next = json!({"appKey": "acme01.loyalty.1.1.0"});
        client.post(&format!("{PATH}/create"), next).await.expect(200);
        let again = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(again["hasApplicationVersions"], true);
        let next = client.get(&path_of("acme01.loyalty.1.1.0")).await.expect(200);
        assert_eq!(next["appKey"], "acme01.loyalty.1.1.0.Release");

        world.set_status(&loyalty, 5).await;
        let published = client.get(&path_of(&loyalty.key)).await.expect(200);
        assert_eq!(published["applicationStatusId"], 5);

        for key in ["acme01.loyalty.9.0.0.Release", "acme01.loyalty.1.0.0.nothing"] {
            refused_key(client.get(&path_of(key)).await, key);
        }
        let globex = world.application("globex01.points.1.0.0").await;
        let globex = world.client(&globex).await;
        refused_key(globex.get(&path_of(&loyalty.key)).await, &loyalty.key);
    }
}
