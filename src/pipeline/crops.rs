//! Crops once their stage is over: how many came with the fingerprints, and what nobody needs.

use super::{run::PipelineRunError, workshop::Workshop};
use crate::{
    engine::Tally,
    stage::{fingerprint::Crops, prepare},
    store::crops,
};

impl Workshop {
    /// Says how many crops were made along with the fingerprints, and clears away what no setting
    /// leads to any more.
    pub(super) fn put_crops_in_order(
        &self,
        tally: &mut Tally,
        crops: Option<&Crops>,
    ) -> Result<(), PipelineRunError> {
        let n_made = crops.map_or(0, |crops| crops.made.count());
        if 0 < n_made {
            tally.summary = Some(format!("{n_made} made with the fingerprints"));
        }
        if 0 < n_made + tally.done() {
            let recipe = &self.pipeline.prepare;
            crops::sweep(&self.store, &self.layout, |blob| prepare::stamp(recipe, blob))?;
        }
        Ok(())
    }
}
