//! Time stamps: a test authority made by `openssl` stamps bundles, and `verify` reads them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ::calproof::verify::{Asked, verify};

use crate::calproof::run;
use crate::evidence::{bundle, skip, worked_example};

const REQUEST: &str = "bundle/tagmanifest-sha256.txt.tsq";
const RESPONSE: &str = "bundle/tagmanifest-sha256.txt.tsr";

const RSA: &[&str] = &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];

/// An authority with a root of its own: `ca.pem`, `tsa.pem`, `tsa.cnf`. `false`, with the reason printed,
/// where there is no openssl.
fn authority(here: &Path, key: &[&str], digest: &str) -> bool {
    let config = "[req]\ndistinguished_name = dn\nprompt = no\n[dn]\nCN = Test Root\nO = Contoso\n\
                  [ca]\nbasicConstraints = critical,CA:true\nsubjectKeyIdentifier = hash\n\
                  [stamps]\nextendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n\
                  [tsa]\ndefault_tsa = tsa1\n[tsa1]\nserial = serial\nsigner_cert = tsa.pem\n\
                  signer_key = tsa.key\nsigner_digest = DIGEST\ndefault_policy = 1.3.6.1.4.1.99999.1\n\
                  digests = sha256\naccuracy = secs:1\nordering = no\ntsa_name = yes\ness_cert_id_chain = no\n\
                  ess_cert_id_alg = sha256\n";
    fs::write(here.join("tsa.cnf"), config.replace("DIGEST", digest)).unwrap();
    fs::write(here.join("serial"), "0A\n").unwrap();
    let first = Command::new("openssl").arg("version").output();
    if let Err(error) = first {
        skip("openssl", &error);
        return false;
    }
    let generate = |file: &str| {
        done(here, &[&["genpkey", "-out", file], key].concat());
    };
    generate("ca.key");
    generate("tsa.key");
    let root = ["req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", "2"];
    done(here, &[&root[..], &["-config", "tsa.cnf", "-extensions", "ca"]].concat());
    let asked = ["req", "-new", "-key", "tsa.key", "-out", "tsa.csr", "-config", "tsa.cnf"];
    done(here, &[&asked[..], &["-subj", "/O=Contoso/CN=Test Stamps"]].concat());
    let sign = ["x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    let rest = ["-set_serial", "7", "-out", "tsa.pem", "-days", "2", "-extfile", "tsa.cnf"];
    done(here, &[&sign[..], &rest, &["-extensions", "stamps"]].concat());
    true
}

fn openssl(here: &Path, args: &[&str]) -> Output {
    Command::new("openssl").args(args).current_dir(here).output().unwrap()
}

#[track_caller]
fn done(here: &Path, args: &[&str]) -> String {
    let ran = openssl(here, args);
    assert!(ran.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[track_caller]
fn answered(here: &Path) {
    let reply = ["ts", "-reply", "-config", "tsa.cnf", "-queryfile", REQUEST, "-out", RESPONSE];
    done(here, &reply);
}

/// The worked example with a bundle that an authority has stamped; `None` where there is no openssl.
#[track_caller]
fn stamped() -> Option<tempfile::TempDir> {
    let folder = worked_example();
    let here = folder.path();
    if !authority(here, P256, "sha256") {
        return None;
    }
    bundle(here, &["bundle", "--timestamp-request", "logs"]);
    answered(here);
    Some(folder)
}

#[track_caller]
fn refused(here: &Path, args: &[&str], words: &str) {
    let ran = run(here, &[&["verify", "bundle"], args].concat(), b"");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("refused: tagmanifest-sha256.txt.ts"), "{}", ran.out);
    assert!(ran.out.contains(words), "`{words}` is not in:\n{}", ran.out);
}

#[test]
fn openssl_stamps_the_request_and_both_accept_the_response() {
    for (key, digest) in [(RSA, "sha256"), (RSA, "sha512"), (P256, "sha256"), (P384, "sha384")] {
        let here = worked_example();
        let here = here.path();
        bundle(here, &["bundle", "--timestamp-request", "logs"]);
        let ran = run(here, &["verify", "bundle"], b"");
        assert_eq!(ran.code, 0, "{}", ran.out);
        assert!(ran.out.contains("no time stamp: tagmanifest-sha256.txt.tsq was"), "{}", ran.out);
        if !authority(here, key, digest) {
            return;
        }
        let told = done(here, &["ts", "-query", "-in", REQUEST, "-text"]);
        for words in ["Hash Algorithm: sha256", "Certificate required: yes", "Nonce: unspecified"] {
            assert!(told.contains(words), "{told}");
        }
        answered(here);
        let tags = "bundle/tagmanifest-sha256.txt";
        let accept = ["ts", "-verify", "-data", tags, "-in", RESPONSE, "-CAfile", "ca.pem"];
        done(here, &accept);
        let ran = run(here, &["verify", "bundle"], b"");
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        for words in [
            "by CN=Test Stamps, O=Contoso, policy 1.3.6.1.4.1.99999.1, serial number 0b",
            "signed by the certificate in it",
            "openssl ts -verify -data tagmanifest-sha256.txt",
        ] {
            assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
        }
        let ran = run(here, &["verify", "bundle", "--tsa", "tsa.pem"], b"");
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("signed by the certificate that was asked for"), "{}", ran.out);
        refused(here, &["--tsa", "ca.pem"], "but expected");
        let ran = run(here, &["verify", "bundle", "--tsa", "calproof.toml"], b"");
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains("no certificate"), "{}", ran.err);
    }
}

