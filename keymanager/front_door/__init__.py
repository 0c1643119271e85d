"""The portal's own OAuth endpoints: one address for applications, whichever key manager owns their client."""
