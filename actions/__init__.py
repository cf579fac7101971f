"""The action server: what the assistant can do. One small module a skill, one sub-package a capability."""
