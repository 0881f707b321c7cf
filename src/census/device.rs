//! What an access came from: identified devices, and addresses behind which anything may stand.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::OnceLock;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::place::Places;
use crate::facts::names::{Name, Names};
use crate::facts::{Device, DeviceKind};
use crate::identity::decode;
use crate::shown;

/// A device's place among the devices, from 0.
pub(super) type DeviceId = u32;

/// What some evidence comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Origin {
    /// The device, where it shows one.
    pub(super) device: Option<DeviceId>,
    /// Whether it is the address of a listed server, which is no device.
    pub(super) server: bool,
}

/// A device as a graph and a report see it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Known {
    /// `eas:applc39`, `10.1.1.5 Firefox`, …; identifiers compare without case.
    pub(super) label: String,
    /// Whether a device CAL can be assigned to it.
    pub(super) identified: bool,
}

/// Every device, each once.
#[derive(Default)]
pub(super) struct Devices {
    list: Vec<Known>,
    /// By label, and whether they are identified.
    index: HashTable<DeviceId>,
    hasher: DefaultHashBuilder,
    /// User agents in the spelling that labels have.
    agents: HashMap<Name, String>,
    by_evidence: HashMap<Device, Origin>,
    inventory: BTreeMap<IpAddr, String>,
    instance_of: BTreeMap<String, String>,
    /// All by label, once that was asked for.
    sorted: OnceLock<Vec<DeviceId>>,
}

/// Some devices in the order of their labels.
pub(super) struct ByLabel {
    pub(super) list: Vec<DeviceId>,
    /// By device.
    places: Vec<u32>,
}

/// Not in the list.
const NOWHERE: u32 = u32::MAX;

impl ByLabel {
    /// The place of a device in the list.
    pub(super) fn place(&self, device: DeviceId) -> u32 {
        self.places[device as usize]
    }
}

/// Why an inventory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file cannot be read, or is no CSV.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// Path.
        path: String,
        /// What is wrong.
        source: csv::Error,
    },
    /// The columns are not there.
    #[error("{path}:1: found the columns {found}, expected `address` and `device`")]
    Columns {
        /// Path.
        path: String,
        /// The header as it is.
        found: String,
    },
    /// An address is none.
    #[error(
        "{path}:{line}: `{found}` is not an address; write one address of one fixed device per row"
    )]
    Address {
        /// Path.
        path: String,
        /// Line, from 1.
        line: u64,
        /// What stands there.
        found: String,
    },
}

impl Devices {
    /// No device yet; `inventory` says which addresses are one fixed physical device, `epids` which
    /// SIP endpoints are which instance.
    pub(super) fn new(
        inventory: BTreeMap<IpAddr, String>,
        epids: BTreeMap<String, String>,
    ) -> Devices {
        Devices { inventory, instance_of: epids, ..Devices::default() }
    }

    /// The device of some evidence, new or known.
    pub(super) fn of(&mut self, evidence: Device, names: &Names, places: &Places) -> Origin {
        if evidence.kind == DeviceKind::None || evidence.id == Name::NONE {
            return Origin::default();
        }
        if let Some(known) = self.by_evidence.get(&evidence) {
            return *known;
        }
        let server =
            evidence.kind == DeviceKind::Address && places.is_own_address(names.get(evidence.id));
        let device = (!server).then(|| {
            let known = self.known(evidence, names);
            self.named(known)
        });
        self.by_evidence.insert(evidence, Origin { device, server });
        Origin { device, server }
    }

    /// The device of a label, new or known.
    pub(super) fn named(&mut self, known: Known) -> DeviceId {
        let Devices { list, index, hasher, sorted, .. } = self;
        let hash = hasher.hash_one(&known);
        if let Some(device) = index.find(hash, |d| list[*d as usize] == known) {
            return *device;
        }
        let device = list.len() as DeviceId;
        list.push(known);
        index.insert_unique(hash, device, |d| hasher.hash_one(&list[*d as usize]));
        sorted.take();
        device
    }

