//! What an account can be enabled for, and which column of which export says so.

use crate::rules::{Feature, Product};

/// Something that an account is enabled for, or is not.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Setting {
    /// The account has a mailbox: a row of `Get-Mailbox`, `Get-CASMailbox` or `Get-UMMailbox`.
    Mailbox,
    /// `MAPIEnabled`.
    Mapi,
    /// `OWAEnabled`.
    Owa,
    /// `ActiveSyncEnabled`.
    ActiveSync,
    /// `PopEnabled`.
    Pop3,
    /// `ImapEnabled`.
    Imap4,
    /// `EwsEnabled`.
    Ews,
    /// `ECPEnabled`.
    Ecp,
    /// `UMEnabled`.
    UnifiedMessaging,
    /// `ArchiveState`, `ArchiveGuid` or `ArchiveDatabase`.
    Archive,
    /// `RetentionPolicy` or `ManagedFolderMailboxPolicy`.
    CustomRetention,
    /// `Recipient` of `Get-JournalRule`.
    Journaling,
    /// `Enabled` of `Get-CsUser`.
    ImIdentity,
    /// `EnterpriseVoiceEnabled` of `Get-CsUser`.
    EnterpriseVoice,
}

impl Setting {
    /// Every setting, in the order of reports.
    pub const ALL: [Setting; 14] = [
        Setting::Mailbox,
        Setting::Mapi,
        Setting::Owa,
        Setting::ActiveSync,
        Setting::Pop3,
        Setting::Imap4,
        Setting::Ews,
        Setting::Ecp,
        Setting::UnifiedMessaging,
        Setting::Archive,
        Setting::CustomRetention,
        Setting::Journaling,
        Setting::ImIdentity,
        Setting::EnterpriseVoice,
    ];

    /// The word for it in reports; that of the rule packs where they have one.
    pub fn as_str(self) -> &'static str {
        match self {
            Setting::Mailbox => "mailbox",
            Setting::Mapi => "mapi",
            Setting::Owa => "owa",
            Setting::ActiveSync => "activesync",
            Setting::Pop3 => "pop3",
            Setting::Imap4 => "imap4",
            Setting::Ews => "ews",
            Setting::Ecp => "ecp",
            Setting::UnifiedMessaging => "unified-messaging",
            Setting::Archive => "archive",
            Setting::CustomRetention => "custom-retention",
            Setting::Journaling => "journaling",
            Setting::ImIdentity => "im-identity",
            Setting::EnterpriseVoice => "voice-extension",
        }
    }

    /// The product it belongs to.
    pub fn product(self) -> Product {
        match self {
            Setting::ImIdentity | Setting::EnterpriseVoice => Product::Ocs,
            _ => Product::Exchange,
        }
    }

    /// What rule packs call it, where a licence can hang on the setting alone.
    pub fn feature(self) -> Option<Feature> {
        match self {
            Setting::UnifiedMessaging => Some(Feature::UnifiedMessaging),
            Setting::Archive => Some(Feature::Archive),
            Setting::CustomRetention => Some(Feature::CustomRetention),
            Setting::Journaling => Some(Feature::Journaling),
            Setting::ImIdentity => Some(Feature::ImIdentity),
            Setting::EnterpriseVoice => Some(Feature::VoiceExtension),
            _ => None,
        }
    }

    /// The services whose accesses show it used; empty where no log shows it.
    pub fn services(self) -> &'static [&'static str] {
        match self {
            // Autodiscover alone reaches no mailbox (R14), administration is nobody's mailbox.
            Setting::Mailbox => &[
                "owa",
                "eas",
                "ews",
                "outlook-anywhere",
                "outlook-rpc",
                "mapi",
                "pop3",
                "imap4",
                "smtp",
                "oab",
                "ecp",
                "webdav",
                "oma",
                "um",
            ],
            Setting::Mapi => &["outlook-rpc", "outlook-anywhere", "mapi"],
            Setting::Owa => &["owa"],
            Setting::ActiveSync => &["eas"],
            Setting::Pop3 => &["pop3"],
            Setting::Imap4 => &["imap4"],
            Setting::Ews => &["ews"],
            Setting::Ecp => &["ecp"],
            Setting::UnifiedMessaging => &["um"],
            Setting::Archive | Setting::CustomRetention | Setting::Journaling => &[],
            Setting::ImIdentity => {
                &["sip", "im", "voice", "conference-create", "conference-join", "cwa", "mobility"]
            }
            Setting::EnterpriseVoice => &["voice"],
        }
    }
}

