"""Order numbers in customers' messages: of which shape a shop's are, and what only looks like one."""
