//! The sensitivity table, where it is asked for.

use serde::Serialize;

use super::Interval;
use crate::census::{SensitivityNumbers, SensitivityRow};

#[derive(Serialize)]
pub(super) struct Row {
    reading: &'static str,
    title: &'static str,
    differs: bool,
    requirements: Vec<Numbers>,
}

#[derive(Serialize)]
struct Numbers {
    product: &'static str,
    cal: &'static str,
    users: Interval,
    users_only: u64,
    devices_only: Option<u64>,
    mix: Option<u64>,
}

pub(super) fn row(row: &SensitivityRow) -> Row {
    Row {
        reading: row.reading,
        title: row.title,
        differs: row.differs,
        requirements: row.requirements.iter().map(numbers).collect(),
    }
}

fn numbers(n: &SensitivityNumbers) -> Numbers {
    Numbers {
        product: n.product.as_str(),
        cal: n.cal.as_str(),
        users: Interval { lower: n.users.lower, demand: n.users.demand, upper: n.users.upper },
        users_only: n.users_only,
        devices_only: n.devices_only,
        mix: n.mix,
    }
}
