"""Descriptions of scikit-learn's estimators in the student's process."""
