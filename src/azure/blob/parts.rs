//! Blobs that are larger than what is held at once: read in ranges, written in blocks.

use std::num::NonZeroUsize;

use azure_core::http::RequestContent;
use azure_storage_blob::models::{
    BlobClientDownloadOptions, BlockBlobClientCommitBlockListOptions, BlockLookupList,
};

use super::{Blobs, Place};
use crate::azure::trouble::StorageTrouble;
use crate::domain::vocabulary::{Digest, Etag};

impl Blobs {
    /// Reads `length` bytes from `offset`, or as many as there are, of the version `etag`.
    pub(in crate::azure) async fn read_range(
        &self,
        at: Place<'_>,
        etag: &Etag,
        (offset, length): (u64, usize),
    ) -> Result<Vec<u8>, StorageTrouble> {
        let read = async {
            let options = BlobClientDownloadOptions {
                range: Some((offset..offset + length as u64).into()),
                partition_size: NonZeroUsize::new(length),
                parallel: NonZeroUsize::new(1),
                if_match: Some(etag.quoted().into()),
                ..BlobClientDownloadOptions::default()
            };
            self.blob(at)?.download(Some(options)).await?.body.collect().await
        };
        read.await.map(|bytes| bytes.to_vec()).map_err(|error| self.trouble(at, &error))
    }

    /// Hands over one block of a blob that is still to be committed.
    pub(in crate::azure) async fn stage(
        &self,
        at: Place<'_>,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<Block, StorageTrouble> {
        let block = Block::of(number, &bytes);
        let stage = async {
            let length = bytes.len() as u64;
            let body = RequestContent::from(bytes);
            self.blob(at)?.block_blob_client().stage_block(&block.0, length, body, None).await
        };
        stage.await.map(|_| ()).map_err(|error| self.trouble(at, &error))?;
        Ok(block)
    }

    /// Makes a new JSON document of these blocks.
    pub(in crate::azure) async fn commit(
        &self,
        at: Place<'_>,
        blocks: Vec<Block>,
    ) -> Result<(), StorageTrouble> {
        let commit = async {
            let latest = Some(blocks.into_iter().map(|block| block.0).collect());
            let blocks = BlockLookupList { latest, ..BlockLookupList::default() };
            let options = BlockBlobClientCommitBlockListOptions {
                blob_content_type: Some("application/json".to_owned()),
                if_none_match: Some("*".into()),
                ..BlockBlobClientCommitBlockListOptions::default()
            };
            self.blob(at)?.block_blob_client().commit_block_list(blocks.try_into()?, Some(options)).await
        };
        commit.await.map(|_| ()).map_err(|error| self.trouble(at, &error))
    }

    /// Deletes a blob; one that is not there is as good as deleted.
    pub(in crate::azure) async fn remove(&self, at: Place<'_>) -> Result<(), StorageTrouble> {
        let delete = async { self.blob(at)?.delete(None).await };
        match delete.await.map_err(|error| self.trouble(at, &error)) {
            Err(trouble) if !trouble.is_missing() => Err(trouble),
            _ => Ok(()),
        }
    }
}

/// A block that was handed over. It is called by what it holds: blocks that are not committed yet belong to the blob, and
/// somebody else who writes it at the same time would put his own in their place.
pub(in crate::azure) struct Block(Vec<u8>);

impl Block {
    /// All ids of a blob's blocks are equally long, and 64 bytes at most.
    fn of(number: usize, bytes: &[u8]) -> Self {
        let digest = Digest::of(bytes).to_string();
        Self(format!("{number:08}-{}", &digest[..32]).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_two_who_write_one_blob_are_told_apart() {
        let [first, other] =
            ["what one has read", "what the other has read"].map(|text| Block::of(3, text.as_bytes()));
        assert_ne!(first.0, other.0);
        assert_eq!(first.0, Block::of(3, b"what one has read").0, "a repeated request is the same block");
        assert!(first.0.len() == other.0.len() && first.0.len() <= 64);
    }
}
