//! The one page of help, which has to be enough.

/// What `apim-dr --help` prints.
pub(super) const HELP: &str = "\
apim-dr keeps a verified standby of an Azure API Management service in another region.

Azure Functions runs it. Given a verb it is the operator's command line: it asks through the records
from which the Functions app goes on, and never works around them.

usage: apim-dr VERB [OPTION...]

  status               who serves, the last verified backup, what each service holds, what runs,
                       what waits and why, what failed
  backup [SERVICE]     back a service up now; if none is named, the one that carries the traffic
  restore NAME         restore a backup into every service that it belongs into
    --into SERVICE       into this one alone. A secondary's backup goes into the primary
    --even-if-live       without asking who carries the traffic: users of the service will notice
  withdraw [SERVICE]   take back what is to be restored; what has begun in Azure cannot be stopped
  resume               after a failover: go on from the primary, and give up what it lacks
    --even-if-unknown    although nobody knows what the primary holds
  adopt SERVICE        a service was moved, so its resource id has changed: it is the same one
  tick                 do what the Functions app does every minute, for when it is down
  history [SERVICE]    what was backed up and restored, newest last
    --last N             so many (20)
  doctor               look at all that has to be so: settings, rights, services, storage, routing

  --wait, --wait=90m   of backup, restore, resume and tick: go on until it is over, or for so long.
                       To interrupt it stops nothing in Azure
  --settings FILE      settings from a local.settings.json; what the environment has set comes first
  --yes                do not ask before what cannot be undone; needed where there is no terminal
  --json               one JSON document on stdout. What happens meanwhile is told on stderr

A backup is called {service}-{yyyyMMdd}T{HHmmss}Z; status and history show names. All times are UTC.

Settings are the Functions app's, as environment variables: README.md lists them. After `az login`,
AZURE_CREDENTIAL=azure-cli uses your own rights. You need the app's: `apim-dr doctor` looks at them.

exit code  0  done, or asked for and begun
           1  failed or refused
           2  wrong words or settings
           3  asked for and not over: it waits, or --wait ended first

examples   apim-dr status --settings local.settings.json
           apim-dr backup --wait
           apim-dr restore contoso-weu-20261123T020000Z --into contoso-neu --wait
";
