"""What can be wrong with the designers' files, each with the file, the line and the remedy.

Imports the readers of the product that judge the files. Start reading in `all_checks.py`.
"""
