"""Checkpoints of the Hub at pinned commits: what is on this machine, and fetching the rest."""

from __future__ import annotations

import errno
import json
from pathlib import Path

from pipeline.errors import ModelUnavailable
from pipeline.rendering.checkpoints import HubPart

_TIMEOUT_S = 10
_WEIGHTLESS = ("Tokenizer", "Scheduler", "Processor", "Extractor")  # parts without weight files


def cached_folder(part: HubPart) -> Path | None:
    """Where a part lies on this machine; None when it was not downloaded, or not to its end."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(part.repo, revision=part.revision, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if _complete(folder) else None


def fetched(name: str, part: HubPart) -> Path:
    """The folder of a part, downloaded when it is not on this machine.

    Args:
        name: the model's name, for the sentence.

    Raises:
        ModelUnavailable: it is not here and the Hub cannot be reached, or refuses.
    """
    if folder := cached_folder(part):
        return folder
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return _downloaded(part)
    except HfHubHTTPError as error:
        said = error.server_message or str(error)
        raise ModelUnavailable(
            f"model '{name}' is not on this machine and the Hub refuses {part.repo}: {said}"
        ) from error
    except Exception as error:  # the client's transport errors are those of whichever HTTP library it uses
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise ModelUnavailable(f"model '{name}' does not fit on this disk; free some space") from error
        reason = "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else error
        raise ModelUnavailable(
            f"model '{name}' is not on this machine and the Hub cannot be reached ({reason}); "
            f"connect once to download {part.repo}, or choose model 'nano'"
        ) from error


def _downloaded(part: HubPart) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, snapshot_download

    # one question first, because the download itself retries for half a minute before it gives up
    index = "config.json" if "config.json" in part.patterns else "model_index.json"
    get_hf_file_metadata(hf_hub_url(part.repo, index, revision=part.revision), timeout=_TIMEOUT_S)
    return Path(snapshot_download(part.repo, revision=part.revision, allow_patterns=list(part.patterns)))


def _complete(folder: Path) -> bool:
    """Whether every part that has weights has them."""
    index = folder / "model_index.json"
    if not index.is_file():
        return any(folder.glob("*.safetensors"))
    parts = {
        name: entry[1]
        for name, entry in json.loads(index.read_text(encoding="utf-8")).items()
        if isinstance(entry, list) and entry[1] and not entry[1].rstrip("Fast").endswith(_WEIGHTLESS)
    }
    return all(any((folder / name).glob("*.safetensors")) for name in parts)
