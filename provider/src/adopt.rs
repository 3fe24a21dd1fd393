//! Taking over what is there already under a name that is to be made.
//!
//! What a run left that was lost before it could be recorded carries the owner tag of another life of the same resource,
//! and is unfinished: nothing is deployed. That is taken over, so that the next run goes on where it stopped. What is
//! finished may be in use, or be recorded elsewhere, and is for the user to decide about; what is not ours is left alone.

use std::sync::atomic::Ordering;

use crate::apply::Run;
use crate::desired::Tags;
use crate::error::{Error, Kind};
use crate::lives::Life;
use crate::owner::{self, Whose};
use crate::pieces::Piece;

impl Run {
    /// Whether something with these tags may be taken over; if not, the reason.
    pub async fn claim(&self, piece: Piece, tags: &Tags, doing: &str) -> Result<(), Error> {
        let owner = &self.desired().owner;
        match owner::whose(tags, owner) {
            Whose::Ours => Ok(()),
            Whose::AnotherLifes => {
                let finished = self.stop.look(doing, self.lives.finished(&self.aws, owner)).await?;
                if let Some(life) = finished {
                    return Err(in_use(owner, life, piece, doing));
                }
                // If this run stops before it has met everything, there is more than its state says.
                self.lost.store(true, Ordering::Relaxed);
                self.adopted.store(true, Ordering::Relaxed);
                Ok(())
            }
            Whose::Unmarked | Whose::Anothers => {
                let way_out = match piece {
                    Piece::Bucket => "choose another `name` or `bucket.name`",
                    // API Gateway makes one anew when it has to write after a delete.
                    Piece::LogGroup => "delete it if nobody needs it, or name it in `accessLog.destinationArn`",
                    Piece::Domain => "choose another `domain.name`, or delete that domain name",
                    _ => "choose another `name`",
                };
                let reason = format!("a {piece} of this name is there already");
                Err(Error::new(Kind::AlreadyExists, doing, reason)
                    .hint(format!("{way_out}; what was made elsewhere is never taken over")))
            }
        }
    }
}

/// Why something of another life that is finished is not taken over.
pub fn in_use(owner: &str, life: &Life, piece: Piece, doing: &str) -> Error {
    let (api, name) = (&life.api.id, owner::name(owner));
    let reason = match piece {
        Piece::RestApi => format!("the REST API `{api}` of this resource has this name, and is deployed"),
        _ => format!("a {piece} of this name is there already, and the REST API `{api}` of this resource is deployed"),
    };
    Error::new(Kind::AlreadyExists, doing, reason).hint(format!(
        "if a run was lost after it made them, `pulumi import s3dataproxy:index:S3DataProxy '{name}' {api}` records them \
         (as '{name}-lost', to be destroyed, where `{name}` is on record already); if the resource is to be replaced under \
         the same `name`, set the option `deleteBeforeReplace`"
    ))
}
