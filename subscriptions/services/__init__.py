"""Every write on the subscription database, one function per change."""
