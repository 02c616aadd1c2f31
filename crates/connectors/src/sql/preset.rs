//! Ready-made queries for the tables of products, by export-formats.md 7, 11 to 14, 16 and 17.

use serde_json::{Map, Value};
use sterna_core::{
    code::{Code, Finding},
    settings::Values,
};

use super::connection::Engine;

/// The presets.
pub(super) const NAMES: &[&str] =
    &["django", "aspnet-identity", "devise", "laravel", "wordpress", "supabase", "keycloak"];

/// A product's tables.
struct Preset {
    query: &'static str,
    columns: &'static [(&'static str, &'static str)],
    sides: &'static [(&'static str, &'static str)],
    sign_in: &'static [&'static str],
    ignore: &'static [&'static str],
}

/// The settings with the preset's where the operator gives none; `columns` are merged.
pub(super) fn applied(name: &str, values: &Values, engine: Engine) -> Result<Values, Finding> {
    let wants_prefix = matches!(name, "wordpress" | "keycloak");
    let default = if name == "wordpress" { "wp_" } else { "" };
    let prefix = values.text("table_prefix").filter(|_| wants_prefix).unwrap_or(default);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    if !prefix.bytes().all(plain) {
        return Err(Finding::error(Code::E1005, "`table_prefix` has a character that no such name has"));
    }
    if name == "keycloak" && prefix.is_empty() && values.get("query").is_none() {
        return Err(Finding::error(Code::E1005, "the preset keycloak needs the realm's name in `table_prefix`"));
    }
    let preset = find(name);
    let text = |sql: &str| {
        let sql = sql.replace("{prefix}", prefix);
        Value::from(if engine == Engine::Mysql { sql.replace('"', "`") } else { sql })
    };
    let mut out = values.clone();
    let mut set = |name: &str, value: Value| {
        if values.get(name).is_none() {
            out = out.clone().with(name, value);
        }
    };
    set("query", text(preset.query));
    for (side, query) in preset.sides {
        set(side, text(query));
    }
    for (name, list) in [("sign_in", preset.sign_in), ("ignore", preset.ignore)] {
        if !list.is_empty() {
            set(name, list.into());
        }
    }
    let mut columns: Map<String, Value> =
        preset.columns.iter().map(|(name, from)| ((*name).to_owned(), Value::from(*from))).collect();
    columns.extend(values.text_table("columns").into_iter().map(|(name, from)| (name, Value::from(from))));
    Ok(out.with("columns", Value::Object(columns)))
}

fn find(name: &str) -> &'static Preset {
    match name {
        "django" => &DJANGO,
        "aspnet-identity" => &ASPNET,
        "devise" => &DEVISE,
        "laravel" => &LARAVEL,
        "wordpress" => &WORDPRESS,
        "supabase" => &SUPABASE,
        _ => &KEYCLOAK,
    }
}

static DJANGO: Preset = Preset {
    query: "SELECT id, username, email, first_name, last_name, password, is_active, is_staff, is_superuser, \
            date_joined, last_login FROM auth_user",
    columns: &[
        ("key", "id"),
        ("user_name", "username"),
        ("email", "email"),
        ("given_name", "first_name"),
        ("family_name", "last_name"),
        ("password_hash", "password"),
        ("active", "is_active"),
        ("created", "date_joined"),
        ("last_sign_in", "last_login"),
    ],
    sides: &[(
        "groups",
        "SELECT ug.user_id AS \"key\", g.name AS \"name\" FROM auth_user_groups ug JOIN auth_group g ON g.id = ug.group_id",
    )],
    sign_in: &["user_name"],
    ignore: &[],
};

