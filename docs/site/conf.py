"""The documentation as a site (``make docs``): the Markdown files of the repository, as they are."""

from laneway import __version__

project = "Laneway"
release = __version__
copyright = "Laneway's authors, MIT licence"
language = "en"

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "bench/README.md",
    "deploy/**/*.md",
    "clients/**/*.md",
    "examples/**/*.md",
]
exclude_patterns = ["**/node_modules", "examples/assistant/documents"]
nitpicky = True

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block"]

html_theme = "furo"
html_title = "Laneway"
html_extra_path = ["root"]
html_copy_source = False
html_theme_options = {
    "source_repository": "https://github.com/laneway/laneway",
    "source_branch": "main",
    "source_directory": "",
}
