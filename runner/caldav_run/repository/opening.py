"""What a reader was given to open a repository with, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from caldav_run.repository import bundles, keys
from caldav_run.repository.keys import Keyring
from caldav_run.repository.store import Store
from caldav_run.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Identity files or a passphrase, and whom to believe.

    Attributes:
        identities: Identity files.
        passphrase: Opens a bundle in the repository; taken where no identity file is named.
        asked: Like it, but only where the default identity file is missing too, and the
            repository has bundles: somebody may have to be asked.
        trust: Fingerprints of signers to believe besides those that the identities name.
    """

    identities: Sequence[Path] = ()
    passphrase: Secret | None = None
    asked: Secret | None = None
    trust: Sequence[str] = ()


def open_keyring(store: Store, means: Means) -> Keyring:
    """Return what opens a repository.

    Raises:
        ConnectorError: The store cannot be read.
        DamageError: The bundle that the passphrase is for is damaged.
        SetupError: There is no identity, or the passphrase is wrong.
    """
    default = keys.default_folder() / keys.IDENTITY
    passphrase = means.passphrase
    if passphrase is None and not means.identities and not default.exists():
        passphrase = means.asked if bundles.listed(store) else None
    if means.identities or passphrase is None:
        return keys.load_keyring(means.identities or (default,), means.trust)
    return keys.keyring_of(bundles.unlock_any(store, passphrase.reveal()), means.trust)