static ASPNET: Preset = Preset {
    query: "SELECT \"Id\", \"UserName\", \"Email\", \"EmailConfirmed\", \"PasswordHash\", \"PhoneNumber\", \
            \"PhoneNumberConfirmed\", \"TwoFactorEnabled\", \"LockoutEnd\", \
            CASE WHEN \"LockoutEnabled\" AND \"LockoutEnd\" > CURRENT_TIMESTAMP THEN 0 ELSE 1 END AS sterna_active \
            FROM \"AspNetUsers\"",
    columns: &[
        ("key", "Id"),
        ("user_name", "UserName"),
        ("email", "Email"),
        ("email_verified", "EmailConfirmed"),
        ("password_hash", "PasswordHash"),
        ("phone", "PhoneNumber"),
        ("phone_verified", "PhoneNumberConfirmed"),
        ("active", "sterna_active"),
    ],
    sides: &[
        (
            "identities",
            "SELECT \"UserId\" AS \"key\", \"LoginProvider\" AS issuer, \"ProviderKey\" AS subject FROM \"AspNetUserLogins\"",
        ),
        (
            "roles",
            "SELECT ur.\"UserId\" AS \"key\", r.\"Name\" AS \"name\" FROM \"AspNetUserRoles\" ur \
             JOIN \"AspNetRoles\" r ON r.\"Id\" = ur.\"RoleId\"",
        ),
        (
            "attributes",
            "SELECT \"UserId\" AS \"key\", \"ClaimType\" AS \"name\", \"ClaimValue\" AS value FROM \"AspNetUserClaims\"",
        ),
    ],
    sign_in: &["user_name"],
    ignore: &[],
};

static DEVISE: Preset = Preset {
    query: "SELECT id, email, encrypted_password, confirmed_at, \
            CASE WHEN confirmed_at IS NULL THEN 0 ELSE 1 END AS sterna_confirmed, \
            CASE WHEN locked_at IS NULL THEN 1 ELSE 0 END AS sterna_active, \
            last_sign_in_at, created_at, updated_at FROM users",
    columns: &[
        ("key", "id"),
        ("email", "email"),
        ("email_verified", "sterna_confirmed"),
        ("password_hash", "encrypted_password"),
        ("active", "sterna_active"),
        ("last_sign_in", "last_sign_in_at"),
        ("created", "created_at"),
        ("updated", "updated_at"),
    ],
    sides: &[],
    sign_in: &["email"],
    ignore: &["confirmed_at"],
};

static LARAVEL: Preset = Preset {
    query: "SELECT id, name, email, CASE WHEN email_verified_at IS NULL THEN 0 ELSE 1 END AS sterna_verified, \
            password, CASE WHEN password LIKE '$2y$%' THEN 'bcrypt-2y' WHEN password LIKE '$2a$%' THEN 'bcrypt-2a' \
            WHEN password LIKE '$2b$%' THEN 'bcrypt-2b' END AS sterna_format, created_at, updated_at FROM users",
    columns: &[
        ("key", "id"),
        ("display_name", "name"),
        ("email", "email"),
        ("email_verified", "sterna_verified"),
        ("password_hash", "password"),
        ("password_format", "sterna_format"),
        ("created", "created_at"),
        ("updated", "updated_at"),
    ],
    sides: &[],
    sign_in: &["email"],
    ignore: &[],
};

static WORDPRESS: Preset = Preset {
    query: "SELECT u.ID AS id, u.user_login, u.user_pass, u.user_email, u.user_registered, u.display_name, u.user_url, \
            (SELECT m.meta_value FROM {prefix}usermeta m WHERE m.user_id = u.ID AND m.meta_key = 'first_name' LIMIT 1) AS first_name, \
            (SELECT m.meta_value FROM {prefix}usermeta m WHERE m.user_id = u.ID AND m.meta_key = 'last_name' LIMIT 1) AS last_name, \
            (SELECT m.meta_value FROM {prefix}usermeta m WHERE m.user_id = u.ID AND m.meta_key = 'nickname' LIMIT 1) AS nickname, \
            (SELECT m.meta_value FROM {prefix}usermeta m WHERE m.user_id = u.ID AND m.meta_key = 'locale' LIMIT 1) AS locale \
            FROM {prefix}users u",
    columns: &[
        ("key", "id"),
        ("user_name", "user_login"),
        ("email", "user_email"),
        ("password_hash", "user_pass"),
        ("created", "user_registered"),
        ("display_name", "display_name"),
        ("given_name", "first_name"),
        ("family_name", "last_name"),
        ("nick_name", "nickname"),
        ("preferred_language", "locale"),
    ],
    sides: &[(
        "roles",
        "SELECT user_id AS \"key\", meta_value AS \"name\" FROM {prefix}usermeta WHERE meta_key = '{prefix}capabilities'",
    )],
    sign_in: &["user_name", "email"],
    ignore: &[],
};

