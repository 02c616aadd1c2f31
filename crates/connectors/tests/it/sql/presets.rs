//! Each preset against the tables of its product.

use sterna_core::account::Account;

use super::{accounts, format};
use crate::servers::{mariadb::mariadb, postgres::postgres};

const BCRYPT: &str = "$2a$05$fwK5e7t9/A8lH66M5OXEN.wTS8ftMtFOcu5wyqe.cgem/Oct4WHXO";

fn by_key<'a>(accounts: &'a [Account], key: &str) -> &'a Account {
    accounts.iter().find(|account| account.key.as_str() == key).unwrap_or_else(|| panic!("{key}"))
}

#[tokio::test]
async fn django_devise_aspnet_supabase_and_keycloak_are_read_from_postgresql() {
    let Some(server) = postgres() else { return };
    let url = server.url();
    let read = |preset: &str, more: &str| {
        let toml = format!("url = '{url}'\npreset = '{preset}'\n{more}\n");
        async move { accounts(&toml).await }
    };
    server.execute(&DJANGO.replace("BCRYPT", BCRYPT));
    let django = read("django", "").await;
    let ana = by_key(&django, "1");
    assert_eq!((ana.profile.active, ana.profile.groups.as_slice()), (Some(true), ["staff".to_owned()].as_slice()));
    assert_eq!((format(ana), format(by_key(&django, "2"))), (Some("django-pbkdf2-sha256"), None));
    server.execute(&format!("DROP TABLE IF EXISTS users; CREATE TABLE users (id bigint, email text, encrypted_password text, confirmed_at timestamp, locked_at timestamp, last_sign_in_at timestamp, created_at timestamp, updated_at timestamp); INSERT INTO users VALUES (1,'a@x.org','{BCRYPT}',now(),NULL,NULL,now(),now()),(2,'b@x.org','',NULL,now(),NULL,now(),now());"));
    let devise = read("devise", "password_format = 'bcrypt-2a'").await;
    assert_eq!(
        (format(by_key(&devise, "1")), by_key(&devise, "1").profile.emails[0].verified),
        (Some("bcrypt-2a"), Some(true))
    );
    assert_eq!(by_key(&devise, "2").profile.active, Some(false));
    server.execute(ASPNET);
    let aspnet = read("aspnet-identity", "").await;
    let one = by_key(&aspnet, "g1");
    assert_eq!((one.identities.len(), one.profile.roles.as_slice()), (2, ["editor".to_owned()].as_slice()));
    assert_eq!((one.profile.active, by_key(&aspnet, "g2").profile.active), (Some(true), Some(false)));
    server.execute(&SUPABASE.replace("BCRYPT", BCRYPT));
    let supabase = read("supabase", "").await;
    assert_eq!(supabase.len(), 2);
    let banned = supabase.iter().find(|account| account.profile.active == Some(false)).unwrap();
    assert_eq!((format(banned), banned.identities.len()), (None, 1));
    server.execute(KEYCLOAK);
    let keycloak = read("keycloak", "table_prefix = 'shop'").await;
    assert_eq!(keycloak.len(), 2);
    let ana = by_key(&keycloak, "k1");
    assert_eq!((format(ana), ana.profile.must_change_password), (Some("keycloak-pbkdf2-sha256"), true));
    assert_eq!((ana.profile.roles.as_slice(), ana.identities.len()), (["editor".to_owned()].as_slice(), 2));
    assert_eq!(ana.profile.attributes["plan"], "gold");
    assert_eq!(format(by_key(&keycloak, "k2")), None);
}

