//! The directory server slapd as a throwaway instance.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{Server, as_nobody, folder, free_port, program, run};

/// A running directory.
pub(crate) struct Slapd {
    /// Its process.
    pub(crate) server: Server,
    slapd: PathBuf,
}

fn command(slapd: &Path, folder: &Path, port: u16) -> Command {
    let mut command = as_nobody(slapd);
    command.arg("-f").arg(folder.join("slapd.conf")).args(["-h", &format!("ldap://127.0.0.1:{port}/"), "-d", "0"]);
    command
}

/// The directory's suffix.
pub(crate) const SUFFIX: &str = "dc=example,dc=org";
/// Its administrator, and the password.
pub(crate) const ADMIN: (&str, &str) = ("cn=admin,dc=example,dc=org", "admin-secret");

const CONF: &str = "\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload argon2
moduleload pw-sha2
moduleload pw-pbkdf2
sizelimit size.soft=500 size.hard=1000 size.pr=500 size.prtotal=unlimited
database mdb
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw admin-secret
directory FOLDER/db
maxsize 268435456
dbnosync
index objectClass eq
index uid eq
overlay ppolicy
ppolicy_default cn=policy,dc=example,dc=org
ppolicy_use_lockout
access to attrs=userPassword by dn.exact=\"cn=reader,dc=example,dc=org\" read by anonymous auth by * none
access to * by users read by anonymous auth
";

const BASE: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: cn=policy,dc=example,dc=org
objectClass: organizationalRole
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3
pwdMustChange: TRUE
pwdLockoutDuration: 600

dn: cn=reader,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-secret

";

/// A certificate, its key and its authority, PEM files.
pub(crate) struct Certificate {
    /// The authority that signed it.
    pub(crate) ca_file: PathBuf,
    /// The certificate.
    pub(crate) chain: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
}

impl Certificate {
    /// One for this machine by an authority of its own, in a folder that servers may enter.
    pub(crate) fn new(folder: &Path) -> Self {
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (authority_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(params, authority_key);
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            ca_file: file("ca.pem", authority),
            chain: file("certificate.pem", certificate.pem()),
            key: file("key.pem", key.serialize_pem()),
        }
    }
}

impl Slapd {
    /// Starts one that holds `ldif` beside the base; `None` where it is not installed. With a certificate it can do TLS.
    pub(crate) fn start(ldif: &str, tls: Option<&Certificate>) -> Option<Self> {
        Self::start_with(ldif, tls, &[])
    }

    /// The same with parts of its configuration replaced.
    pub(crate) fn start_with(ldif: &str, tls: Option<&Certificate>, replaced: &[(&str, &str)]) -> Option<Self> {
        let slapd = program(&["/usr/sbin/slapd", "slapd"])?;
        let slapadd = program(&["/usr/sbin/slapadd", "slapadd"])?;
        let folder = folder();
        let path = folder.path();
        let mut conf = CONF.replace("FOLDER", path.to_str().unwrap());
        for (from, to) in replaced {
            assert!(conf.contains(from), "{from}");
            conf = conf.replace(from, to);
        }
        if let Some(Certificate { ca_file, chain, key }) = tls {
            let lines = format!(
                "TLSCACertificateFile {}\nTLSCertificateFile {}\nTLSCertificateKeyFile {}\n",
                ca_file.display(),
                chain.display(),
                key.display()
            );
            conf = conf.replace("database mdb", &format!("{lines}database mdb"));
        }
        fs::create_dir(path.join("db")).unwrap();
        fs::write(path.join("slapd.conf"), conf).unwrap();
        fs::write(path.join("base.ldif"), format!("{BASE}{ldif}")).unwrap();
        run(Command::new("chmod").args(["-R", "a+rwX"]).arg(path));
        run(as_nobody(&slapadd).args(["-q", "-f"]).arg(path.join("slapd.conf")).arg("-l").arg(path.join("base.ldif")));
        let port = free_port();
        let mut command = command(&slapd, path, port);
        Some(Self { server: Server::start(&mut command, port, folder), slapd })
    }

    /// Starts it again with everything that it holds, after it was killed.
    pub(crate) fn start_again(&mut self) {
        let mut command = command(&self.slapd, self.server.folder.path(), self.server.port);
        self.server.start_again(&mut command);
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.server.port)
    }
}
