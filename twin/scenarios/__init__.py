"""Journeys that play by themselves: one YAML file each, with what is expected ticked or crossed.

Imports the network and the helpdesk of the twin. Start reading in `player.py`.
"""