#[tokio::test]
async fn wordpress_and_laravel_are_read_from_mariadb_and_laravel_from_sqlite() {
    let users = format!(
        "CREATE TABLE users (id BIGINT, name VARCHAR(50), email VARCHAR(50), email_verified_at TIMESTAMP NULL, password VARCHAR(255), created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL); INSERT INTO users VALUES (1,'Ana','a@x.org','2024-01-02 03:04:05','{BCRYPT}','2024-01-02 03:04:05',NULL);"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(&users).unwrap();
    let found = accounts(&format!("path = '{}'\npreset = 'laravel'\n", path.display())).await;
    assert_eq!(
        (format(&found[0]), found[0].profile.times.created.map(|at| at.0)),
        (Some("bcrypt-2a"), Some(1_704_164_645_000))
    );
    let Some(server) = mariadb() else { return };
    server.execute(&users);
    let found = accounts(&format!("url = '{}'\npreset = 'laravel'\n", server.url())).await;
    assert_eq!((format(&found[0]), found[0].profile.emails[0].verified), (Some("bcrypt-2a"), Some(true)));
    server.execute(WORDPRESS);
    let found = accounts(&format!("url = '{}'\npreset = 'wordpress'\ntable_prefix = 'x_'\n", server.url())).await;
    let ana = by_key(&found, "1");
    assert_eq!(
        (ana.profile.given_name.as_deref(), ana.profile.roles.as_slice()),
        (Some("Ana"), ["editor".to_owned()].as_slice())
    );
    assert_eq!((format(ana), ana.profile.times.created), (Some("phpass-P"), None));
}

const DJANGO: &str = "CREATE TABLE auth_user (id int, password varchar(128), last_login timestamptz, is_superuser bool, username text, first_name text, last_name text, email text, is_staff bool, is_active bool, date_joined timestamptz);
CREATE TABLE auth_group (id int, name text); CREATE TABLE auth_user_groups (id int, user_id int, group_id int);
INSERT INTO auth_user VALUES (1,'pbkdf2_sha256$1000$salt$RXw5xmpHUNBCpxf/jTJTyC6UM9PBhTvpIfwb8MhUB0o=',NULL,false,'ana','Ana','P','a@x.org',false,true,now()),(2,'!unusable',NULL,false,'bo','Bo','Q','b@x.org',false,false,now());
INSERT INTO auth_group VALUES (1,'staff'); INSERT INTO auth_user_groups VALUES (1,1,1);";

const ASPNET: &str = r#"CREATE TABLE "AspNetUsers" ("Id" text, "UserName" text, "Email" text, "EmailConfirmed" bool, "PasswordHash" text, "PhoneNumber" text, "PhoneNumberConfirmed" bool, "TwoFactorEnabled" bool, "LockoutEnd" timestamptz, "LockoutEnabled" bool);
CREATE TABLE "AspNetUserLogins" ("LoginProvider" text, "ProviderKey" text, "UserId" text); CREATE TABLE "AspNetUserRoles" ("UserId" text, "RoleId" text);
CREATE TABLE "AspNetRoles" ("Id" text, "Name" text); CREATE TABLE "AspNetUserClaims" ("Id" int, "UserId" text, "ClaimType" text, "ClaimValue" text);
INSERT INTO "AspNetUsers" VALUES ('g1','ana','a@x.org',true,NULL,NULL,false,false,NULL,true),('g2','bo','b@x.org',true,NULL,NULL,false,false,'9999-12-31',true);
INSERT INTO "AspNetUserLogins" VALUES ('Google','77','g1'); INSERT INTO "AspNetRoles" VALUES ('r','editor'); INSERT INTO "AspNetUserRoles" VALUES ('g1','r');"#;

const SUPABASE: &str = "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid DEFAULT gen_random_uuid(), email text, email_confirmed_at timestamptz, phone text, phone_confirmed_at timestamptz, encrypted_password text, banned_until timestamptz, raw_app_meta_data jsonb, raw_user_meta_data jsonb, last_sign_in_at timestamptz, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, is_anonymous bool NOT NULL DEFAULT false);
CREATE TABLE auth.identities (user_id uuid, provider text, provider_id text);
INSERT INTO auth.users (email, encrypted_password, banned_until, deleted_at, is_anonymous) VALUES ('a@x.org','BCRYPT',NULL,NULL,false),('b@x.org','','2999-01-01',NULL,false),('c@x.org','BCRYPT',NULL,now(),false),(NULL,'',NULL,NULL,true);
INSERT INTO auth.identities SELECT id, 'google', '77' FROM auth.users WHERE email = 'b@x.org';";

const KEYCLOAK: &str = r#"CREATE TABLE realm (id text, name text); CREATE TABLE user_entity (id text, email text, email_verified bool, enabled bool, first_name text, last_name text, realm_id text, username text, created_timestamp bigint, service_account_client_link text);
CREATE TABLE credential (id text, type text, user_id text, secret_data text, credential_data text, priority int); CREATE TABLE user_required_action (user_id text, required_action text);
CREATE TABLE federated_identity (identity_provider text, user_id text, federated_user_id text); CREATE TABLE keycloak_group (id text, name text); CREATE TABLE user_group_membership (group_id text, user_id text);
CREATE TABLE keycloak_role (id text, name text, client_role bool); CREATE TABLE user_role_mapping (role_id text, user_id text); CREATE TABLE user_attribute (id text, name text, value text, user_id text);
INSERT INTO realm VALUES ('r','shop'),('o','other');
INSERT INTO user_entity VALUES ('k1','a@x.org',true,true,'Ana','P','r','ana',1554112800000,NULL),('k2','b@x.org',false,false,'Bo','Q','r','bo',1554112800000,NULL),('k3',NULL,false,true,NULL,NULL,'r','service-account-x',1,'c'),('k4',NULL,false,true,NULL,NULL,'o','els',1,NULL);
INSERT INTO credential VALUES ('c','password','k1','{"value":"aGFzaA==","salt":"c2FsdA==","additionalParameters":{}}','{"hashIterations":1000,"algorithm":"pbkdf2-sha256","additionalParameters":{}}',10);
INSERT INTO user_required_action VALUES ('k1','UPDATE_PASSWORD'); INSERT INTO federated_identity VALUES ('google','k1','77');
INSERT INTO keycloak_role VALUES ('e','editor',false),('x','buyer',true); INSERT INTO user_role_mapping VALUES ('e','k1'),('x','k1'); INSERT INTO user_attribute VALUES ('a','plan','gold','k1');"#;

const WORDPRESS: &str = r#"SET sql_mode=''; CREATE TABLE x_users (ID BIGINT UNSIGNED PRIMARY KEY, user_login VARCHAR(60), user_pass VARCHAR(255), user_email VARCHAR(100), user_url VARCHAR(100), user_registered DATETIME, display_name VARCHAR(250));
CREATE TABLE x_usermeta (umeta_id BIGINT, user_id BIGINT UNSIGNED, meta_key VARCHAR(255), meta_value LONGTEXT);
INSERT INTO x_users VALUES (1,'ana','$P$B7889EMq/erHIuZapMB8GEizebcIy9.','a@x.org','','0000-00-00 00:00:00','Ana');
INSERT INTO x_usermeta VALUES (1,1,'first_name','Ana'),(2,1,'x_capabilities','a:2:{s:6:"editor";b:1;s:6:"author";b:0;}');"#;
