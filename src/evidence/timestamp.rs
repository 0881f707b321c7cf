//! Time stamps (RFC 3161): the request for one, and what a response says.
//!
//! A time stamping authority signs the digest of a file together with the time. The token is a CMS
//! signature (RFC 5652) over `TSTInfo` (RFC 3161 section 2.4.2); the certificate that made it is named
//! by its digest among the signed attributes (RFC 5035). Whether that certificate can be trusted is not
//! judged here: that needs the authority's root, which `openssl ts -verify` takes.

use ring::digest;
use ring::signature::{self, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::der::{self, Der, Value, context, dotted, put};
use crate::digest::hex;

const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SHA256_OID: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

/// What a response says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// SHA-256 of what was stamped.
    pub imprint: Vec<u8>,
    /// When, RFC 3339 UTC.
    pub time: String,
    /// Under which policy of the authority, dotted.
    pub policy: String,
    /// Its number, hexadecimal.
    pub serial: String,
    /// The number that the request gave, as bytes of a DER integer.
    pub nonce: Option<Vec<u8>>,
    /// Who made it, as far as the signature shows.
    pub signer: Signer,
}

/// Who signed a time stamp.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Signer {
    /// The signature is that of this certificate.
    Certificate {
        /// Its subject: `CN=…, O=…`.
        name: String,
        /// The certificate, DER.
        der: Vec<u8>,
    },
    /// The signature was not checked.
    Unchecked {
        /// The subject of the certificate that is named as the signer's, where it is there.
        name: Option<String>,
        /// Why.
        reason: &'static str,
    },
}

/// The request to stamp `message`: its SHA-256, with the authority's certificate asked for.
///
/// It has no nonce: equal messages make equal requests. A nonce keeps an old response from being passed
/// off as a new one for the same digest; here the digest itself is new.
///
/// ```
/// use calproof::evidence::timestamp::{request, read_request};
///
/// let bytes = request(b"abc");
/// assert_eq!(bytes.len(), 59);
/// assert_eq!(read_request(&bytes, b"abc"), Ok(None));
/// assert!(read_request(&bytes, b"abd").is_err());
/// ```
pub fn request(message: &[u8]) -> Vec<u8> {
    written(message, None)
}

fn written(message: &[u8], nonce: Option<&[u8]>) -> Vec<u8> {
    let algorithm = [put(der::OID, SHA256_OID), put(der::NULL, b"")].concat();
    let digest = put(der::OCTET_STRING, &Sha256::digest(message));
    let imprint = [put(der::SEQUENCE, &algorithm), digest].concat();
    let mut fields = vec![put(der::INTEGER, &[1]), put(der::SEQUENCE, &imprint)];
    fields.extend(nonce.map(|nonce| put(der::INTEGER, nonce)));
    fields.push(put(der::BOOLEAN, &[0xff]));
    put(der::SEQUENCE, &fields.concat())
}

/// Reads a request for `message` and gives its nonce.
///
/// # Errors
///
/// What is wrong with it: every other form than the one that is written, a nonce aside.
pub fn read_request(bytes: &[u8], message: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let nonce = (|| {
        let mut fields = Der(Der(bytes).take(der::SEQUENCE)?);
        fields.take(der::INTEGER)?;
        fields.take(der::SEQUENCE)?;
        fields.take(der::INTEGER)
    })();
    if written(message, nonce) == bytes {
        Ok(nonce.map(<[u8]>::to_vec))
    } else {
        Err("no request to stamp this file's SHA-256 that asks for the certificate")
    }
}

/// Reads a response, and checks that it is whole and that its signature fits the certificate in it.
///
/// # Errors
///
/// What is wrong with it, in words: refused by the authority, damaged, signed by somebody else.
pub fn read_response(bytes: &[u8]) -> Result<Stamp, String> {
    const DAMAGED: &str = "a damaged response";
    let mut all = Der(bytes);
    let mut fields =
        Der(all.take(der::SEQUENCE).ok_or("no response of a time stamping authority")?);
    let status = Der(fields.take(der::SEQUENCE).ok_or(DAMAGED)?);
    if !all.is_empty() {
        return Err("a response with something behind it".to_owned());
    }
    granted(status)?;
    let token = Token::read(&mut fields).ok_or(DAMAGED)?;
    if !fields.is_empty() {
        return Err(DAMAGED.to_owned());
    }
    token.stamp().map_err(str::to_owned)
}

