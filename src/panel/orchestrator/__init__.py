"""From tools to stored reviews: `run.RunService` is the one service that commands, the web and workers call. Prints nothing."""
