"""The notebook runs from its first cell to its last."""
from pathlib import Path

import pytest
from conftest import ROOT, SITE, picture

nbclient = pytest.importorskip("nbclient")
import nbformat

STAMPS = Path("/usr/share/tuxpaint/stamps/food")


def test_notebook(tmp_path, monkeypatch):
    photos = STAMPS
    if not any(STAMPS.rglob("*.png")):
        photos = tmp_path / "photos"
        for seed in range(24):
            (photos / f"label {seed % 3}").mkdir(parents=True, exist_ok=True)
            picture(seed).save(photos / f"label {seed % 3}" / f"{seed}.png")
    monkeypatch.setenv("POMONA_PHOTOS", str(photos))
    monkeypatch.setenv("POMONA_OUT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(SITE))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(ROOT / "examples" / "fruits.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert not any(output.output_type == "error" for output in outputs)
    assert (tmp_path / "pca.parquet").exists()