/// The status must be `granted` or `grantedWithMods` (RFC 3161 section 2.4.2).
fn granted(mut status: Der<'_>) -> Result<(), String> {
    let code = status.take(der::INTEGER).ok_or("a response without status")?;
    let words = match code {
        [0 | 1] => return Ok(()),
        [2] => "rejection",
        [3] => "waiting",
        [4] => "a warning that the certificate will be revoked",
        [5] => "a notice that the certificate is revoked",
        _ => "a status that the standard does not know",
    };
    let said: Vec<String> = status
        .take(der::SEQUENCE)
        .and_then(|texts| Der(texts).all())
        .into_iter()
        .flatten()
        .map(|text| String::from_utf8_lossy(text.content).into_owned())
        .collect();
    let said = if said.is_empty() { String::new() } else { format!(" ({})", said.join("; ")) };
    Err(format!("that no time stamp was granted: {words}{said}"))
}

/// The parts of a token that matter.
struct Token<'a> {
    info: &'a [u8],
    certificates: Vec<Value<'a>>,
    signer: SignerInfo<'a>,
}

struct SignerInfo<'a> {
    id: Value<'a>,
    digest: String,
    attributes: &'a [u8],
    algorithm: String,
    signature: &'a [u8],
}

impl<'a> Token<'a> {
    fn read(from: &mut Der<'a>) -> Option<Token<'a>> {
        let mut content = Der(from.take(der::SEQUENCE)?);
        if dotted(content.take(der::OID)?)? != SIGNED_DATA {
            return None;
        }
        let mut explicit = Der(content.take(context(0))?);
        let mut data = Der(explicit.take(der::SEQUENCE)?);
        data.take(der::INTEGER)?;
        data.take(der::SET)?;
        let mut wrapped = Der(data.take(der::SEQUENCE)?);
        if dotted(wrapped.take(der::OID)?)? != TST_INFO {
            return None;
        }
        let mut octets = Der(wrapped.take(context(0))?);
        let info = octets.take(der::OCTET_STRING)?;
        let certificates = data.take(context(0)).map_or(Some(Vec::new()), |all| Der(all).all())?;
        data.take(context(1));
        let mut signers = Der(data.take(der::SET)?);
        let signer = SignerInfo::read(&mut signers)?;
        let whole = [content, explicit, data, wrapped, octets, signers].iter().all(Der::is_empty);
        whole.then_some(Token { info, certificates, signer })
    }

    fn stamp(&self) -> Result<Stamp, &'static str> {
        let mut stamp = info(self.info).ok_or("a time stamp that is damaged")?;
        self.attributes_fit()?;
        stamp.signer = self.signer(&stamp.time)?;
        Ok(stamp)
    }

