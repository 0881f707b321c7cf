//! Who signed the bundle, and which bundle it follows.

use std::path::Path;

use super::{Asked, Verdict, VerifyError, bag};
use crate::evidence::bag::{SIGNATURE, TAG_MANIFEST};
use crate::evidence::sshsig::{PublicKey, verify};
use crate::shown;

/// Checks the signature, where there is one or a signer is asked for, and the link to the bundle
/// before, where that is asked for.
pub(super) fn check(
    bundle: &Path,
    asked: &Asked<'_>,
    verdict: &mut Verdict,
) -> Result<(), VerifyError> {
    let signer = asked.signer.map(PublicKey::load).transpose()?;
    let signature = bundle.join(SIGNATURE);
    let tags = bundle.join(TAG_MANIFEST);
    if !tags.is_file() {
        return Ok(());
    }
    let tags = bag::read(&tags)?;
    if signature.is_file() {
        let armor = bag::read(&signature)?;
        let armor = String::from_utf8_lossy(&armor);
        match (verify(&tags, &armor), signer) {
            (Err(found), _) => {
                verdict.refuse(format!("{SIGNATURE}: found {found} (of {TAG_MANIFEST})"));
            }
            (Ok(key), Some(signer)) if key != signer => verdict.refuse(format!(
                "{SIGNATURE}: signed by {}, but expected {}",
                key.fingerprint(),
                signer.fingerprint()
            )),
            (Ok(key), Some(_)) => verdict.note(format!("signed by {}", key.fingerprint())),
            (Ok(key), None) => verdict.note(format!(
                "signed by {}; whose key that is was not checked: `--signer FILE` does",
                key.fingerprint()
            )),
        }
    } else if signer.is_some() {
        verdict.refuse(format!("{SIGNATURE}: is missing, but a signer is asked for"));
    } else {
        verdict.note("not signed");
    }
    let info = bundle.join("bag-info.txt");
    if let (Some(previous), true) = (asked.previous, info.is_file()) {
        let info = bag::read(&info)?;
        let info = String::from_utf8_lossy(&info);
        let stated = info.lines().find_map(|l| l.strip_prefix("Previous-Tagmanifest-SHA256: "));
        let actual = bag::sha256(&previous.join(TAG_MANIFEST))?;
        match stated {
            Some(stated) if stated == actual => {
                verdict.note(format!("follows {}", shown::path(previous)));
            }
            Some(stated) => verdict.refuse(format!(
                "bag-info.txt: follows the bundle whose {TAG_MANIFEST} has SHA-256 {stated}, but that of {} has {actual}",
                shown::path(previous)
            )),
            None => verdict.refuse("bag-info.txt: names no previous bundle"),
        }
    }
    Ok(())
}
