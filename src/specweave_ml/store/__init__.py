"""The only reader and writer of experiment folders.

    writing   claim → owner / sibling → journal → projections      (never imports the reading side but to fold journals)
    reading   load → reader → lines, sessions, history             (never imports the writing side)
    shared    layout (names), codec (values), fold (lines → state), metadata (YAML), liveness (locks)

docs/format.md is the format; tests/golden/ holds a folder with every kind of line.
"""
