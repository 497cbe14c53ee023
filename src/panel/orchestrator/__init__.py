"""From a tool to its review: asks the seats, judges the replies, yields the results. Stores and prints nothing."""