/// What a column of an export says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Says {
    /// `True` or `False`.
    Flag(Setting),
    /// `None`, `Local`, `OnPremise`, `HostedProvisioned` or `HostedPending`.
    ArchiveState,
    /// A GUID; all zeros where there is no archive.
    ArchiveGuid,
    /// The archive's database; empty where there is no archive.
    ArchiveDatabase,
    /// The name of a policy, empty where none applies.
    Policy(Setting),
    /// What kind of mailbox it is.
    RecipientType,
    /// The column shows that a row is a mailbox, and says nothing else here.
    OfMailbox,
    /// `Enabled`: of a `Get-CsUser` export, or of a journal rule.
    Enabled,
    /// The column shows that a row is a user of OCS, Lync or Skype for Business.
    OfCsUser,
    /// Whose messages a journal rule keeps.
    JournalRecipient,
    /// The column shows that a row is a journal rule.
    OfJournalRule,
    /// `DOMAIN\user` in another forest, whose names the logs show.
    LinkedAccount,
}

impl Says {
    /// What a column of this name says, without case; `None` for one that says nothing here.
    pub(super) fn of(column: &str) -> Option<Says> {
        const KNOWN: [(&str, Says); 30] = [
            ("mapienabled", Says::Flag(Setting::Mapi)),
            ("owaenabled", Says::Flag(Setting::Owa)),
            ("activesyncenabled", Says::Flag(Setting::ActiveSync)),
            ("popenabled", Says::Flag(Setting::Pop3)),
            ("imapenabled", Says::Flag(Setting::Imap4)),
            ("ewsenabled", Says::Flag(Setting::Ews)),
            ("ecpenabled", Says::Flag(Setting::Ecp)),
            ("umenabled", Says::Flag(Setting::UnifiedMessaging)),
            ("ismailboxenabled", Says::Flag(Setting::Mailbox)),
            ("enterprisevoiceenabled", Says::Flag(Setting::EnterpriseVoice)),
            ("archivestate", Says::ArchiveState),
            ("archiveguid", Says::ArchiveGuid),
            ("archivedatabase", Says::ArchiveDatabase),
            ("retentionpolicy", Says::Policy(Setting::CustomRetention)),
            ("managedfoldermailboxpolicy", Says::Policy(Setting::CustomRetention)),
            ("recipienttypedetails", Says::RecipientType),
            ("exchangeguid", Says::OfMailbox),
            ("serverlegacydn", Says::OfMailbox),
            ("prohibitsendquota", Says::OfMailbox),
            ("ummailboxpolicy", Says::OfMailbox),
            ("activesyncmailboxpolicy", Says::OfMailbox),
            ("owamailboxpolicy", Says::OfMailbox),
            ("enabled", Says::Enabled),
            ("sipaddress", Says::OfCsUser),
            ("registrarpool", Says::OfCsUser),
            ("homeserver", Says::OfCsUser),
            ("enabledforfederation", Says::OfCsUser),
            ("recipient", Says::JournalRecipient),
            ("journalemailaddress", Says::OfJournalRule),
            ("linkedmasteraccount", Says::LinkedAccount),
        ];
        let known = KNOWN.iter().find(|(name, _)| column.trim().eq_ignore_ascii_case(name));
        known.map(|(_, says)| *says)
    }
}

/// Policies that the product itself assigns: no retention of the customer's own (R104).
pub(super) const SHIPPED_POLICIES: [&str; 4] = [
    "Default MRM Policy",
    "Default Archive and Retention Policy",
    "ArbitrationMailbox",
    "ArbitrationMailboxPolicy",
];

/// Kinds of mailbox that one person has, by `RecipientTypeDetails`; all others are those of rooms,
/// of several people, or of the server.
pub(super) const OF_PEOPLE: [&str; 4] =
    ["UserMailbox", "LinkedMailbox", "LegacyMailbox", "RemoteUserMailbox"];
