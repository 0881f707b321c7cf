//! The closed vocabulary of the rule packs: every word that a pack may use.

/// Defines an enum whose values are written as fixed words.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
        )]
        pub enum $name { $($(#[$about])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that stands for this value in rule packs, configuration and reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value that `word` stands for; `None` for any other word (case matters).
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// A server product that has CALs of its own.
    Product {
        /// Exchange Server 2000 to Subscription Edition.
        Exchange = "exchange",
        /// Live Communications Server, Office Communications Server, Lync, Skype for Business.
        Ocs = "ocs",
        /// SharePoint Portal Server to SharePoint Server.
        Sharepoint = "sharepoint",
        /// Windows Server.
        Windows = "windows",
    }
}

vocabulary! {
    /// A level of Client Access License; the additive ones stand on a Standard CAL of the same type.
    Cal {
        /// The base CAL.
        Standard = "standard",
        /// Additive to Standard.
        Enterprise = "enterprise",
        /// Additive to Standard (Lync 2010 and later).
        Plus = "plus",
    }
}

vocabulary! {
    /// What was used, where the service alone does not settle the CAL.
    Feature {
        /// Exchange Unified Messaging is enabled for the mailbox.
        UnifiedMessaging = "unified-messaging",
        /// The mailbox has an in-place archive.
        Archive = "archive",
        /// Custom managed folders or personal retention tags apply to the mailbox.
        CustomRetention = "custom-retention",
        /// Journaling per user or per distribution list.
        Journaling = "journaling",
        /// An ActiveSync policy with settings beyond the Standard CAL.
        ActivesyncPolicy = "activesync-policy",
        /// An instant messaging identity is hosted on the server.
        ImIdentity = "im-identity",
        /// The user has a voice extension (enterprise voice).
        VoiceExtension = "voice-extension",
        /// A call with the public telephone network, or by a voice extension.
        PstnCall = "pstn-call",
        /// A conference with more than chat: audio, video, web content.
        ConferenceMedia = "conference-media",
        /// Desktop or application sharing.
        ApplicationSharing = "application-sharing",
    }
}

vocabulary! {
    /// What kind of fact a rule asks for.
    Evidence {
        /// An access that a log row shows.
        Event = "event",
        /// A setting that stands in the configuration; logs give a lower bound only.
        State = "state",
    }
}

vocabulary! {
    /// Where a rule comes from.
    Source {
        /// Brief Lesson on Exchange Licensing.
        SBl = "S-BL",
        /// Exchange Server 2007, how to license.
        SEx = "S-EX",
        /// Office Communications Server 2007, how to license.
        SOcs = "S-OCS",
        /// What are Client Access Licenses and External Connectors.
        SCal = "S-CAL",
        /// Server CALs per user, per device, per server.
        SSrv = "S-SRV",
        /// Microsoft's Product Terms, as publicly restated.
        Pt = "PT",
        /// Microsoft's volume licensing briefs, as publicly restated.
        Vl = "VL",
        /// No text settles it: this project's reading.
        OurReading = "our reading",
    }
}

impl Source {
    /// The title under which the source can be found.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SBl => "Brief Lesson on Exchange Licensing",
            Self::SEx => {
                "Exchange Server 2007 – How to License + Standard and Enterprise CAL functionality"
            }
            Self::SOcs => {
                "Office Communication Server 2007 – How to License and OCS CAL Functionality"
            }
            Self::SCal => "What are Client Access Licenses and External Connectors?",
            Self::SSrv => "Server CALs: per user, per device, per server (questions and answers)",
            Self::Pt => {
                "Microsoft Product Terms (formerly Product Use Rights), as publicly restated"
            }
            Self::Vl => "Microsoft volume licensing briefs and guides, as publicly restated",
            Self::OurReading => "our reading, where no text settles the matter",
        }
    }

    /// Whether a rule must quote this source word for word.
    pub const fn is_quoted(self) -> bool {
        matches!(self, Self::SBl | Self::SEx | Self::SOcs | Self::SCal | Self::SSrv)
    }
}

vocabulary! {
    /// The exclusion rules of the ledger that rest on licence terms, in the ledger's order.
    ///
    /// The others (period, health probes, system mailboxes, what the user declares) hold under any
    /// licence and stand in no pack.
    Exclusion {
        /// Servers that are themselves licensed.
        LicensedServer = "licensed-server",
        /// Federated and public network parties, outside callers and called parties.
        Federated = "federated",
        /// Anonymous participants of a conference.
        Guest = "guest",
        /// External users on a server that holds an External Connector.
        ExternalConnector = "external-connector",
        /// External users that the server licence includes.
        ExternalLicensedWithServer = "external-licensed-with-server",
        /// Principals with failed logons only.
        FailedLogon = "failed-logon",
        /// Principals that authenticated, and were refused every time.
        NeverServed = "never-served",
        /// A limited number of users that only administer.
        Administration = "administration",
        /// Unauthenticated access through the Internet.
        AnonymousInternet = "anonymous-internet",
    }
}

vocabulary! {
    /// What an exclusion rule does under a pack.
    Effect {
        /// Left out of the demand.
        Excluded = "excluded",
        /// Neither counted nor left out: in the upper end of the interval only.
        Unresolved = "unresolved",
    }
}

vocabulary! {
    /// How an access ended.
    Outcome {
        /// Authenticated and answered.
        Served = "served",
        /// The identity is vouched for by a server.
        Asserted = "asserted",
        /// Authenticated, then refused.
        Refused = "refused",
        /// Credentials not accepted.
        Failed = "failed",
        /// Nobody named, and the service answered.
        Anonymous = "anonymous",
        /// The way to a logon.
        PreLogon = "pre-logon",
    }
}

impl Outcome {
    /// Whether an access with this outcome is part of the demand.
    pub const fn in_demand(self) -> bool {
        matches!(self, Self::Served | Self::Asserted)
    }
}

vocabulary! {
    /// What an example shows about its rule.
    Expect {
        /// The rule applies.
        Match = "match",
        /// The rule does not apply.
        Pass = "pass",
    }
}

/// The names of the services that reports and rule packs use.
pub const SERVICES: [&str; 27] = [
    "owa",
    "eas",
    "ews",
    "outlook-anywhere",
    "mapi",
    "pop3",
    "imap4",
    "smtp",
    "autodiscover",
    "oab",
    "ecp",
    "powershell",
    "webdav",
    "exadmin",
    "oma",
    "sip",
    "im",
    "voice",
    "conference-create",
    "conference-join",
    "cwa",
    "mobility",
    "outlook-rpc",
    "um",
    "admin",
    "sharepoint",
    "web",
];
