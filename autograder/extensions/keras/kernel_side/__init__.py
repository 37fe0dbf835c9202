"""Descriptions of Keras's models in the student's process, where the sandbox shows this folder beside the agent."""
