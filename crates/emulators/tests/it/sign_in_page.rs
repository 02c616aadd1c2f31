//! The sign-in page, as a browser without scripts sees it.

use reqwest::StatusCode;
use serde_json::json;

use crate::sign_in_stub::{LEGACY, NAME, Says, Scene};
use crate::support::World;

async fn post(world: &World, more: &str, form: &[(&str, &str)]) -> String {
    let url = format!("{}{more}", world.emulator.ready().sign_in_url.as_ref().unwrap());
    let response = world.http.post(url).form(form).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.text().await.unwrap()
}

async fn enter(scene: &Scene, name: &str, password: &str) -> String {
    post(&scene.world, "", &[("username", name), ("password", password)]).await
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[tokio::test]
async fn the_page_has_labels_and_no_scripts_and_nothing_is_kept_of_it() {
    let world = World::new("[tenant]\ndisplay_name = \"Contoso <&> Co\"").await;
    let url = world.emulator.ready().sign_in_url.clone().unwrap();
    assert!(url.ends_with("/contoso.onmicrosoft.com/sign-in"));
    let response = world.http.get(&url).send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("cache-control"), header("content-type")),
        ("no-store".into(), "text/html; charset=utf-8".into())
    );
    assert!(header("content-security-policy").starts_with("default-src 'none'"));
    let page = response.text().await.unwrap();
    has(
        &page,
        &["<html lang=\"en\">", "<label for=\"username\">", "<label for=\"password\">", "Contoso &lt;&amp;&gt; Co"],
    );
    assert!(!page.contains("<script") && !page.contains("role=\"alert\""));
    let by_id = format!(
        "{}/{}/sign-in",
        world.emulator.ready().login_url.as_ref().unwrap(),
        world.emulator.ready().tenant_id.as_ref().unwrap()
    );
    assert_eq!(world.http.get(by_id).send().await.unwrap().status(), StatusCode::OK);
    let other = url.replace("contoso", "fabrikam");
    assert_ne!(world.http.get(other).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(world.http.put(url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_person_goes_through_every_page() {
    let scene = Scene::new(vec![Says::Action("Retry")], json!({})).await;
    let page = enter(&scene, "\"><b>nobody", "Typed-Passw0rd").await;
    has(&page, &["role=\"alert\"", "Your account or password is incorrect.", "&quot;&gt;&lt;b&gt;nobody"]);
    assert!(!page.contains("Typed-"));
    has(&enter(&scene, NAME, LEGACY).await, &["From the endpoint: Says &lt;so&gt;", "<label for=\"password\">"]);
    scene.stub.says(Says::Action("Block"));
    let page = enter(&scene, NAME, LEGACY).await;
    has(&page, &["<h1>From the endpoint</h1>", "Says &lt;so&gt;"]);
    assert!(!page.contains("<form"));
    scene.stub.says(Says::Silence);
    has(&enter(&scene, NAME, LEGACY).await, &["Something went wrong", "1003027"]);
    scene.stub.says(Says::Action("UpdatePassword"));
    let page = enter(&scene, NAME, LEGACY).await;
    has(&page, &["Update your password", "autocomplete=\"new-password\"", "aria-describedby=\"rule\""]);
    let flow = page.split("name=\"flow\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let page = post(&scene.world, "/new-password", &[("flow", &flow), ("password", "weak")]).await;
    has(&page, &["role=\"alert\"", "does not comply", &flow]);
    has(
        &post(&scene.world, "/new-password", &[("flow", &flow), ("password", "Brand-New-1")]).await,
        &["You are signed in."],
    );
    has(
        &post(&scene.world, "/new-password", &[("flow", &flow), ("password", "Brand-New-2")]).await,
        &["took too long"],
    );
    has(&enter(&scene, NAME, "Brand-New-1").await, &["You are signed in."]);
    assert_eq!(scene.last().await["ip"], "127.0.0.1");
}

#[tokio::test]
async fn a_b2c_tenant_has_the_page_and_no_extension_app() {
    let world = World::b2c("").await;
    world.create(crate::support::local("Ana")).await;
    let ready = world.emulator.ready();
    assert!(ready.extension_app_id.is_none() && ready.jwks_url.is_some());
    has(&post(&world, "", &[("username", NAME), ("password", "Str0ng-Passw0rd!")]).await, &["You are signed in."]);
}
