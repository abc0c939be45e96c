"""Run ``python -m dlcompare`` as the command ``dlcompare``."""

from dlcompare.cli import app

if __name__ == "__main__":
    app(prog_name="dlcompare")
