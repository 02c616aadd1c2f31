//! The product's tables with two thousand people, each password hashed by the database itself.

/// People of the super tenant.
pub(super) const PEOPLE: usize = 2_000;

/// wso2-scim.md 7.1 and 7.3: hashes of `Wso2@test123` and `Tr0ub4dor&3` that the database cannot make.
pub(super) const PBKDF2: &str = "hjt8zwif+n4vG0NOJiq3hX+2OJIcVFsSCCHvgG2p2ZA=";
pub(super) const PBKDF2_SALT: &str = "AAECAwQFBgcICQoLDA0ODw==";
pub(super) const BCRYPT: &str = "JDJiJDA4JGtsQkh3UlpCQ2xNT0ZSM01PZkRTb09heEg4Y2tXMUZmTG9lWlB1OFNJWmpZNnp6QmJKaW9h";

/// How the password of the person `n` is kept, and what it is.
pub(super) fn password(n: usize) -> (&'static str, String) {
    let own = format!("Pässword-{n}");
    match n {
        11..=20 => ("base64-sha256", own),
        21..=25 => ("pbkdf2", "Wso2@test123".to_owned()),
        26..=30 => ("bcrypt", "Tr0ub4dor&3".to_owned()),
        31..=40 => ("salted-sha1", own),
        _ => ("salted-sha256", own),
    }
}

/// What differs between the databases.
pub(super) struct Dialect {
    /// A column that numbers itself.
    pub(super) serial: &'static str,
    /// Numbers 1 to `{most}` as a table with the column i.
    pub(super) numbers: &'static str,
    /// Base64 of a digest of a text: `{digest}` of `{text}`.
    pub(super) sha256: &'static str,
    pub(super) sha1: &'static str,
    /// A salt made of the number.
    pub(super) salt: &'static str,
    /// Number as text, texts joined.
    pub(super) own_password: &'static str,
    /// Where the tables of the other databases are.
    pub(super) shared: &'static str,
    pub(super) identity: &'static str,
}

pub(super) const POSTGRES: Dialect = Dialect {
    serial: "SERIAL",
    numbers: "generate_series(1, {most}) AS s(i)",
    sha256: "encode(sha256(convert_to({text}, 'UTF8')), 'base64')",
    sha1: "encode(digest(convert_to({text}, 'UTF8'), 'sha1'), 'base64')",
    salt: "encode(decode(md5(i::text), 'hex'), 'base64')",
    own_password: "'Pässword-' || i",
    shared: "",
    identity: "",
};

pub(super) const MARIADB: Dialect = Dialect {
    serial: "INTEGER AUTO_INCREMENT UNIQUE",
    numbers: "(SELECT seq AS i FROM seq_1_to_{most}) s",
    sha256: "TO_BASE64(UNHEX(SHA2({text}, 256)))",
    sha1: "TO_BASE64(UNHEX(SHA1({text})))",
    salt: "TO_BASE64(UNHEX(MD5(i)))",
    own_password: "CONCAT('Pässword-', i)",
    shared: "shared.",
    identity: "ident.",
};

