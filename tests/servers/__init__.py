"""Installs and starts the real servers that tests run against; every module starts one kind."""
