"""Settings: flag > environment > project file > user file > default, each value with its source."""
