//! Who the handler is towards Azure.

use std::path::PathBuf;

use super::secret::Secret;
use super::setting::{
    CLIENT_ID, CLIENT_SECRET, CREDENTIAL, IDENTITY_ENDPOINT, IDENTITY_HEADER, Reader, Reported, Setting,
    TENANT_ID, TOKEN_FILE,
};
use super::value;

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The app's own identity: the system-assigned one, or the user-assigned one with this client id.
    ManagedIdentity {
        /// None: system-assigned.
        client_id: Option<String>,
    },
    /// A service principal and its secret.
    ClientSecret {
        /// The Entra tenant's id or domain.
        tenant: String,
        /// The service principal's client id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// A service principal that trusts the tokens found in a file.
    WorkloadIdentity {
        /// The Entra tenant's id or domain.
        tenant: String,
        /// The service principal's client id.
        client_id: String,
        /// Read anew for every token.
        token_file: PathBuf,
    },
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
}

#[derive(Clone, Copy)]
enum Kind {
    ManagedIdentity,
    ClientSecret,
    WorkloadIdentity,
    AzureCli,
}

const KINDS: [(&str, Kind); 4] = [
    ("managed-identity", Kind::ManagedIdentity),
    ("client-secret", Kind::ClientSecret),
    ("workload-identity", Kind::WorkloadIdentity),
    ("azure-cli", Kind::AzureCli),
];

impl Credential {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Reported> {
        match reader.required(&CREDENTIAL, |setting, text| value::word(setting, text, &KINDS))? {
            Kind::ManagedIdentity => {
                let client_id = reader.optional(&CLIENT_ID, value::identifier);
                refuse_unused_secret(reader)?;
                Self::managed_identity(reader, client_id?)
            }
            Kind::ClientSecret => {
                let (principal, secret) =
                    (principal(reader), companion(reader, &CLIENT_SECRET, |_, text| Ok(Secret::new(text))));
                let (tenant, client_id) = principal?;
                Ok(Self::ClientSecret { tenant, client_id, secret: secret? })
            }
            Kind::WorkloadIdentity => {
                let (principal, token_file) =
                    (principal(reader), companion(reader, &TOKEN_FILE, |_, path| Ok(path.into())));
                let (tenant, client_id) = principal?;
                Ok(Self::WorkloadIdentity { tenant, client_id, token_file: token_file? })
            }
            Kind::AzureCli => Ok(Self::AzureCli),
        }
    }

    /// A managed identity answers at an address that the platform names. Without one the Azure SDK would
    /// ask a virtual machine's metadata service instead, and wait more than a minute for nobody.
    pub(super) fn managed_identity(
        reader: &mut Reader<'_>,
        client_id: Option<String>,
    ) -> Result<Self, Reported> {
        let endpoint = platform(reader, &IDENTITY_ENDPOINT);
        let header = platform(reader, &IDENTITY_HEADER);
        endpoint.and(header)?;
        Ok(Self::ManagedIdentity { client_id })
    }
}

/// A secret without `AZURE_CREDENTIAL` tells of a service principal that would never be asked.
fn refuse_unused_secret(reader: &mut Reader<'_>) -> Result<(), Reported> {
    if reader.value(&CREDENTIAL)?.is_none() && reader.value(&CLIENT_SECRET)?.is_some() {
        let what = "is not set although AZURE_CLIENT_SECRET is: write client-secret to use the service \
                    principal, or managed-identity not to";
        return Err(reader.report(&CREDENTIAL, what));
    }
    Ok(())
}

fn principal(reader: &mut Reader<'_>) -> Result<(String, String), Reported> {
    let tenant = companion(reader, &TENANT_ID, value::identifier);
    let client_id = companion(reader, &CLIENT_ID, value::identifier);
    Ok((tenant?, client_id?))
}

/// A setting that the chosen kind of credential cannot do without.
fn companion<T>(
    reader: &mut Reader<'_>,
    setting: &Setting,
    parse: impl FnOnce(&Setting, &str) -> Result<T, String>,
) -> Result<T, Reported> {
    if let Some(value) = reader.optional(setting, parse)? {
        return Ok(value);
    }
    let kind = reader.value(&CREDENTIAL)?.unwrap_or_default();
    Err(reader.report_missing(setting, &format!(" but AZURE_CREDENTIAL is {kind}")))
}

fn platform(reader: &mut Reader<'_>, setting: &Setting) -> Result<(), Reported> {
    match reader.value(setting)? {
        Some(_) => Ok(()),
        None => Err(reader.report_missing(setting, " although a managed identity is to be used")),
    }
}
