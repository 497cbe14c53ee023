"""Run `panel` as a module: `python -m panel`."""

from panel.cli import main

main()
