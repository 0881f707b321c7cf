//! What licences cost and who holds them, and the auditor's list, without names.

use super::map::Map;
use super::names::Kind;
use crate::census::{
    Assignment, Charged, ConnectorPlan, ConnectorServer, NotCounted, OwnedRow, PurchasePlan, Replay,
};

impl Map<'_> {
    pub(super) fn purchase(&mut self, plan: PurchasePlan) -> PurchasePlan {
        let PurchasePlan { lines, total, users_only, unpriced, uncovered, assignments, proof } =
            plan;
        PurchasePlan {
            lines,
            total,
            users_only,
            unpriced,
            uncovered: self.sorted(uncovered, |map, (person, device, item)| {
                (map.id(&person), map.device(&device), item)
            }),
            assignments: self.sorted(assignments, |map, assignment| {
                let Assignment { item, side, holder } = assignment;
                Assignment { item, side, holder: map.holder(&holder) }
            }),
            proof: self.sorted_by(proof, Map::charged, |c| {
                (c.person.clone(), c.device.clone(), c.user_cal.clone(), c.device_cal.clone())
            }),
        }
    }

    pub(super) fn charged(&mut self, charged: Charged) -> Charged {
        let Charged { person, device, user_cal, device_cal, amount, witness } = charged;
        Charged {
            person: self.id(&person),
            device: self.device(&device),
            user_cal,
            device_cal,
            amount,
            witness: self.witness(witness),
        }
    }

    pub(super) fn owned(&mut self, row: OwnedRow) -> OwnedRow {
        let OwnedRow {
            product,
            cal,
            owned_users,
            owned_devices,
            required_users,
            required_devices,
            shortage_users,
            shortage_devices,
            least_shortage,
            surplus_users,
            surplus_devices,
            uncovered_accesses,
            without,
            over_five_percent,
        } = row;
        OwnedRow {
            product,
            cal,
            owned_users,
            owned_devices,
            required_users,
            required_devices,
            shortage_users,
            shortage_devices,
            least_shortage,
            surplus_users,
            surplus_devices,
            uncovered_accesses,
            without: self.sorted(without, |map, holder| map.holder(&holder)),
            over_five_percent,
        }
    }

    pub(super) fn connectors(&mut self, plan: ConnectorPlan) -> ConnectorPlan {
        let ConnectorPlan { product, break_even, prices, servers, user_cals, total } = plan;
        let server = |map: &mut Map<'_>, server| {
            let ConnectorServer { server, external_users, choice } = server;
            ConnectorServer { server: map.server(&server), external_users, choice }
        };
        ConnectorPlan {
            product,
            break_even,
            prices,
            servers: self.sorted_by(servers, server, |s| s.server.clone()),
            user_cals: self.ids(user_cals),
            total,
        }
    }

    pub(super) fn replay(&mut self, replay: Replay) -> Replay {
        let Replay {
            path,
            accounts,
            nameless,
            people,
            accounts_of_counted,
            not_counted,
            not_listed,
            covered_days,
        } = replay;
        Replay {
            path: self.names.path(&path),
            accounts,
            nameless,
            people,
            accounts_of_counted,
            not_counted: self.sorted(not_counted, |map, account| {
                let NotCounted { account, person, reasons, last } = account;
                NotCounted {
                    account: map.names.give(Kind::Account, &account),
                    person: person.map(|id| map.id(&id)),
                    reasons: reasons.iter().map(|reason| map.reason(reason)).collect(),
                    last,
                }
            }),
            not_listed: self.sorted(not_listed, |map, (id, last)| (map.id(&id), last)),
            covered_days,
        }
    }
}
