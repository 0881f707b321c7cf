//! The time stamp beside the tag manifest: whether it is about this bundle, and what it says.

use std::path::Path;

use super::{Asked, Verdict, VerifyError, bag};
use crate::digest::hex;
use crate::evidence::bag::{REQUEST, RESPONSE, TAG_MANIFEST};
use crate::evidence::sshsig;
use crate::evidence::timestamp::{Signer, read_request, read_response};

/// Checks request and response, where they are there, and the authority, where one is asked for.
pub(super) fn check(
    bundle: &Path,
    asked: &Asked<'_>,
    verdict: &mut Verdict,
) -> Result<(), VerifyError> {
    let authority = asked.authority.map(sshsig::certificate).transpose()?;
    let there = |name: &str| -> Result<Option<Vec<u8>>, VerifyError> {
        let path = bundle.join(name);
        if path.is_file() { bag::read(&path).map(Some) } else { Ok(None) }
    };
    let Some(tags) = there(TAG_MANIFEST)? else { return Ok(()) };
    let request = there(REQUEST)?.map(|bytes| read_request(&bytes, &tags));
    let nonce = match request {
        Some(Err(found)) => {
            verdict.refuse(format!("{REQUEST}: found {found}; expected {TAG_MANIFEST} in it"));
            None
        }
        Some(Ok(nonce)) => Some(nonce),
        None => None,
    };
    let Some(response) = there(RESPONSE)? else {
        if authority.is_some() {
            verdict.refuse(format!("{RESPONSE}: is missing, but a time stamp is asked for"));
        } else if nonce.is_some() {
            verdict.note(format!(
                "no time stamp: {REQUEST} was written, but there is no response {RESPONSE}"
            ));
        } else {
            verdict.note("no time stamp");
        }
        return Ok(());
    };
    let stamp = match read_response(&response) {
        Ok(stamp) => stamp,
        Err(found) => {
            verdict.refuse(format!("{RESPONSE}: found {found}"));
            return Ok(());
        }
    };
    let imprint = crate::evidence::bag::sha256(&tags);
    if hex(&stamp.imprint) != imprint {
        verdict.refuse(format!(
            "{RESPONSE}: stamps a file with SHA-256 {}, but {TAG_MANIFEST} has {imprint}",
            hex(&stamp.imprint)
        ));
        return Ok(());
    }
    if let Some(Some(nonce)) = nonce
        && stamp.nonce.as_ref() != Some(&nonce)
    {
        verdict.refuse(format!("{RESPONSE}: answers another request than {REQUEST}, by the nonce"));
    }
    let said = format!(
        "time stamp: {} by {}, policy {}, serial number {}",
        stamp.time,
        match &stamp.signer {
            Signer::Certificate { name, .. } | Signer::Unchecked { name: Some(name), .. } => name,
            Signer::Unchecked { name: None, .. } => "nobody who is named",
        },
        stamp.policy,
        stamp.serial
    );
    verdict.note(said);
    let openssl = format!(
        "`openssl ts -verify -data {TAG_MANIFEST} -in {RESPONSE} -CAfile ROOT.pem`, run in the bundle"
    );
    match (stamp.signer, authority) {
        (Signer::Certificate { der, name }, Some(authority)) if der != authority => {
            verdict.refuse(format!(
                "{RESPONSE}: signed by the certificate of {name} with SHA-256 {}, but expected {}",
                crate::evidence::bag::sha256(&der),
                crate::evidence::bag::sha256(&authority)
            ));
        }
        (Signer::Certificate { .. }, Some(_)) => {
            verdict.note("time stamp: signed by the certificate that was asked for");
        }
        (Signer::Certificate { der, .. }, None) => verdict.note(format!(
            "time stamp: signed by the certificate in it (SHA-256 {}); whose that is was not checked: \
             `--tsa FILE` compares it, and {openssl}, checks it against the authority's root",
            crate::evidence::bag::sha256(&der)
        )),
        (Signer::Unchecked { reason, .. }, Some(_)) => {
            verdict.refuse(format!("{RESPONSE}: its signature cannot be checked: {reason}"));
        }
        (Signer::Unchecked { reason, .. }, None) => verdict.note(format!(
            "time stamp: its signature was NOT checked: {reason}; {openssl}, checks it"
        )),
    }
    Ok(())
}
