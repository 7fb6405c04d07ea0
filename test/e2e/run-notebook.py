"""Runs a notebook from top to bottom in a fresh kernel: run-notebook.py IN.ipynb OUT.ipynb

Exits with 1 and the traceback when a cell fails. The kernel talks over Unix sockets in a private folder, so nothing
listens on the network.
"""
import pathlib
import sys
import tempfile

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

source, target = map(pathlib.Path, sys.argv[1:])
notebook = nbformat.read(source, as_version=4)
with tempfile.TemporaryDirectory(prefix="nb-") as sockets:
    client = NotebookClient(
        notebook,
        config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/k"}}),
        kernel_name="python3",
        timeout=120,
        resources={"metadata": {"path": str(source.resolve().parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        sys.exit(str(error))
nbformat.write(notebook, target)
