"""What disclosure control costs and what it leaves, measured at the size of a portal; nothing here runs in a night."""
