"""Passphrase bundles: identity files in the store, for whoever knows the passphrase."""

from collections.abc import Sequence
from typing import Final

from caldav_run.errors import CaldavRunError, DamageError, SetupError
from caldav_run.repository import age, names
from caldav_run.repository.broken import FormatError
from caldav_run.repository.envelope import check_name, sha256
from caldav_run.repository.keys import keyring_of
from caldav_run.repository.store import Store, Stored

# The store can be copied and guessed at for decades.
MIN_LENGTH: Final = 12
_MIN_CHARACTERS: Final = 5
_MAX_SIZE: Final = 1 << 20
# Each costs seconds to try.
_MAX_TRIED: Final = 8


def check_strength(passphrase: str) -> None:
    """Refuse a passphrase that is soon guessed.

    Raises:
        SetupError: It is; the reason says why.
    """
    reason = ""
    if not passphrase.strip():
        reason = "is empty"
    elif len(passphrase) < MIN_LENGTH:
        reason = f"has {len(passphrase)} characters, and {MIN_LENGTH} are the least"
    elif len(set(passphrase)) < _MIN_CHARACTERS:
        reason = f"has {len(set(passphrase))} different characters only"
    if reason:
        raise SetupError(
            f"the passphrase {reason}",
            mend="who has a copy of the store can guess for years: take six words at random",
        )


def listed(store: Store) -> list[Stored]:
    """Return the bundles in a store, the newest first."""
    found = (each for each in store.list(names.BUNDLES) if names.parse_bundle(each.name))
    return sorted(found, key=lambda each: (each.modified, each.name), reverse=True)


def opens_newest(store: Store, identities: Sequence[age.Identity]) -> bool:
    """Return whether an identity opens the newest run record; so it is where there is none."""
    records = [each.name for each in store.list(names.RUNS) if names.parse_run(each.name)]
    try:
        if records:
            age.unseal(store.get(records[-1]), identities)
    except age.NoMatchingKeyError:
        return False
    return True


def add(store: Store, text: str, passphrase: str) -> str:
    """Store the text of an identity file, and read it back.

    Returns:
        The bundle's name.

    Raises:
        SetupError: The passphrase is weak, or the text holds no identity.
        DamageError: The store gave back something else.
        ConnectorError: The store refused.
    """
    check_strength(passphrase)
    keyring_of({"the identity file": text})
    sealed = age.seal_with_passphrase(text.encode(), passphrase)
    name = names.bundle_name(sha256(sealed))
    store.put(name, sealed)
    if unlock(store, name, passphrase) != text:
        raise DamageError(f"{name} was stored and does not come back as it was")
    return name


def unlock(store: Store, name: str, passphrase: str) -> str | None:
    """Return the text of an identity file, or None where another passphrase opens it.

    Raises:
        DamageError: The bundle is missing, altered or no bundle.
        ConnectorError: The store cannot be read.
    """
    stored = store.get(name)
    check_name(name, stored)
    try:
        return age.unseal_with_passphrase(stored, passphrase).decode()
    except age.WrongPassphraseError:
        return None
    except ValueError as error:
        reason = error if isinstance(error, FormatError) else "it holds no text"
        raise DamageError(f"{name} is not used: {reason}") from error


def unlock_any(store: Store, passphrase: str) -> dict[str, str]:
    """Return the text of the newest bundle that a passphrase opens, under its place.

    Raises:
        SetupError: There is none, or the passphrase opens none of them.
        DamageError: It opens none, and one of them is damaged.
        ConnectorError: The store cannot be read.
    """
    damaged: list[CaldavRunError] = []
    found = listed(store)
    for bundle in found[:_MAX_TRIED]:
        try:
            text = _unlocked(store, bundle, passphrase)
        except DamageError as error:
            damaged.append(error)
        else:
            if text is not None:
                return {f"{bundle.name} in {store.location}": text}
    if damaged:
        raise damaged[0]
    if not found:
        raise SetupError(
            f"no key in {store.location} is protected by a passphrase",
            mend="name an identity file with --identity, or add one: caldav-run key passphrase",
        )
    raise SetupError(
        f"the passphrase opens none of the {len(found)} key bundles in {store.location}"
        if len(found) > 1
        else f"the passphrase does not open {found[0].name} in {store.location}",
        mend="mind capitals and the keyboard's language; an identity file opens it as well",
    )


def _unlocked(store: Store, bundle: Stored, passphrase: str) -> str | None:
    if bundle.size > _MAX_SIZE:
        raise DamageError(f"{bundle.name} is not used: no key bundle has {bundle.size} bytes")
    return unlock(store, bundle.name, passphrase)
