//! A package as its receiver sees it: decrypted by the private key, unpacked, its checksums compared.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use age::x25519::Identity;
use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    pbkdf2,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The files of a package, by name.
pub(super) struct Opened(BTreeMap<String, Vec<u8>>);

impl Opened {
    /// Opens it with this key, and compares every file with the manifest's checksums and with the list beside the package.
    pub(super) fn new(path: &Path, key: &Identity) -> Self {
        let decryptor = age::Decryptor::new(fs::File::open(path).unwrap()).unwrap();
        let plain = decryptor.decrypt(std::iter::once(key as &dyn age::Identity)).unwrap();
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(plain).entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mode().unwrap(), 0o600);
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert!(files.insert(name, content).is_none());
        }
        let opened = Self(files);
        opened.check_manifest();
        opened.check_list(path);
        opened
    }

    fn check_manifest(&self) {
        let manifest = self.manifest();
        let listed = manifest["files"].as_array().unwrap();
        for file in listed {
            let content = &self.0[file["name"].as_str().unwrap()];
            assert_eq!(file["sha256"], sha256(content));
            assert_eq!(file["bytes"], content.len());
        }
        assert_eq!(listed.len() + 2, self.0.len(), "all but the manifest and README.txt are listed");
    }

    /// The list names the package first, then all that is in it.
    fn check_list(&self, path: &Path) {
        let list = fs::read_to_string(format!("{}.sha256", path.display())).unwrap();
        let mut lines = list.lines().map(|line| line.split_once("  ").unwrap());
        let (sum, name) = lines.next().unwrap();
        assert_eq!(
            (sum, name),
            (sha256(&fs::read(path).unwrap()).as_str(), path.file_name().unwrap().to_str().unwrap())
        );
        let named: BTreeMap<&str, &str> = lines.map(|(sum, name)| (name, sum)).collect();
        let there: BTreeMap<&str, String> =
            self.0.iter().map(|(name, content)| (name.as_str(), sha256(content))).collect();
        assert_eq!(named, there.iter().map(|(name, sum)| (*name, sum.as_str())).collect());
    }

    pub(super) fn text(&self, name: &str) -> &str {
        std::str::from_utf8(&self.0[&format!("handover/{name}")]).unwrap()
    }

    pub(super) fn manifest(&self) -> Value {
        serde_json::from_str(self.text("manifest.json")).unwrap()
    }

    pub(super) fn names(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.strip_prefix("handover/").unwrap()).collect()
    }

    /// All lines of accounts.
    pub(super) fn lines(&self) -> Vec<Value> {
        let users = self.0.iter().filter(|(name, _)| name.starts_with("handover/users-"));
        let texts = users.map(|(_, content)| std::str::from_utf8(content).unwrap());
        texts.flat_map(str::lines).map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The line of the account with this id at the source.
    pub(super) fn line(&self, id: &str) -> Value {
        self.lines().into_iter().find(|line| line["source"]["id"] == id).unwrap_or_else(|| panic!("no {id}"))
    }

    /// Whether any file has the text.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.0.values().any(|content| String::from_utf8_lossy(content).contains(text))
    }
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    let bytes: Vec<String> = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.concat()
}

/// Takes the steps that a package prescribes, with other software than the one that wrote them: the ones of salted
/// digests and of PBKDF2.
pub(super) fn taken(steps: &Value, password: &str) -> Vec<u8> {
    let bytes = |text: &Value| BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
    match steps["op"].as_str().unwrap() {
        "password" => password.as_bytes().to_vec(),
        "bytes" => bytes(&steps["base64"]),
        "concat" => steps["of"].as_array().unwrap().iter().flat_map(|step| taken(step, password)).collect(),
        "digest" if steps["algorithm"] == "sha1" => {
            digest(&SHA1_FOR_LEGACY_USE_ONLY, &taken(&steps["of"], password)).as_ref().to_vec()
        }
        "pbkdf2" if steps["prf"] == "hmac-sha256" => {
            let rounds = u32::try_from(steps["iterations"].as_u64().unwrap()).unwrap().try_into().unwrap();
            let mut result = vec![0; usize::try_from(steps["result_bytes"].as_u64().unwrap()).unwrap()];
            let password = taken(&steps["of"], password);
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &bytes(&steps["salt"]), &password, &mut result);
            result
        }
        other => panic!("{other} is not taken here"),
    }
}
