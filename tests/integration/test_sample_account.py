import base64
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from caldav_run.ical.canonical import digest
from caldav_run.testing.sample import make, sample_account, sample_changes, upload
from caldav_run.testing.servers import Server, embedded_radicale

TODAY = date(2026, 5, 6)


def get(server: Server, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection(urlsplit(server.url).netloc)
    connection.request("GET", server.home + path, headers=authorization(server))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def authorization(server: Server) -> dict[str, str]:
    pair = base64.b64encode(f"{server.username}:{server.password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def test_radicale_takes_the_sample_account_and_its_changes(tmp_path: Path) -> None:
    account = sample_account(TODAY)
    with embedded_radicale(tmp_path) as server:
        upload(server, account)
        different = [
            f"{each.calendar.id}/{href}"
            for each in account
            for href, body in each.items
            if digest(get(server, f"{each.calendar.id}/{href}")[1]) != digest(body)
        ]
        for change in sample_changes(TODAY):
            make(server, change)
            status, body = get(server, f"{change.calendar}/{change.href}")
            if change.body is None:
                assert status == 404
            else:
                assert digest(body) == digest(change.body)
    assert different == []
