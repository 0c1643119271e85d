"""What the adapters for WSO2 Identity Server have in common, whatever its release."""
