"""Scripts whose vowel signs `re` does not count among a word's letters: \\w and \\b end inside most words of India's.

"नहीं" falls into न and ह, and is one word only with the signs between them.
"""

SIGNS = "\u0900-\u0963\u0970-\u0dff"
"""For inside a character class: every letter and sign of the scripts of India and Sri Lanka; not the danda "।"."""
BEGIN, END = rf"(?<![\w{SIGNS}])", rf"(?![\w{SIGNS}])"
"""Where a word begins and ends, for what \\b is to other scripts."""
