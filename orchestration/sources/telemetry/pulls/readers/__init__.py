"""One module per `source` of `usage.yml`, each with `read(pull, window, access)`."""
