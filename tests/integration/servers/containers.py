"""Containers for servers: images made once for each state of their folder, nothing left behind."""

import contextlib
import gc
import hashlib
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from docker import DockerClient
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer, ExecConfig
from testcontainers.core.image import DockerImage
from tests.integration.servers.description import Built, Container, Pulled

IMAGES: Final = Path(__file__).with_name("images")
_MAIL_SINK: Final = "/var/log/mail.sink"
_LISTENER: Final = "smtpsink.pl"
_KNOCK_LIMIT_S: Final = 60


class NoEngineError(Exception):
    """No container engine answers."""


class NoImageError(Exception):
    """An official image is neither here nor to be had."""


@dataclass(frozen=True, slots=True)
class Started:
    """A container that runs.

    Attributes:
        url: Where its port is reached, with a final slash.
        container: The container itself.
    """

    url: str
    container: DockerContainer

    def mail(self) -> str:
        """Return what its mail sink has logged."""
        return self.run("cat", _MAIL_SINK)

    def listen_for_mail(self) -> None:
        """Have a mail sink at its port 25, where its image has none."""
        place = f"/tmp/{_LISTENER}"  # noqa: S108 - the container's own
        self.container.copy_into_container(IMAGES / "shared" / _LISTENER, place)
        self.run("sh", "-c", f": >>{_MAIL_SINK}; perl {place} </dev/null >/dev/null 2>&1 &")

    def run(self, *command: str, user: str = "root") -> str:
        """Run a command in it and return what that printed."""
        with warnings.catch_warnings():
            # The SDK leaves the socket that a command's output comes through to the collector.
            warnings.simplefilter("ignore", ResourceWarning)
            outcome = self.container.exec(ExecConfig(list(command), user=user))
            gc.collect()
        text = bytes(outcome.output).decode("utf-8", "replace")
        assert outcome.exit_code == 0, f"{command}: {text}"
        return text

    def log(self) -> str:
        """Return what it has printed so far."""
        out, err = self.container.get_logs()
        return (out + err).decode("utf-8", "replace")


@contextlib.contextmanager
def started(container: Container, environment: Mapping[str, str]) -> Iterator[Started]:
    """Run a container until the context ends, however it ends.

    Raises:
        NoEngineError: No container engine answers.
        NoImageError: Its official image is neither here nor to be had.
    """
    _require_engine()
    # The clean-up container is one more image to pull, and the block below cleans up.
    testcontainers_config.ryuk_disabled = True
    options: dict[str, Any] = {
        # Nothing may be looked up: one server waits ten seconds for an answer at every request.
        "dns": ["127.0.0.1"],
        **({"hostname": container.hostname} if container.hostname else {}),
    }
    made = DockerContainer(_image(container.image), env=dict(environment), **options)
    # Its own way to say so would publish the port to the whole network.
    cast("dict[str, object]", made.ports)[str(container.port)] = ("127.0.0.1", None)
    try:
        with made:
            yield Started(f"http://127.0.0.1:{made.get_exposed_port(container.port)}/", made)
    finally:
        made.get_docker_client().client.close()


def _require_engine() -> None:
    # In a process of its own: the SDK leaves a socket open where nobody answers.
    knock = subprocess.run(
        [sys.executable, "-c", "import docker; docker.from_env().ping()"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_KNOCK_LIMIT_S,
        check=False,
    )
    if knock.returncode:
        raise NoEngineError(f"no container engine answers: {knock.stderr.splitlines()[-1]}")


def _image(image: Built | Pulled) -> str:
    with contextlib.closing(DockerClient.from_env()) as client:
        if isinstance(image, Built):
            return _made(client, image)
        if not _is_here(client, image.tag):
            try:
                client.images.pull(image.tag)
            except DockerException as error:
                raise NoImageError(
                    f"the image {image.tag} is not here and cannot be pulled: {error}"
                ) from error
        return image.tag


def _made(client: DockerClient, image: Built) -> str:
    """Return the tag of an image of this state of its folder, made now where there is none."""
    tag = f"caldav-run-test-{image.folder}:{image.debian}-{_state(image.folder)}"
    if not _is_here(client, tag):
        made = DockerImage(
            IMAGES,
            tag=tag,
            clean_up=False,
            dockerfile_path=f"{image.folder}/Dockerfile",
            buildargs={"DEBIAN": image.debian},
            rm=True,
        )
        try:
            made.build()
        finally:
            made.remove()  # closes the connection only: it is not to clean up
    return tag


def _state(folder: str) -> str:
    digest = hashlib.sha256()
    for path in sorted(each for part in (folder, "shared") for each in (IMAGES / part).iterdir()):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(IMAGES)} {len(body)}\n".encode() + body)
    return digest.hexdigest()[:12]


def _is_here(client: DockerClient, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True
