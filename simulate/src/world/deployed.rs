//! The settings as they are deployed, which change while a world goes on.

use crate::plan::{Change, Live, SERVICES, Setup};
use crate::secrets;
use crate::world::sent::{ACCOUNT, ALERTS, ARM, BACKUPS, ENTRA, HEARTBEAT, STATE, STORAGE};

/// One deployment of the app. Services are numbers in [`SERVICES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployed {
    /// Counts the changes.
    pub(crate) version: u32,
    pub(crate) primary: usize,
    pub(crate) secondaries: Vec<usize>,
    pub(crate) dry_run: bool,
    pub(crate) live: Live,
    /// For how many days backups are kept.
    pub(crate) retention: i64,
    /// Inventories are deep, not of the lists alone.
    pub(crate) deep: bool,
}

impl Deployed {
    /// What a world begins with.
    pub(crate) fn first(setup: &Setup) -> Self {
        let secondaries = (1..=setup.secondaries).collect();
        let Setup { live, retention, deep, .. } = *setup;
        Self { version: 0, primary: 0, secondaries, dry_run: false, live, retention, deep }
    }

    /// Every service that the settings name, the primary first.
    pub(crate) fn services(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.primary).chain(self.secondaries.iter().copied())
    }

    /// The settings after `change`.
    pub(crate) fn after(&self, change: Change) -> Self {
        let mut next = Self { version: self.version + 1, ..self.clone() };
        match change {
            Change::Add => {
                let free = (0..SERVICES.len()).find(|service| self.services().all(|used| used != *service));
                next.secondaries.extend(free);
            }
            Change::Remove if next.secondaries.len() > 1 => drop(next.secondaries.pop()),
            Change::Remove => {}
            Change::Swap => std::mem::swap(&mut next.primary, &mut next.secondaries[0]),
            Change::DryRun => next.dry_run = !next.dry_run,
            Change::Live(live) => next.live = live,
            Change::Retention(days) => next.retention = days,
            Change::Depth => next.deep = !next.deep,
        }
        next
    }

    /// An app setting's value.
    pub(crate) fn setting(&self, setup: &Setup, tenant: &Tenant, name: &str) -> Option<String> {
        let id = |service: usize| service_id(SERVICES[service].0);
        let switch = |on| if on { "on" } else { "off" }.to_owned();
        let secondaries = self.secondaries.iter().map(|service| id(*service)).collect::<Vec<_>>();
        Some(match name {
            "BackupStorage" if setup.by_key => {
                let key = secrets::account_key();
                format!("DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={key}")
            }
            "BackupStorage__blobServiceUri" if !setup.by_key => STORAGE.to_owned(),
            "BACKUP_CONTAINER" => BACKUPS.to_owned(),
            "STATE_CONTAINER" => STATE.to_owned(),
            "APIM_PRIMARY_ID" => id(self.primary),
            "APIM_SECONDARY_IDS" => secondaries.join(","),
            "BACKUP_SCHEDULE" => setup.rhythm.text.to_owned(),
            "BACKUP_ACCESS" if setup.access_key => "access-key".to_owned(),
            "BACKUP_STORAGE_ACCOUNT_ID" if setup.access_key => tenant.account_id.clone(),
            "LIVE_CHECK" => switch(self.live != Live::Off),
            "TRAFFIC_MANAGER_ID" if self.live == Live::Profile => tenant.profile_id.clone(),
            "RETENTION_DAYS" => self.retention.to_string(),
            "INVENTORY" => if self.deep { "deep" } else { "lists" }.to_owned(),
            "DRY_RUN" => switch(self.dry_run),
            "AZURE_CREDENTIAL" => "client-secret".to_owned(),
            "AZURE_TENANT_ID" => tenant.id.clone(),
            "AZURE_CLIENT_ID" => tenant.client_id.clone(),
            "AZURE_CLIENT_SECRET" => tenant.client_secret.clone(),
            "ARM_ENDPOINT" => ARM.to_owned(),
            "AZURE_AUTHORITY_HOST" => ENTRA.to_owned(),
            "ALERT_WEBHOOK_URL" if setup.alerts => secrets::secret_url(ALERTS),
            "HEARTBEAT_URL" => secrets::secret_url(HEARTBEAT),
            _ => return None,
        })
    }
}

/// What the settings repeat of the tenant.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The storage account's resource id.
    pub(crate) account_id: String,
    /// The Traffic Manager profile's.
    pub(crate) profile_id: String,
}

/// The resource id of a service, as the simulated cloud gives it.
pub(crate) fn service_id(name: &str) -> String {
    const GROUP: &str = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/contoso-apim";
    format!("{GROUP}/providers/Microsoft.ApiManagement/service/{name}")
}

#[cfg(test)]
mod tests {
    use apim_dr_sim::cloud::ServiceSpec;

    use super::*;

    #[test]
    fn ids_are_those_of_the_simulated_cloud() {
        for (name, location) in SERVICES {
            assert_eq!(service_id(name), ServiceSpec::new(name, location).id());
        }
    }
}
