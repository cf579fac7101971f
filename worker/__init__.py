"""The background process: event stream → log, tickets, nightly archive, closing idle conversations."""
