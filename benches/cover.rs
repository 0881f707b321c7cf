//! The solver on an organisation of 1,000,000 users and 2,000,000 devices with 5,000,000 accesses.
//!
//! `cargo bench --bench cover` solves it once for the least number and three times for the least
//! price (one CAL; Standard and Enterprise; two products with suites), verifies every certificate,
//! and prints times and, on Linux, the peak of resident memory. Without `--bench` (as in
//! `cargo test --all-targets`) it does the same at a thousandth of the size.
//!
//! Seen on one thread of a shared two-core x86-64 machine: least number 0.8–0.9 s with a peak of
//! 135 MB; least price 4–5 s and 0.9 GB with one CAL, 7–10 s and 1.0 GB with Standard and Enterprise,
//! 16–18 s and 1.2 GB with two products and suites; each certificate checked in at most 1.5 s. Three
//! times that with both cores taken by other work.
//!
//! The accesses: every personal device has an owner, so that most people have one to five; a
//! third of them was lent to others of the owner's team; kiosks saw 200 people each; some
//! devices are unidentified and some accounts are shared.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::time::Instant;

use calproof::cover::{
    Access, Catalogue, CoverError, Demand, Edge, Graph, Tariff, check, least_count, least_price,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let full = std::env::args().any(|arg| arg == "--bench");
    let thousand = if full { 1000 } else { 1 };
    let graph = time("make the graph", || organisation(1000 * thousand))?;
    println!(
        "{} users, {} devices, {} distinct accesses",
        graph.users().len(),
        graph.devices().len(),
        graph.edges().len()
    );
    peak();

    let mix = time("least number", || least_count(&graph));
    peak();
    let proved = time("check it", || check::count(&graph, &mix))?;
    println!(
        "  {} user CALs and {} device CALs, proved: {proved}",
        mix.users.len(),
        mix.devices.len()
    );

    let (users, devices) = (graph.users().to_vec(), graph.devices().to_vec());
    let edges = graph.edges().to_vec();
    drop((graph, mix));
    for (name, catalogue, tariffs, cals) in price_lists()? {
        let mut random = Random(7);
        let accesses = (edges.iter())
            .map(|&Edge { user, device }| Access {
                user,
                device,
                cal: cals[random.below(cals.len())],
            })
            .collect();
        let tariff = |licensable: &bool, tariff| licensable.then_some(tariff);
        let demand = Demand::new(
            catalogue,
            tariffs,
            users.iter().map(|user| tariff(user, 0)).collect(),
            devices.iter().map(|device| tariff(device, 1)).collect(),
            accesses,
        )?;
        let plan = time(name, || least_price(&demand));
        peak();
        let proved = time("check it", || check::price(&demand, &plan))?;
        println!(
            "  {} purchases, {} charges, proved: {proved}",
            plan.purchases.len(),
            plan.charges.len()
        );
    }
    Ok(())
}

/// A name, the catalogue, the tariffs of users and of devices, and the CALs that accesses draw.
type PriceList = (&'static str, Catalogue, Vec<Tariff>, Vec<u32>);

fn price_lists() -> Result<[PriceList; 3], CoverError> {
    let tariff = |cals: &[u64], suites: &[u64]| Tariff {
        cals: cals.iter().map(|&price| Some(price)).collect(),
        suites: suites.iter().map(|&price| Some(price)).collect(),
    };
    Ok([
        (
            "least price, one CAL",
            Catalogue::new(vec![None], vec![])?,
            vec![tariff(&[7800], &[]), tariff(&[6800], &[])],
            vec![0],
        ),
        (
            "least price, Standard and Enterprise",
            Catalogue::new(vec![None, Some(0)], vec![])?,
            vec![tariff(&[7800, 4800], &[]), tariff(&[6800, 4200], &[])],
            vec![0, 0, 0, 0, 0, 0, 0, 1],
        ),
        (
            "least price, two products with suites",
            Catalogue::new(vec![None, Some(0), None, Some(2)], vec![vec![0, 2], vec![0, 1, 2, 3]])?,
            vec![
                tariff(&[7800, 4800, 3600, 12_400], &[10_100, 22_000]),
                tariff(&[6800, 4200, 3100, 10_700], &[8_800, 19_000]),
            ],
            vec![0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 3],
        ),
    ])
}

/// An organisation with `people` users, twice as many devices and some five times as many accesses.
fn organisation(people: usize) -> Result<Graph, CoverError> {
    let mut random = Random(1);
    let devices = 2 * people;
    let (kiosks, unidentified) = (people / 200, people / 20);
    let team = 12;
    let mut edges = Vec::with_capacity(5 * people + people / 10);
    let mut access = |user: usize, device: usize| {
        edges.push(Edge { user: user as u32, device: device as u32 });
    };
    for device in 0..devices - kiosks - unidentified {
        let owner = random.below(people);
        access(owner, device);
        if random.below(3) == 0 {
            for _ in 0..3 {
                access((owner / team * team + random.below(team)).min(people - 1), device);
            }
        }
    }
    for kiosk in 0..kiosks {
        // A kiosk serves a site: people of one stretch of the staff list, and a few visitors.
        let site = random.below(people);
        for _ in 0..200 {
            let visitor = random.below(20) == 0;
            let user = if visitor { random.below(people) } else { site + random.below(600) };
            access(user % people, devices - unidentified - kiosks + kiosk);
        }
    }
    for device in devices - unidentified..devices {
        for _ in 0..12 {
            access(random.below(people), device);
        }
    }
    let shared = |user: usize| user % 2000 == 7;
    Graph::new(
        (0..people).map(|user| !shared(user)).collect(),
        (0..devices).map(|device| device < devices - unidentified).collect(),
        edges,
    )
}

/// SplitMix64: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }
}

fn time<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{name}: {:.2} s", start.elapsed().as_secs_f64());
    result
}

/// Prints the peak of resident memory so far, where the system tells it.
fn peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("  peak memory so far: {}", peak.trim());
    }
}
