//! Hashes that somebody wrote to hurt: refused before any derivation, and with little memory.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use sterna_core::password::formats::{Bounds, Refusal, Stored, Verdict, find, recognise};

use super::vectors::vectors;

/// The most that reading a hash may hold at once, however hostile: JSON of 8 KiB, taken apart and decoded.
const MOST_BYTES: u64 = 96 << 10;
/// Far more than all refusals of a test take together, and less than any derivation that is refused for its cost.
const MOST_TIME: Duration = Duration::from_secs(15);

/// A named case: format, text.
type Case = (String, &'static str, String);

/// Hashes that ask for too much, by format.
const GREEDY: &[(&str, &str)] = &[
    ("bcrypt-2b", "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2a", "$2a$30$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2y", "$2y$18$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2x", "$2x$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2b", "$2b$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2b", "$2b$99$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("bcrypt-2b", "$2b$00$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("django-bcrypt", "bcrypt$$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("django-bcrypt-sha256", "bcrypt_sha256$$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("wordpress-bcrypt", "$wp$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("passlib-bcrypt-sha256-v1", "$bcrypt-sha256$2b,31$PokVW075hFhQUlXZSHSU3e$BHEzLMySfJZh53Gew.aKT13UzpblALe"),
    ("passlib-bcrypt-sha256-v2", "$bcrypt-sha256$v=2,t=2b,r=31$OZZGMVSRO/dW6xQMIgO.hO$DSfdygtqlr9tX1oI8w1dCB4BUk5wq6m"),
    (
        "passlib-bcrypt-sha256-v2",
        "$bcrypt-sha256$v=2,t=2b,r=4294967300$OZZGMVSRO/dW6xQMIgO.hO$DSfdygtqlr9tX1oI8w1dCB4BUk5wq6m",
    ),
    ("spring-bcrypt", "{bcrypt}$2a$31$F1zn9zzuUx0xiRX8v7c6neybzoUS6gQzgWei713U/UZKIajzhcAv2"),
    ("ldap-crypt", "{CRYPT}$2b$31$qGhln880Wexc9sA2pQ06g.t9pQLxraV7sM19mMuMPpGHk5BCbabGC"),
    (
        "okta-bcrypt",
        r#"{"algorithm":"BCRYPT","workFactor":31,"salt":"OKNsC/nX4HAraninzFlwWO","value":"Y7g1l9AXodkpJ1fsxzkGpSPUET8mrx."}"#,
    ),
    (
        "okta-bcrypt",
        r#"{"algorithm":"BCRYPT","workFactor":18446744073709551615,"salt":"OKNsC/nX4HAraninzFlwWO","value":"Y7g1l9AXodkpJ1fsxzkGpSPUET8mrx."}"#,
    ),
    (
        "fusionauth-bcrypt",
        r#"{"encryptionScheme":"bcrypt","factor":31,"salt":"aGI4PirkDZr9kG3GwRXrIO","password":"/zWfJMa84k1hOGNkGe0FlEWFlFhyZae"}"#,
    ),
    ("argon2id", "$argon2id$v=19$m=4194304,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    (
        "argon2id",
        "$argon2id$v=19$m=4294967295,t=4294967295,p=255$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE",
    ),
    (
        "argon2id",
        "$argon2id$v=19$m=99999999999999999999,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE",
    ),
    (
        "argon2id",
        "$argon2id$v=19$m=1024,t=4294967295,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE",
    ),
    ("argon2id", "$argon2id$v=19$m=1024,t=11,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=262144,t=9,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=1024,t=1,p=17$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    (
        "argon2id",
        "$argon2id$v=19$m=1024,t=1,p=16777216$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE",
    ),
    ("argon2id", "$argon2id$v=19$m=7,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=0,t=0,p=0$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=1024,t=1,p=1$YQ$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=1024,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$YQ"),
    ("argon2id", "$argon2id$v=18$m=1024,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$t=1,m=1024,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2id", "$argon2id$v=19$m=-1,t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE"),
    ("argon2d", "$argon2d$v=19$m=4194304,t=3,p=4$7/JrUBCvMXfRYeeVh6dm7A$MOQDdFipkFyth71Md+KYPyd0XMuaMQUulEzxsiDqosc"),
    ("argon2i", "$argon2i$v=19$m=4194304,t=3,p=4$7/JrUBCvMXfRYeeVh6dm7A$MOQDdFipkFyth71Md+KYPyd0XMuaMQUulEzxsiDqosc"),
    (
        "django-argon2",
        "argon2$argon2id$v=19$m=4194304,t=2,p=2$cGtyMGNTdFk0cVdCOGRXS25IZkROeA$LgQYD9leS+UIafoIOExe1QtYCtFg0q1yyMvn3rZ9niE",
    ),
    (
        "ldap-argon2",
        "{ARGON2}$argon2id$v=19$m=4194304,t=2,p=2$cGtyMGNTdFk0cVdCOGRXS25IZkROeA$LgQYD9leS+UIafoIOExe1QtYCtFg0q1yyMvn3rZ9niE",
    ),
    (
        "spring-argon2",
        "{argon2}$argon2id$v=19$m=4194304,t=2,p=2$cGtyMGNTdFk0cVdCOGRXS25IZkROeA$LgQYD9leS+UIafoIOExe1QtYCtFg0q1yyMvn3rZ9niE",
    ),
    (
        "magento-3",
        "4c4fa224860e528a3aec7831d8a7538803b77a786e8f28666899dd6c4a93ed0e:gENfMTx0MOdOQw4S:3_32_2_4398046511104",
    ),
    (
        "magento-3",
        "4c4fa224860e528a3aec7831d8a7538803b77a786e8f28666899dd6c4a93ed0e:gENfMTx0MOdOQw4S:3_32_4294967295_8388608",
    ),
    (
        "magento-3",
        "4c4fa224860e528a3aec7831d8a7538803b77a786e8f28666899dd6c4a93ed0e:gENfMTx0MOdOQw4S:3_4294967295_2_8388608",
    ),
    (
        "magento-chain",
        "4c4fa224860e528a3aec7831d8a7538803b77a786e8f28666899dd6c4a93ed0e:gENfMTx0MOdOQw4S:0:3_32_2_4398046511104",
    ),
    (
        "keycloak-argon2",
        r#"{"secretData":"{\"value\":\"1KECPNk2V33uLE0DI4JD0Xnnjtdy7rw7ZfdpKYma8ig=\",\"salt\":\"7WaHXveqHJwRvfuQ9YiQUQ==\"}","credentialData":"{\"hashIterations\":5,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"4194304\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}"}"#,
    ),
    (
        "keycloak-pbkdf2-sha256",
        r#"{"secretData":"{\"value\":\"yA20wGHmbYKCa2dkY21Ke7jkZYkaT5Osx1BpObQ1Z+8=\",\"salt\":\"VDM0Qmoy7Gde+jwma4teiQ==\"}","credentialData":"{\"hashIterations\":2147483648,\"algorithm\":\"pbkdf2-sha256\"}"}"#,
    ),
    ("scrypt-phc", "$scrypt$ln=40,r=8,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=63,r=8,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=64,r=8,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=4294967296,r=8,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=21,r=1,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=10,r=1073741823,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=10,r=8,p=4294967295$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=0,r=8,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    ("scrypt-phc", "$scrypt$ln=10,r=0,p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4"),
    (
        "scrypt-phc",
        "$scrypt$ln=10,r=18446744073709551615,p=18446744073709551615$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4",
    ),
    (
        "kratos-scrypt",
        "$scrypt$ln=1099511627776,r=8,p=1$Fj/3g3rgQfP0jhqewuGrp9tyG62BiGK9ZXrSDV2a5nQ=$ktsKj4jOFgAnsqKCqiecaoaX/G/LDcoliTRQTmfX7No=",
    ),
    (
        "kratos-scrypt",
        "$scrypt$ln=1000,r=8,p=1$Fj/3g3rgQfP0jhqewuGrp9tyG62BiGK9ZXrSDV2a5nQ=$ktsKj4jOFgAnsqKCqiecaoaX/G/LDcoliTRQTmfX7No=",
    ),
    (
        "django-scrypt",
        "scrypt$1099511627776$salt$8$1$8qe2n5do1pOxabK7PXe+pkftY81aHeAOaDQt/hPw5yrQipbIqrNT9fNEYlDiDQGHvRmY9LtOxXlAvTM9xk+R0w==",
    ),
    ("werkzeug-scrypt", "scrypt:1099511627776:8:1$salt$6913651320f58de2"),
    ("werkzeug-scrypt", "scrypt:1024:8:17$salt$6913651320f58de2"),
    (
        "spring-scrypt",
        "{scrypt}$280801$UfE7rwGeiSSC6065lFjnz8M9Q5Ohm/JwqZmHXp3jM4NP5LUEtt92ItEquQUOLF7SljHa4zRyRN/kvdglVwkpog==$AUOe0zO8g8LcxYLnf8nSjYT1WVO53P80seRckbnwv34=",
    ),
    (
        "spring-scrypt",
        "{scrypt}$ffffffff$UfE7rwGeiSSC6065lFjnz8M9Q5Ohm/JwqZmHXp3jM4NP5LUEtt92ItEquQUOLF7SljHa4zRyRN/kvdglVwkpog==$AUOe0zO8g8LcxYLnf8nSjYT1WVO53P80seRckbnwv34=",
    ),
    (
        "spring-scrypt",
        "{scrypt}$+e0801$UfE7rwGeiSSC6065lFjnz8M9Q5Ohm/JwqZmHXp3jM4NP5LUEtt92ItEquQUOLF7SljHa4zRyRN/kvdglVwkpog==$AUOe0zO8g8LcxYLnf8nSjYT1WVO53P80seRckbnwv34=",
    ),
    ("crypt-scrypt-7", "$7$z6..../....SodiumChloride$XVKS1M06owVrhDhmhl2upMTpKBrSpJTIRPXIER0dYGC"),
    ("crypt-scrypt-7", "$7$6zzzzz/....SodiumChloride$XVKS1M06owVrhDhmhl2upMTpKBrSpJTIRPXIER0dYGC"),
    ("crypt-scrypt-7", "$7$66....zzzzzSodiumChloride$XVKS1M06owVrhDhmhl2upMTpKBrSpJTIRPXIER0dYGC"),
    (
        "auth0-scrypt",
        r#"{"algorithm":"scrypt","hash":{"value":"4ec0e648","encoding":"hex"},"salt":{"value":"YWJj","encoding":"base64"},"keylen":4,"cost":1099511627776,"blockSize":8,"parallelization":1}"#,
    ),
    (
        "auth0-scrypt",
        r#"{"algorithm":"scrypt","hash":{"value":"4ec0e648","encoding":"hex"},"salt":{"value":"YWJj","encoding":"base64"},"keylen":4294967295,"cost":1024,"blockSize":8,"parallelization":1}"#,
    ),
    (
        "firebase-scrypt",
        r#"{"hash_config":{"base64_signer_key":"AAAA","base64_salt_separator":"Bw==","rounds":8,"mem_cost":40},"passwordHash":"AAAA","salt":"AAAA"}"#,
    ),
    (
        "firebase-scrypt",
        r#"{"hash_config":{"base64_signer_key":"AAAA","base64_salt_separator":"Bw==","rounds":4294967295,"mem_cost":14},"passwordHash":"AAAA","salt":"AAAA"}"#,
    ),
    ("kratos-firescrypt", "$firescrypt$ln=30,r=8,p=1$AAAA$AAAA$Bw==$AAAA"),
    ("supabase-fbscrypt", "$fbscrypt$v=1,n=40,r=8,p=1,ss=Bw==,sk=AAAA$AAAA$AAAA"),
    (
        "supertokens-fscrypt",
        r#"{"hash":"$f_scrypt$AAAA$AAAA$m=40$r=8$s=Bw==","firebase_password_hashing_signer_key":"AAAA"}"#,
    ),
    ("clerk-scrypt-firebase", "AAAA$AAAA$AAAA$Bw==$8$40"),
    ("django-pbkdf2-sha256", "pbkdf2_sha256$2147483648$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4="),
    ("django-pbkdf2-sha256", "pbkdf2_sha256$10000001$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4="),
    ("django-pbkdf2-sha256", "pbkdf2_sha256$0$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4="),
    ("django-pbkdf2-sha256", "pbkdf2_sha256$99999999999999999999$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4="),
    ("django-pbkdf2-sha256", "!unusable"),
    ("django-pbkdf2-sha1", "pbkdf2_sha1$2147483648$salt$kdYffnr9PioSUri27HK3pdYJQlQ="),
    ("werkzeug-pbkdf2", "pbkdf2:sha1:2147483648$salt$2e1d0da8cb55625406a4fd415deec3b3eac91dc4"),
    ("passlib-pbkdf2-sha1", "$pbkdf2$2147483648$qbUWYsw55/z/v5cSQqh1Dg$HTGz2IHVbcDlhy5k76kndcQ7Tho"),
    (
        "passlib-pbkdf2-sha256",
        "$pbkdf2-sha256$2147483648$OEcIobTWGqMU4rx3jtFaCw$taaRBBxR6DfXGSWzdirpAqxMxRbts2NcnPLK59Fz/Vc",
    ),
    (
        "passlib-pbkdf2-sha512",
        "$pbkdf2-sha512$2147483648$CYHwPocQIgQgJKR0zhlDyA$Pfn37Ma7G.nCfA5NL47taKgM4PfLg52izYr4OTy9oVAzgqJXwdPVPcDyN.mjnFrx9Q1265pCjC.aEZT6ZsxKNg",
    ),
    (
        "phc-pbkdf2",
        "$pbkdf2-sha256$i=2147483648,l=32$FD4bI+C5qGrQnSIf5P1xZA$s6YucVQN5FCFYZIS+9fQq3mAmj2Hmqdt7Qq4Eq7WcjY",
    ),
    (
        "phc-pbkdf2",
        "$pbkdf2-sha256$i=1000,l=4294967295$FD4bI+C5qGrQnSIf5P1xZA$s6YucVQN5FCFYZIS+9fQq3mAmj2Hmqdt7Qq4Eq7WcjY",
    ),
    ("ldap-pbkdf2", "{PBKDF2}2147483648$LkVISekdY0yp9R5jzNnbew$Y29svPEzqWkjpWMzkuPf8B6It4E"),
    (
        "ldap-pbkdf2-sha256",
        "{PBKDF2-SHA256}2147483648$p/R.z/m/935vLQWAMEZoTQ$NwLpTuINl3t0X3cd5dMMZNF8ffwPnZ9R0xflvF2DVy8",
    ),
    ("aspnet-identity-v3", "AQAAAAH/////AAAAEKQ2eG7kinv+e7H+g2cTYGfNUNBWdsbYa5ZSHDJ1G0tbUuSKUR4HmheB4N64bRCvXQ=="),
    ("aspnet-identity-v3", "AQAAAAEAAAPo/////6Q2eG7kinv+e7H+g2cTYGfNUNBWdsbYa5ZSHDJ1G0tbUuSKUR4HmheB4N64bRCvXQ=="),
    (
        "okta-pbkdf2",
        r#"{"algorithm":"PBKDF2","digestAlgorithm":"SHA256_HMAC","iterationCount":2147483648,"keySize":3,"salt":"AAAA","value":"AAAA"}"#,
    ),
    (
        "forgerock-pbkdf2-hmac-sha256",
        "{PBKDF2-HMAC-SHA256}2147483648:JrTIy+MkOi0LusRgld+5uBl2piosiq9QH6WNdP45l3XIWWIpU2E+EzUiNzWioieA",
    ),
    ("liferay-pbkdf2", "{PBKDF2WithHmacSHA1}AAAAoH////9SkbwjWag7jHWXQTFnZXw+4xA5F0zRuCzYYIpX"),
    ("liferay-pbkdf2", "{PBKDF2WithHmacSHA1}/////wAAAAFSkbwjWag7jHWXQTFnZXw+4xA5F0zRuCzYYIpX"),
    ("mediawiki-pbkdf2", ":pbkdf2:sha512:2147483648:3:AAAA:AAAA"),
    (
        "wso2-pbkdf2",
        r#"{"pbkdf2.prf":"PBKDF2WithHmacSHA256","pbkdf2.iteration.count":2147483648,"pbkdf2.dkLength":24,"UM_SALT_VALUE":"AAAA","UM_USER_PASSWORD":"AAAA"}"#,
    ),
    (
        "fusionauth-salted-pbkdf2-hmac-sha256",
        r#"{"encryptionScheme":"salted-pbkdf2-hmac-sha256","factor":2147483648,"salt":"AAAA","password":"AAAA"}"#,
    ),
    (
        "fusionauth-salted-sha256",
        r#"{"encryptionScheme":"salted-sha256","factor":2147483648,"salt":"AAAA","password":"62v96AEiJQW1m5BBWF3p7nmCT7zsoKgeq8O42im+vZ4="}"#,
    ),
    (
        "symfony-message-digest",
        r#"{"algorithm":"sha256","iterations":2147483648,"salt":"a","password":"62v96AEiJQW1m5BBWF3p7nmCT7zsoKgeq8O42im+vZ4="}"#,
    ),
    (
        "clerk-sha512-symfony",
        "sha512_symfony$2147483648$salt$i/WPkvQYWwPgK171RNRb/CG5SWAE/oMWaTOP5VEoBuUOAnFqGsyWi+ZIV3x2Ri7C4BqeyLz7P8qIzx7TBfdKOA==",
    ),
    (
        "wso2-digest",
        r#"{"UM_USER_PASSWORD":"kxJRn4Q3yx381qXk5SjPdUreTUQ1hC8l7+0DA27o1pQ=","PasswordDigest":"SHA-512"}"#,
    ),
    ("wso2-digest", r#"{"UM_USER_PASSWORD":"kxJRn4Q3yx381qXk5SjPdUreTUQ1hC8l7+0DA27o1pQ=","PasswordDigest":"MD2"}"#),
    ("phpass-P", "$P$S12345678si5M0DDyPpmRCmcltU/YW/"),
    ("phpass-P", "$P$z12345678si5M0DDyPpmRCmcltU/YW/"),
    ("phpass-P", "$P$412345678si5M0DDyPpmRCmcltU/YW/"),
    ("phpass-H", "$H$SMjR7gHbVvidjocwO4K/7.AYW4hYpo0"),
    ("drupal7", "$S$z33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf"),
    ("drupal7-md5-upgraded", "U$S$z33783772bRXEx1aCsvY.dqgaaSu76XmVlKrW9Qu8IQlvxHlmzLf"),
    ("sha256crypt", "$5$rounds=999999999$K.LnRx7Cg2qtEyQ1$o9QCuMPbBB.uUiGxZ2odlP3Q4P91cHczHRikbx.Afd/"),
    ("sha256crypt", "$5$rounds=999$K.LnRx7Cg2qtEyQ1$o9QCuMPbBB.uUiGxZ2odlP3Q4P91cHczHRikbx.Afd/"),
    ("sha256crypt", "$5$rounds=0$K.LnRx7Cg2qtEyQ1$o9QCuMPbBB.uUiGxZ2odlP3Q4P91cHczHRikbx.Afd/"),
    ("sha256crypt", "$5$rounds=4294967296$K.LnRx7Cg2qtEyQ1$o9QCuMPbBB.uUiGxZ2odlP3Q4P91cHczHRikbx.Afd/"),
    (
        "sha512crypt",
        "$6$rounds=5000001$ZBKA8frcZTuJaWYU$QBm5XvZ6Yvb1DExzyHRn3dcix4.c2TYCzAUU0FK0cstwqmVYO9zxew/kOGF86CDVzx.jl1JW/7BYwLcyVA/eF1",
    ),
    ("kratos-crypt", "$sha256-crypt$rounds=999999999$jyhYXfC32Lj7WhhD$0PYowLrn0ICVfIBX.Y1QdD.XNJ7PJ7y.plfN/dFkbm8"),
    ("sha1crypt", "$sha1$4294967295$GGXpNqoJvglVTkGU$15ay/sqt8x.kymG1fxcilMe9uzbg"),
    ("sha1crypt", "$sha1$0$GGXpNqoJvglVTkGU$15ay/sqt8x.kymG1fxcilMe9uzbg"),
    ("sunmd5", "$md5,rounds=4294967295$9ZLwtuTO$RZCI6tPskaQD1XDK/Ffsr."),
    ("sunmd5", "$md5,rounds=18446744073709551615$9ZLwtuTO$RZCI6tPskaQD1XDK/Ffsr."),
    ("bsdi-crypt", "_zzzzCCCCBeguG7nmIew"),
    ("bsdi-crypt", "_....CCCCBeguG7nmIew"),
    ("yescrypt", "$y$jzT$xXy9b4BzwoZ648jj$Kyf1zl5W9/izCNftANezFKp7avY4Z9JN/qnYmWwphd0"),
    ("yescrypt", "$y$j7zzzzzz$xXy9b4BzwoZ648jj$Kyf1zl5W9/izCNftANezFKp7avY4Z9JN/qnYmWwphd0"),
    ("yescrypt", "$y$jET$xXy9b4BzwoZ648jj$Kyf1zl5W9/izCNftANezFKp7avY4Z9JN/qnYmWwphd0"),
    ("yescrypt", "$y$j$xXy9b4BzwoZ648jj$Kyf1zl5W9/izCNftANezFKp7avY4Z9JN/qnYmWwphd0"),
    ("gost-yescrypt", "$gy$jzT$ZeX6k4Zged92rGgI.X9LZ/$fh0OzDYNKGtEtQfNc7RdsUTyr.577DUOv70nmK2ew.9"),
    ("kratos-salted-digest", "$md5$pf=e1NBTFR9$c2FsdA==$0M2MYNUmNumHqqQ+kmuTUQ=="),
];

/// Damages a good hash in every way that a file or an attacker would.
fn damaged(hash: &str) -> Vec<(&'static str, String)> {
    let without_last: String = hash.chars().take(hash.chars().count() - 1).collect();
    let halved: String = hash.chars().take(hash.chars().count() / 2).collect();
    let megabyte = "A".repeat(1 << 20);
    vec![
        ("nothing", String::new()),
        ("without its last character", without_last),
        ("half of it", halved),
        ("something after it", format!("{hash}\u{1f}x")),
        ("a second one after it", format!("{hash}{hash}")),
        ("a line end after it", format!("{hash}\n")),
        ("a space before it", format!(" {hash}")),
        ("a NUL after it", format!("{hash}\0")),
        ("a NUL within", format!("{}\0{}", &hash[..1], &hash[1..])),
        ("a megabyte after it", format!("{hash}{megabyte}")),
        ("a megabyte before it", format!("{megabyte}{hash}")),
        ("only dollars", "$".repeat(4_000)),
        ("only colons", ":".repeat(4_000)),
        ("deep JSON", "[".repeat(8_000)),
        ("wide JSON", format!("{{\"a\":[{}0]}}", "{},".repeat(2_500))),
        ("letters from elsewhere", hash.chars().map(|c| if c.is_ascii_digit() { '٣' } else { c }).collect()),
    ]
}

/// Formats where any text is a hash: the password itself; and damage that JSON or a literal salt makes good.
fn takes_anything(format: &str) -> bool {
    ["ldap-cleartext", "spring-noop"].contains(&format)
}

fn generated() -> Vec<Case> {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for vector in vectors().into_iter().filter(|vector| vector.valid) {
        first.entry(vector.format).or_insert(vector.hash);
    }
    let mut cases = Vec::new();
    for (format, hash) in first {
        let cases_of_it = damaged(&hash).into_iter().map(|(name, text)| (format.clone(), name, text));
        cases.extend(cases_of_it);
    }
    cases
}

/// Reads a hash with the most that is ever allowed, and measures the memory.
fn check(format: &str, text: &str) -> (Result<Stored, Refusal>, u64) {
    let format = find(format).unwrap_or_else(|| panic!("{format}"));
    let mut result = None;
    let used = allocation_counter::measure(|| result = Some(Stored::parse(format, text, &Bounds::OFFLINE)));
    (result.unwrap(), used.bytes_max)
}

#[test]
fn hashes_that_ask_for_too_much_are_refused_before_any_work_and_with_little_memory() {
    let start = Instant::now();
    for (format, text) in GREEDY {
        let (result, bytes) = check(format, text);
        assert!(result.is_err(), "{format}: {text}");
        assert!(bytes <= MOST_BYTES, "{format}: {bytes} bytes: {text}");
    }
    assert!(start.elapsed() < MOST_TIME, "{:?}", start.elapsed());
    assert!(GREEDY.len() > 100, "{}", GREEDY.len());
}

#[test]
fn damaged_hashes_never_cost_more_than_reading_them_and_never_lead_to_a_greater_cost() {
    let mut refused = 0;
    let cases = generated();
    let start = Instant::now();
    for (format, name, text) in &cases {
        let (result, bytes) = check(format, text);
        assert!(bytes <= MOST_BYTES, "{format}, {name}: {bytes} bytes");
        match result {
            Err(_) => refused += 1,
            // White space around JSON is JSON; a salt that stands for itself may hold anything.
            Ok(_) if takes_anything(format) => {}
            Ok(stored) => assert!(stored.seconds() < 3.0, "{format}, {name}"),
        }
    }
    assert!(start.elapsed() < MOST_TIME, "{:?}", start.elapsed());
    assert!(cases.len() > 2_000 && refused > 1_900, "{refused} of {}", cases.len());
}

#[test]
fn looking_at_a_hostile_text_stays_small_too() {
    for (format, name, text) in &generated() {
        let used = allocation_counter::measure(|| drop(recognise(text)));
        assert!(used.bytes_max <= MOST_BYTES, "{format}, {name}: {} bytes", used.bytes_max);
    }
}

#[test]
fn the_online_bounds_are_the_documented_ones_and_offline_allows_a_little_more() {
    let bcrypt = |cost| format!("$2b${cost}$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
    let argon2 = |kib| {
        format!("$argon2id$v=19$m={kib},t=1,p=1$V1Af4Mqaf9HMwVFQQkISVw$j+D+sXtKpVnNnyiYSxQmfxsDdJTdHAHMat/JdNFymhE")
    };
    let scrypt =
        |ln, r| format!("$scrypt$ln={ln},r={r},p=1$KYXQutfa2xvDeM9Za41xjg$/TbjsD8bdCTc4zZFytVidf/VBcuxk2Z1qBCyQ5RU5z4");
    let pbkdf2 = |n| format!("pbkdf2_sha256${n}$salt$/lcVtLSwJNIf6Rk1k8waqIJB1ukOvUkUChcrc+hYKM4=");
    for (format, text, online, offline) in [
        ("bcrypt-2b", bcrypt("15"), true, true),
        ("bcrypt-2b", bcrypt("16"), false, true),
        ("bcrypt-2b", bcrypt("18"), false, false),
        ("argon2id", argon2(256 << 10), true, true),
        ("argon2id", argon2((256 << 10) + 1), false, true),
        ("argon2id", argon2((1 << 20) + 1), false, false),
        ("scrypt-phc", scrypt(18, 8), true, true),
        ("scrypt-phc", scrypt(19, 8), false, false),
        ("scrypt-phc", scrypt(20, 2), true, true),
        ("django-pbkdf2-sha256", pbkdf2(10_000_000), true, true),
        ("django-pbkdf2-sha256", pbkdf2(10_000_001), false, false),
    ] {
        let format = find(format).unwrap();
        assert_eq!(Stored::parse(format, &text, &Bounds::ONLINE).is_ok(), online, "{text}");
        assert_eq!(Stored::parse(format, &text, &Bounds::OFFLINE).is_ok(), offline, "{text}");
    }
}

#[test]
fn many_rounds_over_a_long_password_are_refused_when_it_comes() {
    let hash = "$5$rounds=5000000$K.LnRx7Cg2qtEyQ1$o9QCuMPbBB.uUiGxZ2odlP3Q4P91cHczHRikbx.Afd/";
    let stored = Stored::parse(find("sha256crypt").unwrap(), hash, &Bounds::ONLINE).unwrap();
    let start = Instant::now();
    assert!(matches!(stored.verify(&[b'a'; 4_000]), Verdict::Refused(_)));
    assert!(matches!(stored.verify(&[b'a'; 4_097]), Verdict::Refused(Refusal::Password("too long"))));
    assert!(start.elapsed() < MOST_TIME);
}

#[test]
fn passwords_that_the_format_itself_refuses_are_refused_and_never_a_mismatch() {
    let good: BTreeMap<String, String> =
        vectors().into_iter().filter(|vector| vector.valid).map(|vector| (vector.format, vector.hash)).collect();
    for (format, password) in [
        ("spring-bcrypt", String::new()),
        ("spring-noop", String::new()),
        ("drupal7", "a".repeat(513)),
        ("wordpress-bcrypt", "a".repeat(4_097)),
        ("sha512crypt", "a\0b".to_owned()),
        ("des-crypt", "a\0b".to_owned()),
        ("hex-sha256", "a".repeat(4_097)),
    ] {
        let stored = Stored::parse(find(format).unwrap(), &good[format], &Bounds::ONLINE).unwrap();
        assert!(matches!(stored.verify(password.as_bytes()), Verdict::Refused(Refusal::Password(_))), "{format}");
    }
}
