//! What accounts are enabled for, and who seems to share one, without names.

use super::map::Map;
use super::names::Kind;
use crate::census::{
    ConfiguredCals, Enabled, EnabledAccount, ExportFile, SettingUse, SuspectedShared,
};

impl Map<'_> {
    pub(super) fn suspected(&mut self, suspected: SuspectedShared) -> SuspectedShared {
        let SuspectedShared { account, devices, kind, day, witness } = suspected;
        let account = self.id(&account);
        SuspectedShared { account, devices, kind, day, witness: self.witness(witness) }
    }

    pub(super) fn enabled(&mut self, enabled: Enabled) -> Enabled {
        let Enabled { files, settings, requires, not_people, open, accounts } = enabled;
        Enabled {
            files: files.into_iter().map(|file| self.export(file)).collect(),
            settings: settings.into_iter().map(|setting| self.setting(setting)).collect(),
            requires: requires.into_iter().map(|row| self.configured(row)).collect(),
            not_people: self.sorted(not_people, |map, (name, kind)| {
                let plain = kind.bytes().all(|b| b.is_ascii_alphanumeric());
                let kind = match plain && !map.names.mentions(&kind) {
                    true => kind,
                    false => map.names.give(Kind::Text, &kind),
                };
                (map.names.of_any(&name), kind)
            }),
            open: self.sorted(open, |map, (name, reason)| (map.names.of_any(&name), reason)),
            accounts: self.sorted(accounts, |map, account| {
                let EnabledAccount { account, people, enabled, never_used } = account;
                let account = map.names.of_any(&account);
                EnabledAccount { account, people: map.ids(people), enabled, never_used }
            }),
        }
    }

    fn export(&mut self, file: ExportFile) -> ExportFile {
        let ExportFile { path, sha256, rows, settings } = file;
        // A list of names can be guessed, and a digest tells who guessed right: a keyed one does not.
        let sha256 = crate::digest::hex(&self.names.key().salt_of_file(sha256.as_bytes()));
        ExportFile { path: self.names.path(&path), sha256, rows, settings }
    }

    fn setting(&mut self, setting: SettingUse) -> SettingUse {
        let SettingUse {
            setting,
            enabled,
            used,
            never_used,
            used_not_enabled,
            used_not_listed,
            not_stated,
        } = setting;
        SettingUse {
            setting,
            enabled,
            used,
            never_used: self.ids(never_used),
            used_not_enabled: self.ids(used_not_enabled),
            used_not_listed: self.ids(used_not_listed),
            not_stated,
        }
    }

    fn configured(&mut self, row: ConfiguredCals) -> ConfiguredCals {
        let ConfiguredCals {
            product,
            cal,
            pack,
            observed,
            configuration,
            together,
            settings,
            beyond_observed,
        } = row;
        ConfiguredCals {
            product,
            cal,
            pack,
            observed,
            configuration,
            together,
            settings,
            beyond_observed: self.ids(beyond_observed),
        }
    }
}
