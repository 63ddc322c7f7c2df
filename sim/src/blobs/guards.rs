//! Rules that stand until they are lifted: what may not be deleted or changed, whoever asks.

use axum::http::StatusCode;

use super::reply::Refusal;
use super::request::{Operation, Request};
use super::store::Store;

/// Why blobs can not be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The caller lacks the right to delete: 403 `AuthorizationPermissionMismatch`.
    NoRightToDelete,
    /// A policy keeps blobs as they are: 409 `BlobImmutableDueToPolicy` for whoever deletes or overwrites one. New
    /// ones may be written.
    Immutable,
}

/// Guards, by what `container/blob` begins with.
#[derive(Clone, Debug, Default)]
pub(super) struct Guards(Vec<(String, Guard)>);

impl Guards {
    pub(super) fn stand(&mut self, prefix: &str, guard: Guard) {
        self.0.push((prefix.to_owned(), guard));
    }

    pub(super) fn lift(&mut self) {
        self.0.clear();
    }

    /// Whether a policy keeps something in a container as it is.
    pub(super) fn keep(&self, container: &str) -> bool {
        let of_container = |prefix: &str| prefix.split('/').next() == Some(container);
        self.0.iter().any(|(prefix, guard)| *guard == Guard::Immutable && of_container(prefix))
    }

    pub(super) fn allow(
        &self,
        operation: Operation,
        request: &Request,
        store: &mut Store,
    ) -> Result<(), Refusal> {
        let name = request.name();
        let stands = |wanted: Guard| {
            self.0.iter().any(|(prefix, guard)| *guard == wanted && name.starts_with(prefix.as_str()))
        };
        if operation == Operation::DeleteBlob && stands(Guard::NoRightToDelete) {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            ));
        }
        let changes = matches!(
            operation,
            Operation::DeleteBlob | Operation::PutBlob | Operation::PutBlockList | Operation::SetMetadata
        );
        if changes && stands(Guard::Immutable) && store.blob(&request.container, &request.blob).is_ok() {
            return Err(Refusal::conflict(
                "BlobImmutableDueToPolicy",
                "This operation is not permitted as the blob is immutable due to a policy.",
            ));
        }
        Ok(())
    }
}
