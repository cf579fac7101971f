"""What the shop's policy pages say: finding the section that answers a question, and answering from it with proof."""
