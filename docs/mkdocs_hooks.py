"""What the site needs beside docs/: the files of the repository that its pages link to.

A host of the repository follows a link to `../benchmarks/results/x.png`; the site holds only what lies
below docs/. So every linked file outside docs/ joins the site, as plain text if it is Markdown.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PLACE = PurePosixPath("repository")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the linked files of the repository to those of docs/."""
    pages = list(files.documentation_pages())
    linked = {
        path for page in pages for path in _outside(page).findall(page.content_string) if _has(path)
    }
    for path in sorted(linked):
        files.append(File.generated(config, str(_place(path)), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to files of the repository to where the site holds them."""
    up = "../" * page.file.src_uri.count("/")
    return _outside(page.file).sub(
        lambda link: f"{up}{_place(link[1])}" if _has(link[1]) else link[0], markdown
    )


def _outside(page: File) -> re.Pattern[str]:
    """Return what finds a page's links to files outside docs/; its group is their path."""
    ups = page.src_uri.count("/") + 1
    return re.compile(rf"(?<=\]\()(?:\.\./){{{ups}}}([\w][\w./-]*)(?=\))")


def _has(path: str) -> bool:
    return (ROOT / path).is_file()


def _place(path: str) -> PurePosixPath:
    target = PLACE / path
    return target.with_suffix(".txt") if target.suffix == ".md" else target