    fn known(&mut self, evidence: Device, names: &Names) -> Known {
        let id = decode(names.get(evidence.id), None);
        let identified =
            |kind: &str| Known { label: format!("{kind}:{}", id.to_lowercase()), identified: true };
        match evidence.kind {
            DeviceKind::ActiveSync => identified("eas"),
            DeviceKind::SipInstance => identified("sip"),
            DeviceKind::Epid => match self.instance_of.get(&id.to_lowercase()) {
                Some(instance) => Known { label: format!("sip:{instance}"), identified: true },
                None => identified("epid"),
            },
            DeviceKind::CdrEndpoint => identified("endpoint"),
            DeviceKind::Address | DeviceKind::None => {
                let fixed = || self.inventory.get(&calproof_parsers::network::ip(id.as_bytes())?);
                if let Some(device) = if self.inventory.is_empty() { None } else { fixed() } {
                    return Known {
                        label: format!("inventory:{}", device.to_lowercase()),
                        identified: true,
                    };
                }
                // IIS writes a blank as `+`, HttpProxy a comma as a blank: one agent in both.
                let agent = self.agents.entry(evidence.agent).or_insert_with(|| {
                    decode(names.get(evidence.agent), None).replace(['+', ','], " ")
                });
                let mut label = [&id, " ", agent].concat();
                label.truncate(label.trim_end().len());
                Known { label, identified: false }
            }
        }
    }

    /// Some devices, each once, by label: an order that does not hang on the order of reading.
    pub(super) fn by_label(&self, some: impl Iterator<Item = DeviceId>) -> ByLabel {
        let sorted = self.sorted.get_or_init(|| {
            let mut sorted: Vec<DeviceId> = (0..self.list.len() as DeviceId).collect();
            sorted.sort_unstable_by_key(|d| (&self.get(*d).label, self.get(*d).identified));
            sorted
        });
        let mut places = vec![NOWHERE; sorted.len()];
        some.for_each(|device| places[device as usize] = 0);
        let is_in = |device: &DeviceId| places[*device as usize] != NOWHERE;
        let list: Vec<DeviceId> = sorted.iter().copied().filter(is_in).collect();
        (0..).zip(&list).for_each(|(place, device)| places[*device as usize] = place);
        ByLabel { list, places }
    }

    /// A device.
    pub(super) fn get(&self, id: DeviceId) -> &Known {
        &self.list[id as usize]
    }
}

/// Reads inventories: CSV files with the columns `address` and `device`.
///
/// # Errors
///
/// A file that cannot be read, lacks a column, or has something else than an address.
pub(super) fn inventory(files: &[PathBuf]) -> Result<BTreeMap<IpAddr, String>, InventoryError> {
    let mut devices = BTreeMap::new();
    for file in files {
        let path = shown::path(file);
        let read = |source| InventoryError::Read { path: path.clone(), source };
        let mut rows = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .from_path(file)
            .map_err(read)?;
        let header = rows.headers().map_err(read)?.clone();
        let column = |name: &str| {
            header.iter().position(|h| h.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        };
        let (Some(address), Some(device)) = (column("address"), column("device")) else {
            let found = header.iter().collect::<Vec<_>>().join(", ");
            return Err(InventoryError::Columns { path, found: found.escape_debug().to_string() });
        };
        for row in rows.records() {
            let row = row.map_err(read)?;
            let found = row.get(address).unwrap_or_default();
            let Some(ip) = calproof_parsers::network::ip(found.as_bytes()) else {
                let line = row.position().map_or(0, csv::Position::line);
                return Err(InventoryError::Address {
                    path,
                    line,
                    found: found.escape_debug().to_string(),
                });
            };
            devices.insert(ip, row.get(device).unwrap_or_default().to_owned());
        }
    }
    Ok(devices)
}
