"""Fetch whole models from the hub."""

from __future__ import annotations

import logging
from pathlib import Path

from reflector.errors import ModelRefused, ModelUnavailable, OutOfSpace, is_out_of_space
from reflector.runtime.settings import Settings
from reflector.speech.known import verify_fetched

log = logging.getLogger(__name__)

ETAG_SECONDS = 60.0


def fetch_snapshot(settings: Settings, name: str, target: Path) -> None:
    """Fetch all files of `owner/model` to `target`, except those that are there already.

    Raises ModelRefused if the hub denies access, ModelUnavailable if the model cannot be fetched
    now, and OutOfSpace if the disk is full.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    token = settings.HF_TOKEN.get_secret_value() if settings.HF_TOKEN else None
    log.info("fetching %s to %s", name, target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        snapshot_download(name, local_dir=target, token=token, etag_timeout=ETAG_SECONDS)
    except GatedRepoError as error:
        raise ModelRefused(
            f"The licence of {name} was not accepted by whom HF_TOKEN belongs to.",
            f"Accept it on the page of {name} on the hub.",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelRefused(
            f"There is no model {name} on the hub, or HF_TOKEN may not see it."
        ) from error
    except Exception as error:
        if is_out_of_space(error):
            raise OutOfSpace(f"There is no room in {target.parent} for {name}.") from error
        log.debug("fetching %s failed", name, exc_info=True)
        raise ModelUnavailable(
            f"The model {name} is not on this machine and could not be fetched.",
            "Connect the machine, or import the model: `reflector models import FOLDER`.",
        ) from error
    verify_fetched(name, target)
