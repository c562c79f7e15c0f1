//! How gradients become steps, and which settings belong to which way.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RecipeError, TrainRecipe};

/// How gradients become steps, each as `PyTorch` defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adam whose weight decay does not pass through the moments (Loshchilov and Hutter 2019).
    Adamw,
    /// Kingma and Ba 2015.
    Adam,
    Sgd,
    /// Steps divided by the root of a running mean of squared gradients (Tieleman and Hinton 2012).
    Rmsprop,
}

impl fmt::Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adamw => "adamw",
            Self::Adam => "adam",
            Self::Sgd => "sgd",
            Self::Rmsprop => "rmsprop",
        })
    }
}

impl TrainRecipe {
    /// Returns the momentum as told, or the usual one of the optimizer.
    pub(in crate::model) fn momentum(&self) -> f64 {
        let usual = match self.optimizer {
            Optimizer::Sgd => 0.9,
            Optimizer::Adamw | Optimizer::Adam | Optimizer::Rmsprop => 0.0,
        };
        self.momentum.unwrap_or(usual)
    }

    /// Returns the share of earlier squared gradients.
    pub(in crate::model) fn rho(&self) -> f64 {
        self.rho.unwrap_or(0.99)
    }
}

/// Finds the first setting that would do nothing.
pub(super) fn check(recipe: &TrainRecipe) -> Result<(), RecipeError> {
    let optimizer = recipe.optimizer;
    let [has_momentum, is_sgd, is_rmsprop] = match optimizer {
        Optimizer::Adamw | Optimizer::Adam => [false; 3],
        Optimizer::Sgd => [true, true, false],
        Optimizer::Rmsprop => [true, false, true],
    };
    let given = [
        ("momentum", recipe.momentum.is_some(), has_momentum, "`sgd` and `rmsprop`"),
        ("nesterov", recipe.nesterov, is_sgd, "`sgd`"),
        ("rho", recipe.rho.is_some(), is_rmsprop, "`rmsprop`"),
    ];
    if let Some((key, _, _, owners)) = given.into_iter().find(|(_, given, fits, _)| *given && !fits)
    {
        return Err(RecipeError::OtherOptimizer { key, owners, optimizer });
    }
    if recipe.nesterov && recipe.momentum() <= 0.0 {
        return Err(RecipeError::NesterovAlone);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optimizers_are_called_what_the_pipeline_file_calls_them() {
        for optimizer in [Optimizer::Adamw, Optimizer::Adam, Optimizer::Sgd, Optimizer::Rmsprop] {
            assert_eq!(serde_json::to_string(&optimizer).unwrap(), format!("\"{optimizer}\""));
        }
    }

    #[test]
    fn a_setting_of_another_optimizer_is_refused() {
        let complaint = |text: &str| {
            let recipe: TrainRecipe = serde_json::from_str(text).unwrap();
            recipe.check().map_err(|error| error.to_string())
        };

        assert_eq!(complaint(r#"{"optimizer": "sgd", "momentum": 0.8, "nesterov": true}"#), Ok(()));
        assert_eq!(complaint(r#"{"optimizer": "rmsprop", "momentum": 0.8, "rho": 0.9}"#), Ok(()));
        let alone = complaint(r#"{"optimizer": "sgd", "momentum": 0.0, "nesterov": true}"#);
        assert!(alone.unwrap_err().contains("give `momentum` a value above 0"));
        let others = [
            (r#"{"momentum": 0.9}"#, "`momentum` in [train] is of `sgd` and `rmsprop`, not of"),
            (r#"{"optimizer": "rmsprop", "nesterov": true}"#, "`nesterov` in [train] is of `sgd`,"),
            (r#"{"optimizer": "sgd", "rho": 0.9}"#, "not of the optimizer `sgd`; leave it out"),
        ];
        for (text, named) in others {
            let error = complaint(text).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