    /// The signed attributes are about this very content.
    fn attributes_fit(&self) -> Result<(), &'static str> {
        let kind =
            attribute(self.signer.attributes, CONTENT_TYPE).and_then(|v| Der(v).take(der::OID));
        if kind.and_then(dotted).as_deref() != Some(TST_INFO) {
            return Err("a signature of something else than a time stamp");
        }
        let stated = attribute(self.signer.attributes, MESSAGE_DIGEST)
            .and_then(|value| Der(value).take(der::OCTET_STRING));
        let Some(algorithm) = hash(&self.signer.digest) else {
            return Err("a digest of a kind that is not known here");
        };
        if stated != Some(digest::digest(algorithm, self.info).as_ref()) {
            return Err("a signature of another time stamp");
        }
        Ok(())
    }

    fn signer(&self, time: &str) -> Result<Signer, &'static str> {
        let Some(found) = self.certificates.iter().find(|c| self.names(c.whole)) else {
            return match self.certificates.is_empty() {
                true => Ok(Signer::Unchecked {
                    name: None,
                    reason: "the response has no certificate: the request must ask for it",
                }),
                false => Err("no certificate that its signature names"),
            };
        };
        let certificate = Certificate::read(found.whole).ok_or("a damaged certificate")?;
        if self.signer.id.tag == der::SEQUENCE && !certificate.is_called(self.signer.id) {
            return Err("a signature that names two certificates");
        }
        if !certificate.stamps {
            return Err("a signature by a certificate that is not for time stamps");
        }
        if time < certificate.from.as_str() || time > certificate.to.as_str() {
            return Err("a time at which the certificate was not valid");
        }
        let name = certificate.name.clone();
        let Some(algorithm) = self.verification(&certificate) else {
            return Ok(Signer::Unchecked {
                name: Some(name),
                reason: "its algorithm is not known here",
            });
        };
        // The attributes are signed as a SET (RFC 5652 section 5.4).
        let signed = put(der::SET, self.signer.attributes);
        UnparsedPublicKey::new(algorithm, certificate.key)
            .verify(&signed, self.signer.signature)
            .map_err(|_| "a signature that its certificate did not make")?;
        Ok(Signer::Certificate { name, der: found.whole.to_vec() })
    }

    /// Whether the signed attributes name this certificate as the signer's (RFC 5035, RFC 2634).
    fn names(&self, certificate: &[u8]) -> bool {
        let first = |value: &'a [u8]| {
            let mut list = Der(Der(value).take(der::SEQUENCE)?);
            let mut ids = Der(list.take(der::SEQUENCE)?);
            ids.take(der::SEQUENCE).map(Der)
        };
        let by = |mut id: Der<'_>, algorithm| {
            id.take(der::OCTET_STRING) == Some(digest::digest(algorithm, certificate).as_ref())
        };
        if let Some(mut id) =
            attribute(self.signer.attributes, SIGNING_CERTIFICATE_V2).and_then(first)
        {
            let algorithm = match id.take(der::SEQUENCE) {
                Some(stated) => {
                    Der(stated).take(der::OID).and_then(dotted).and_then(|oid| hash(&oid))
                }
                None => Some(&digest::SHA256),
            };
            return algorithm.is_some_and(|algorithm| by(id, algorithm));
        }
        attribute(self.signer.attributes, SIGNING_CERTIFICATE)
            .and_then(first)
            .is_some_and(|id| by(id, &digest::SHA1_FOR_LEGACY_USE_ONLY))
    }

    fn verification(
        &self,
        certificate: &Certificate<'_>,
    ) -> Option<&'static dyn signature::VerificationAlgorithm> {
        // RFC 8017 appendix C, RFC 5758 section 3.2, RFC 5480 section 2.1.1.1.
        let digest = match self.signer.algorithm.as_str() {
            "1.2.840.113549.1.1.1" => self.signer.digest.as_str(),
            "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => SHA256,
            "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => "2.16.840.1.101.3.4.2.2",
            "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => "2.16.840.1.101.3.4.2.3",
            _ => return None,
        };
        let elliptic = self.signer.algorithm.starts_with("1.2.840.10045.");
        let algorithm: &'static dyn signature::VerificationAlgorithm =
            match (elliptic, certificate.algorithm.as_str(), digest) {
                (false, RSA, SHA256) => &signature::RSA_PKCS1_2048_8192_SHA256,
                (false, RSA, "2.16.840.1.101.3.4.2.2") => &signature::RSA_PKCS1_2048_8192_SHA384,
                (false, RSA, "2.16.840.1.101.3.4.2.3") => &signature::RSA_PKCS1_2048_8192_SHA512,
                (true, P256, SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
                (true, P256, "2.16.840.1.101.3.4.2.2") => &signature::ECDSA_P256_SHA384_ASN1,
                (true, P384, SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
                (true, P384, "2.16.840.1.101.3.4.2.2") => &signature::ECDSA_P384_SHA384_ASN1,
                _ => return None,
            };
        Some(algorithm)
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";

impl<'a> SignerInfo<'a> {
    fn read(from: &mut Der<'a>) -> Option<SignerInfo<'a>> {
        let mut fields = Der(from.take(der::SEQUENCE)?);
        fields.take(der::INTEGER)?;
        let id = fields.value()?;
        let digest = dotted(Der(fields.take(der::SEQUENCE)?).take(der::OID)?)?;
        let attributes = fields.take(context(0))?;
        let algorithm = dotted(Der(fields.take(der::SEQUENCE)?).take(der::OID)?)?;
        let signature = fields.take(der::OCTET_STRING)?;
        fields.take(context(1));
        fields.is_empty().then_some(SignerInfo { id, digest, attributes, algorithm, signature })
    }
}

/// The single value of an attribute, which must stand there once.
fn attribute<'a>(attributes: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    let mut found = None;
    for attribute in Der(attributes).all()? {
        let mut fields = Der(attribute.content);
        if dotted(fields.take(der::OID)?)? == wanted {
            if found.is_some() {
                return None;
            }
            found = fields.take(der::SET);
        }
    }
    found
}

fn hash(oid: &str) -> Option<&'static digest::Algorithm> {
    match oid {
        SHA256 => Some(&digest::SHA256),
        "2.16.840.1.101.3.4.2.2" => Some(&digest::SHA384),
        "2.16.840.1.101.3.4.2.3" => Some(&digest::SHA512),
        _ => None,
    }
}

/// `TSTInfo`.
fn info(bytes: &[u8]) -> Option<Stamp> {
    let mut all = Der(bytes);
    let mut fields = Der(all.take(der::SEQUENCE)?);
    if !all.is_empty() || fields.take(der::INTEGER)? != [1] {
        return None;
    }
    let policy = dotted(fields.take(der::OID)?)?;
    let mut imprint = Der(fields.take(der::SEQUENCE)?);
    let algorithm = dotted(Der(imprint.take(der::SEQUENCE)?).take(der::OID)?)?;
    let digest = imprint.take(der::OCTET_STRING)?.to_vec();
    if algorithm != SHA256 {
        return None;
    }
    let serial = hex(fields.take(der::INTEGER)?);
    let time = time(fields.take(der::GENERALIZED_TIME)?)?;
    fields.take(der::SEQUENCE); // accuracy
    fields.take(der::BOOLEAN); // ordering
    let nonce = fields.take(der::INTEGER).map(<[u8]>::to_vec);
    let signer = Signer::Unchecked { name: None, reason: "" };
    Some(Stamp { imprint: digest, time, policy, serial, nonce, signer })
}

/// GeneralizedTime or UTCTime as RFC 3339 UTC; without the fraction of a second.
fn time(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match whole.len() {
        14 => (whole[..4].to_owned(), &whole[4..]),
        // RFC 5280 section 4.1.2.5.1.
        12 => (
            format!("{}{}", if &whole[..2] < "50" { "20" } else { "19" }, &whole[..2]),
            &whole[2..],
        ),
        _ => return None,
    };
    let part = |at: usize| &rest[2 * at..2 * at + 2];
    Some(format!("{year}-{}-{}T{}:{}:{}Z", part(0), part(1), part(2), part(3), part(4)))
}

/// The parts of a certificate (RFC 5280 section 4.1) that matter.
struct Certificate<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    name: String,
    from: String,
    to: String,
    /// The curve of an elliptic key, else the key's algorithm.
    algorithm: String,
    key: &'a [u8],
    /// Whether it is for time stamps and for nothing else (RFC 3161 section 2.3).
    stamps: bool,
}

