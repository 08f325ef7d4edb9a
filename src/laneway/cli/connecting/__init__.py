"""What `laneway connect` writes into the settings of each coding agent, and takes out again."""
