"""scikit-learn's estimators and pipelines: models that are asked for predictions, and tell their steps."""