static SUPABASE: Preset = Preset {
    query: "SELECT id, email, email_confirmed_at IS NOT NULL AS sterna_email_confirmed, phone, \
            phone_confirmed_at IS NOT NULL AS sterna_phone_confirmed, encrypted_password, \
            CASE WHEN encrypted_password LIKE '$2y$%' THEN 'bcrypt-2y' WHEN encrypted_password LIKE '$2a$%' THEN 'bcrypt-2a' \
            WHEN encrypted_password LIKE '$2b$%' THEN 'bcrypt-2b' END AS sterna_format, \
            (banned_until IS NULL OR banned_until <= now()) AS sterna_active, raw_app_meta_data, raw_user_meta_data, \
            last_sign_in_at, created_at, updated_at FROM auth.users \
            WHERE deleted_at IS NULL AND is_anonymous IS NOT TRUE",
    columns: &[
        ("key", "id"),
        ("email", "email"),
        ("email_verified", "sterna_email_confirmed"),
        ("phone", "phone"),
        ("phone_verified", "sterna_phone_confirmed"),
        ("password_hash", "encrypted_password"),
        ("password_format", "sterna_format"),
        ("active", "sterna_active"),
        ("last_sign_in", "last_sign_in_at"),
        ("created", "created_at"),
        ("updated", "updated_at"),
    ],
    sides: &[(
        "identities",
        "SELECT user_id AS key, provider AS issuer, provider_id AS subject FROM auth.identities \
         WHERE provider NOT IN ('email', 'phone')",
    )],
    sign_in: &[],
    ignore: &[],
};

static KEYCLOAK: Preset = Preset {
    query: "SELECT u.id, u.username, u.email, u.email_verified, u.enabled, u.first_name, u.last_name, \
            u.created_timestamp, c.secret_data, c.credential_data, \
            CASE WHEN c.credential_data LIKE '%_algorithm_:_argon2_%' THEN 'keycloak-argon2' \
            WHEN c.credential_data LIKE '%_algorithm_:_pbkdf2-sha512_%' THEN 'keycloak-pbkdf2-sha512' \
            WHEN c.credential_data LIKE '%_algorithm_:_pbkdf2-sha256_%' THEN 'keycloak-pbkdf2-sha256' \
            WHEN c.credential_data LIKE '%_algorithm_:_pbkdf2_%' THEN 'keycloak-pbkdf2' END AS sterna_format, \
            EXISTS (SELECT 1 FROM user_required_action a WHERE a.user_id = u.id AND a.required_action = 'UPDATE_PASSWORD') \
            AS sterna_must_change \
            FROM user_entity u JOIN realm r ON r.id = u.realm_id LEFT JOIN credential c ON c.id = \
            (SELECT c2.id FROM credential c2 WHERE c2.user_id = u.id AND c2.type = 'password' ORDER BY c2.priority LIMIT 1) \
            WHERE r.name = '{prefix}' AND u.service_account_client_link IS NULL",
    columns: &[
        ("key", "id"),
        ("user_name", "username"),
        ("email", "email"),
        ("email_verified", "email_verified"),
        ("active", "enabled"),
        ("given_name", "first_name"),
        ("family_name", "last_name"),
        ("created", "created_timestamp"),
        ("password_hash", "secret_data"),
        ("password_format", "sterna_format"),
        ("password.credentialData", "credential_data"),
        ("must_change_password", "sterna_must_change"),
    ],
    sides: &[
        (
            "identities",
            "SELECT user_id AS \"key\", identity_provider AS issuer, federated_user_id AS subject FROM federated_identity",
        ),
        (
            "groups",
            "SELECT m.user_id AS \"key\", g.name AS \"name\" FROM user_group_membership m JOIN keycloak_group g ON g.id = m.group_id",
        ),
        (
            "roles",
            "SELECT m.user_id AS \"key\", r.name AS \"name\" FROM user_role_mapping m JOIN keycloak_role r ON r.id = m.role_id \
             WHERE NOT r.client_role",
        ),
        ("attributes", "SELECT user_id AS \"key\", name AS \"name\", value AS \"value\" FROM user_attribute"),
    ],
    sign_in: &["user_name"],
    ignore: &[],
};