#[test]
fn a_response_for_another_bundle_is_refused() {
    let Some(here) = stamped() else { return };
    let here = here.path();
    fs::rename(here.join("bundle"), here.join("first")).unwrap();
    bundle(here, &["bundle", "--from", "2010-03-02", "--timestamp-request", "logs"]);
    fs::copy(here.join(RESPONSE.replace("bundle", "first")), here.join(RESPONSE)).unwrap();
    refused(here, &[], "stamps a file with SHA-256");
    fs::remove_file(here.join(RESPONSE)).unwrap();
    refused(here, &["--tsa", "tsa.pem"], "is missing");
    fs::copy(here.join(REQUEST.replace("bundle", "first")), here.join(REQUEST)).unwrap();
    refused(here, &[], "no request to stamp this file's SHA-256");
}

#[test]
fn a_nonce_of_ones_own_must_come_back() {
    let here = worked_example();
    let here = here.path();
    if !authority(here, P256, "sha256") {
        return;
    }
    bundle(here, &["bundle", "logs"]);
    let query = ["ts", "-query", "-data", "bundle/tagmanifest-sha256.txt", "-sha256", "-cert"];
    let ask = || done(here, &[&query[..], &["-out", REQUEST]].concat());
    ask();
    answered(here);
    assert_eq!(run(here, &["verify", "bundle", "--tsa", "tsa.pem"], b"").code, 0);
    ask();
    refused(here, &[], "by the nonce");
}

#[test]
fn an_authority_that_refuses_is_quoted() {
    let here = worked_example();
    let here = here.path();
    if !authority(here, P256, "sha256") {
        return;
    }
    let config = fs::read_to_string(here.join("tsa.cnf")).unwrap();
    fs::write(here.join("tsa.cnf"), config.replace("digests = sha256", "digests = sha512"))
        .unwrap();
    bundle(here, &["bundle", "--timestamp-request", "logs"]);
    answered(here);
    refused(here, &[], "no time stamp was granted: rejection");
}

/// Bytes that the signature does not cover may change, what is told may not.
#[test]
fn no_byte_of_a_response_changes_what_is_told() {
    let Some(here) = stamped() else { return };
    let here = here.path();
    let bytes = fs::read(here.join(RESPONSE)).unwrap();
    let tsa = here.join("tsa.pem");
    let place = here.join("bundle");
    let asked = Asked { authority: Some(&tsa), ..Asked::default() };
    let whole = verify(&place, &asked).unwrap();
    assert!(whole.refusals.is_empty(), "{:?}", whole.refusals);
    let mut unseen = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= if at % 2 == 0 { 1 } else { 0x20 };
        fs::write(here.join(RESPONSE), &changed).unwrap();
        let verdict = verify(&place, &asked).unwrap();
        if verdict == whole {
            unseen += 1;
        } else {
            assert!(verdict.refusals.iter().all(|r| r.starts_with("tagmanifest-sha256.txt.tsr: ")));
            assert!(!verdict.refusals.is_empty(), "byte {at} changes what is told: {verdict:?}");
        }
    }
    assert!(unseen < bytes.len() / 10, "{unseen} of {} bytes", bytes.len());
}
