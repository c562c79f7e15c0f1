//! Names of stages as arguments.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::engine::StageName;

/// Reads the name of a stage; help and completions list them all.
pub(crate) fn parser() -> impl TypedValueParser<Value = StageName> {
    let named = |name: String| StageName::ALL.into_iter().find(|stage| stage.name() == name);
    PossibleValuesParser::new(StageName::ALL.map(StageName::name))
        .map(move |name| named(name).expect("only names of stages are possible values"))
}
