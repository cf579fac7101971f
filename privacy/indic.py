"""As `components.text.indic`, for the rooms that import nothing of the components: words in the scripts of India."""

from __future__ import annotations

SIGNS = "\u0900-\u0963\u0970-\u0dff"
BEGIN, END = rf"(?<![\w{SIGNS}])", rf"(?![\w{SIGNS}])"
