"""`python -m workbench orders import file.csv`: orders that a hosted shop exports, into the table that is read.

Imports the readers of the product, so that what is written is what will be understood. Start reading in `command.py`.
"""
