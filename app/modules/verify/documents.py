"""Pages that are written from the modules' definitions are up to date."""

from collections.abc import Iterator

from app.modules import docs
from app.modules.verify.project import Project
from app.modules.verify.report import Finding


def check_docs(project: Project) -> Iterator[Finding]:
    """The pages in docs/modules say what the definitions say."""
    if not (project.root / "docs").is_dir():
        return  # installed as a distribution, which has no documents
    if any(project.modules.get(code) is not module for code, module in docs.described_modules().items()):
        return  # a tree whose modules are not those that run here
    for name in docs.stale_pages(project.root):
        path = project.root / docs.PAGES / name
        yield project.finding(
            path, 1, "stale-docs", f"{name} is not what the modules declare.", "Run `wizamart modules docs`."
        )
