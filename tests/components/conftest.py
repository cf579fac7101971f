"""Rasa's policies are imported as the servers import them: without TensorFlow, which no test here needs."""

from __future__ import annotations

from connectors.rasa_patches import loading

loading.install()