impl<'a> Certificate<'a> {
    fn read(bytes: &'a [u8]) -> Option<Certificate<'a>> {
        let mut fields = Der(Der(Der(bytes).take(der::SEQUENCE)?).take(der::SEQUENCE)?);
        fields.take(context(0));
        let serial = fields.take(der::INTEGER)?;
        fields.take(der::SEQUENCE)?;
        let issuer = fields.take(der::SEQUENCE)?;
        let mut validity = Der(fields.take(der::SEQUENCE)?);
        let mut limit = || {
            let value = validity.value()?;
            matches!(value.tag, der::UTC_TIME | der::GENERALIZED_TIME)
                .then(|| time(value.content))?
        };
        let (from, to) = (limit()?, limit()?);
        let name = name(fields.take(der::SEQUENCE)?);
        let mut public = Der(fields.take(der::SEQUENCE)?);
        let mut algorithm = Der(public.take(der::SEQUENCE)?);
        let kind = dotted(algorithm.take(der::OID)?)?;
        let algorithm = algorithm.take(der::OID).map_or(Some(kind), dotted)?;
        let key = public.take(der::BIT_STRING)?.strip_prefix(&[0])?;
        // The identifiers [1] and [2] of issuer and subject are primitive.
        let extensions = fields.all()?.into_iter().find(|value| value.tag == context(3));
        let stamps = extensions.is_some_and(|e| is_for_stamps(e.content).unwrap_or(false));
        Some(Certificate { serial, issuer, name, from, to, algorithm, key, stamps })
    }

    /// Whether issuer and serial number are these.
    fn is_called(&self, id: Value<'_>) -> bool {
        let mut fields = Der(id.content);
        fields.take(der::SEQUENCE) == Some(self.issuer)
            && fields.take(der::INTEGER) == Some(self.serial)
    }
}

fn is_for_stamps(extensions: &[u8]) -> Option<bool> {
    for extension in Der(Der(extensions).take(der::SEQUENCE)?).all()? {
        let mut fields = Der(extension.content);
        if dotted(fields.take(der::OID)?)? == EXTENDED_KEY_USAGE {
            let critical = fields.take(der::BOOLEAN) == Some(&[0xff]);
            let mut uses = Der(Der(fields.take(der::OCTET_STRING)?).take(der::SEQUENCE)?);
            let first = dotted(uses.take(der::OID)?)?;
            return Some(critical && first == TIME_STAMPING && uses.is_empty());
        }
    }
    None
}

/// A distinguished name, the most special part first: `CN=…, O=…, C=…`.
fn name(rdns: &[u8]) -> String {
    let part = |value: Value<'_>| -> Option<String> {
        let mut fields = Der(Der(value.content).take(der::SEQUENCE)?);
        let kind = dotted(fields.take(der::OID)?)?;
        let text = fields.value()?;
        let text = match text.tag {
            0x1e => {
                let units = text.content.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]]));
                char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect()
            }
            _ => String::from_utf8_lossy(text.content).into_owned(),
        };
        let kind = match kind.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "ST",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            other => other,
        };
        Some(format!("{kind}={text}"))
    };
    let parts: Vec<String> = Der(rdns).all().into_iter().flatten().rev().filter_map(part).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_of_one_form_only() {
        let bytes = request(b"abc");
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(read_request(&changed, b"abc").is_err(), "byte {at} bit {bit}");
            }
        }
        assert!(read_request(&[&bytes[..], b"x"].concat(), b"abc").is_err());
        let with_nonce = written(b"abc", Some(&[1, 2, 3]));
        assert_eq!(read_request(&with_nonce, b"abc"), Ok(Some(vec![1, 2, 3])));
    }

    #[test]
    fn a_refusal_says_why() {
        let text = put(der::SEQUENCE, &put(0x0c, b"no such policy"));
        let status = put(der::SEQUENCE, &[put(der::INTEGER, &[2]), text].concat());
        let refused = read_response(&put(der::SEQUENCE, &status)).unwrap_err();
        assert!(refused.contains("rejection (no such policy)"), "{refused}");
        assert!(read_response(b"").is_err());
    }

    #[test]
    fn times_are_those_of_the_standard() {
        assert_eq!(time(b"20260301061244.25Z").unwrap(), "2026-03-01T06:12:44Z");
        assert_eq!(time(b"491231235959Z").unwrap(), "2049-12-31T23:59:59Z");
        assert_eq!(time(b"500101000000Z").unwrap(), "1950-01-01T00:00:00Z");
        assert!(time(b"2026Z").is_none() && time("2026030106124\u{e9}Z".as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            _ = read_request(&bytes, b"");
            _ = read_response(&bytes);
            _ = name(&bytes);
            _ = info(&bytes);
            _ = Certificate::read(&bytes);
        }
    }
}
