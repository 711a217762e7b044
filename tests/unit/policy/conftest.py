from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Edit = Callable[..., Path]


@pytest.fixture
def edited(tmp_path: Path, root: Path) -> Edit:
    """Return a copy of the policy in which texts of files are replaced; each call adds to the same copy."""
    folder = tmp_path / "edited-policy"
    shutil.copytree(root / "policy", folder)

    def edit(*changes: tuple[str, str, str]) -> Path:
        for name, old, new in changes:
            text = (folder / name).read_text(encoding="utf-8")
            assert old in text, (name, old)
            (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit
