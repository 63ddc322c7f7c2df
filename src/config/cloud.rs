//! Which Azure: the addresses of Resource Manager and of Entra.

use reqwest::Url;

use super::setting::{ARM_ENDPOINT, AUTHORITY_HOST, CLOUD, Reader, Reported};
use super::value;

/// The endpoints of one Azure cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Azure Resource Manager: scheme, host and port, no path.
    pub arm: Url,
    /// Microsoft Entra, which gives out tokens: scheme, host and port, no path.
    pub authority: Url,
    /// The domain of API Management's gateways.
    pub gateways: &'static str,
}

impl Cloud {
    /// The scope of the tokens that Resource Manager accepts.
    pub fn arm_scope(&self) -> String {
        format!("{}/.default", self.arm.origin().ascii_serialization())
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Reported> {
        let endpoints = reader.required(&CLOUD, |setting, name| value::word(setting, name, &CLOUDS));
        let arm = reader.optional(&ARM_ENDPOINT, value::https_origin);
        let authority = reader.optional(&AUTHORITY_HOST, value::https_origin);
        let (own_arm, own_authority, gateways) = endpoints?;
        Ok(Self {
            arm: or_own(reader, arm?, own_arm)?,
            authority: or_own(reader, authority?, own_authority)?,
            gateways,
        })
    }
}

/// The address set by hand, or the cloud's own.
fn or_own(reader: &mut Reader<'_>, set: Option<Url>, own: &str) -> Result<Url, Reported> {
    match set {
        Some(url) => Ok(url),
        None => value::https_origin(&CLOUD, own).map_err(|why| reader.report(&CLOUD, &why)),
    }
}

/// Each cloud's Resource Manager, Entra and gateways (contract: apim-arm, section 6).
const CLOUDS: [(&str, (&str, &str, &str)); 3] = [
    ("public", ("https://management.azure.com", "https://login.microsoftonline.com", "azure-api.net")),
    ("usgov", ("https://management.usgovcloudapi.net", "https://login.microsoftonline.us", "azure-api.us")),
    ("china", ("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn", "azure-api.cn")),
];