/// The tables and what is in them.
pub(super) fn sql(dialect: &Dialect) -> String {
    let Dialect { serial, numbers, sha256, sha1, salt, own_password, shared, identity } = dialect;
    let numbers = numbers.replace("{most}", &PEOPLE.to_string());
    let salted = if *serial == "SERIAL" {
        format!("{own_password} || {salt}")
    } else {
        format!("CONCAT({own_password}, {salt})")
    };
    let of = |digest: &str, text: &str| digest.replace("{text}", text);
    let (salted_256, plain_256) = (of(sha256, &salted), of(sha256, own_password));
    let salted_1 = of(sha1, &salted);
    let text = |prefix: &str, suffix: &str| {
        if *serial == "SERIAL" {
            format!("'{prefix}' || i || '{suffix}'")
        } else {
            format!("CONCAT('{prefix}', i, '{suffix}')")
        }
    };
    let attribute = |name: &str, value: &str| {
        format!(
            "INSERT INTO UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE, UM_PROFILE_ID, UM_USER_ID, UM_TENANT_ID) \
             SELECT '{name}', {value}, 'default', i, -1234 FROM {numbers};\n"
        )
    };
    format!(
        "CREATE TABLE UM_USER (UM_ID {serial}, UM_USER_ID VARCHAR(255), UM_USER_NAME VARCHAR(255) NOT NULL, \
           UM_USER_PASSWORD VARCHAR(255) NOT NULL, UM_SALT_VALUE VARCHAR(31), UM_REQUIRE_CHANGE BOOLEAN DEFAULT FALSE, \
           UM_CHANGED_TIME TIMESTAMP NOT NULL, UM_TENANT_ID INTEGER DEFAULT 0, PRIMARY KEY (UM_ID, UM_TENANT_ID), \
           UNIQUE (UM_USER_NAME, UM_TENANT_ID));\n\
         CREATE TABLE UM_USER_ATTRIBUTE (UM_ID {serial}, UM_ATTR_NAME VARCHAR(255) NOT NULL, UM_ATTR_VALUE VARCHAR(1024), \
           UM_PROFILE_ID VARCHAR(255), UM_USER_ID INTEGER, UM_TENANT_ID INTEGER DEFAULT 0, PRIMARY KEY (UM_ID, UM_TENANT_ID));\n\
         CREATE INDEX UM_USER_ID_INDEX ON UM_USER_ATTRIBUTE (UM_USER_ID);\n\
         CREATE TABLE UM_SYSTEM_USER (UM_ID {serial}, UM_USER_NAME VARCHAR(255), UM_TENANT_ID INTEGER);\n\
         CREATE TABLE UM_ROLE (UM_ID {serial}, UM_ROLE_NAME VARCHAR(255) NOT NULL, UM_TENANT_ID INTEGER);\n\
         CREATE TABLE UM_USER_ROLE (UM_ID {serial}, UM_ROLE_ID INTEGER, UM_USER_ID INTEGER, UM_TENANT_ID INTEGER);\n\
         CREATE TABLE {shared}UM_TENANT (UM_ID {serial}, UM_DOMAIN_NAME VARCHAR(255) NOT NULL);\n\
         CREATE TABLE {shared}UM_DOMAIN (UM_DOMAIN_ID INTEGER, UM_DOMAIN_NAME VARCHAR(255), UM_TENANT_ID INTEGER);\n\
         CREATE TABLE {shared}UM_HYBRID_ROLE (UM_ID INTEGER, UM_ROLE_NAME VARCHAR(255), UM_TENANT_ID INTEGER);\n\
         CREATE TABLE {shared}UM_HYBRID_USER_ROLE (UM_ID {serial}, UM_USER_NAME VARCHAR(255), UM_ROLE_ID INTEGER, \
           UM_TENANT_ID INTEGER, UM_DOMAIN_ID INTEGER);\n\
         CREATE TABLE {shared}UM_HYBRID_GROUP_ROLE (UM_ID {serial}, UM_GROUP_NAME VARCHAR(255), UM_ROLE_ID INTEGER, \
           UM_TENANT_ID INTEGER, UM_DOMAIN_ID INTEGER);\n\
         CREATE TABLE {identity}IDN_IDENTITY_USER_DATA (TENANT_ID INTEGER, USER_NAME VARCHAR(255) NOT NULL, \
           DATA_KEY VARCHAR(255) NOT NULL, DATA_VALUE VARCHAR(2048), PRIMARY KEY (TENANT_ID, USER_NAME, DATA_KEY));\n\
         CREATE TABLE {identity}IDP (ID INTEGER, TENANT_ID INTEGER, NAME VARCHAR(254));\n\
         CREATE TABLE {identity}IDN_ASSOCIATED_ID (ID {serial}, IDP_USER_ID VARCHAR(255), TENANT_ID INTEGER, IDP_ID INTEGER, \
           DOMAIN_NAME VARCHAR(255), USER_NAME VARCHAR(255), ASSOCIATION_ID CHAR(36));\n\
         INSERT INTO UM_USER (UM_ID, UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_SALT_VALUE, UM_REQUIRE_CHANGE, \
           UM_CHANGED_TIME, UM_TENANT_ID) SELECT i, {uuid}, {login}, \
           CASE WHEN i BETWEEN 11 AND 20 THEN {plain_256} WHEN i BETWEEN 21 AND 25 THEN '{PBKDF2}' \
                WHEN i BETWEEN 26 AND 30 THEN '{BCRYPT}' WHEN i BETWEEN 31 AND 40 THEN {salted_1} ELSE {salted_256} END, \
           CASE WHEN i BETWEEN 11 AND 20 OR i BETWEEN 26 AND 30 THEN NULL WHEN i BETWEEN 21 AND 25 THEN '{PBKDF2_SALT}' \
                ELSE {salt} END, \
           i = 2, '2024-01-02 03:04:05', -1234 FROM {numbers};\n\
         INSERT INTO UM_USER (UM_USER_ID, UM_USER_NAME, UM_USER_PASSWORD, UM_CHANGED_TIME, UM_TENANT_ID) \
           VALUES ('acme-1', 'User1', 'x', '2024-01-02 03:04:05', 7), ('acme-2', 'other', 'x', '2024-01-02 03:04:05', 7);\n\
         {mail}{given}{family}{login_attribute}{plan}\
         INSERT INTO UM_USER_ATTRIBUTE (UM_ATTR_NAME, UM_ATTR_VALUE, UM_PROFILE_ID, UM_USER_ID, UM_TENANT_ID) VALUES \
           ('mobile', '+34600000001,+34600000002', 'default', 1, -1234), ('scimId', 'old-1', 'default', 1, -1234), \
           ('createdDate', '2020-05-06T07:08:09Z', 'default', 1, -1234), ('mail', 'hidden@example.org', 'other', 1, -1234), \
           ('uid', 'user1', 'default', 1, -1234), ('streetAddress', 'Calle 1', 'default', 1, -1234), \
           ('stateOrProvinceName', 'Madrid', 'default', 1, -1234), ('region', 'MD', 'default', 1, -1234);\n\
         INSERT INTO UM_SYSTEM_USER (UM_USER_NAME, UM_TENANT_ID) VALUES ('wso2.internal', -1234);\n\
         INSERT INTO UM_ROLE (UM_ID, UM_ROLE_NAME, UM_TENANT_ID) VALUES (1, 'staff', -1234), (2, 'admins', -1234);\n\
         INSERT INTO UM_USER_ROLE (UM_ROLE_ID, UM_USER_ID, UM_TENANT_ID) VALUES (1, 1, -1234), (2, 1, -1234), (1, 3, -1234);\n\
         INSERT INTO {shared}UM_TENANT (UM_ID, UM_DOMAIN_NAME) VALUES (7, 'acme.example');\n\
         INSERT INTO {shared}UM_DOMAIN VALUES (1, 'PRIMARY', -1234), (2, 'SECOND', -1234);\n\
         INSERT INTO {shared}UM_HYBRID_ROLE VALUES (1, 'Application/editor', -1234), (2, 'selfservice', -1234);\n\
         INSERT INTO {shared}UM_HYBRID_USER_ROLE (UM_USER_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID) VALUES \
           ('USER1', 1, -1234, 1), ('User2', 1, -1234, 2);\n\
         INSERT INTO {shared}UM_HYBRID_GROUP_ROLE (UM_GROUP_NAME, UM_ROLE_ID, UM_TENANT_ID, UM_DOMAIN_ID) VALUES \
           ('staff', 2, -1234, 1);\n\
         INSERT INTO {identity}IDN_IDENTITY_USER_DATA VALUES \
           (-1234, 'USER3', 'http://wso2.org/claims/identity/accountLocked', 'true'), \
           (-1234, 'USER3', 'http://wso2.org/claims/identity/lockedReason', 'ADMIN_INITIATED'), \
           (-1234, 'User4', 'http://wso2.org/claims/identity/accountLocked', 'true'), \
           (-1234, 'User4', 'http://wso2.org/claims/identity/lockedReason', 'MAX_ATTEMPTS_EXCEEDED'), \
           (-1234, 'User5', 'http://wso2.org/claims/identity/accountDisabled', 'true'), \
           (-1234, 'User6', 'http://wso2.org/claims/identity/accountLocked', 'false'), \
           (-1234, 'User6', 'http://wso2.org/claims/identity/emailVerified', 'true'), \
           (-1234, 'User6', 'http://wso2.org/claims/identity/lastLogonTime', '1704164645000'), \
           (-1234, 'User6', 'http://wso2.org/claims/identity/secretkey', 'MZXW6YTB'), \
           (-1234, 'SECOND/User5', 'http://wso2.org/claims/identity/accountLocked', 'true'), \
           (7, 'User1', 'http://wso2.org/claims/identity/accountLocked', 'true');\n\
         INSERT INTO {identity}IDP VALUES (4, -1234, 'Google');\n\
         INSERT INTO {identity}IDN_ASSOCIATED_ID (IDP_USER_ID, TENANT_ID, IDP_ID, DOMAIN_NAME, USER_NAME) VALUES \
           ('10987', -1234, 4, 'PRIMARY', 'User7'), ('20987', -1234, 4, 'SECOND', 'User8');\n",
        uuid = text("uuid-", ""),
        login = text("User", ""),
        mail = attribute("mail", &text("user", "@example.org")),
        given = attribute("givenName", &text("Ana ", "")),
        family = attribute("sn", "'Müller'"),
        login_attribute = attribute("login", &text("User", "")),
        plan = attribute("plan", "'gold'"),
    )
}
