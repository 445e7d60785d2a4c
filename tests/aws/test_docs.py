"""What anyone may read, and the console's door."""

import gzip
import io
import re
import zipfile

from api import Caller
from stack import Stack

BROWSER = {"Accept": "text/html", "Accept-Language": "fr"}


def test_the_documentation_is_for_anyone(stack: Stack) -> None:
    anyone = Caller(stack, None, 0)
    for path, expected in [
        ("/docs", "compteurs"),
        ("/docs/customers", "external_id"),
        ("/en/docs/meters", "serial_number"),
        ("/docs/errors/range", "range"),
        ("/docs/api", "swagger"),
    ]:
        page = anyone.call("GET", path, headers=BROWSER)
        assert page.status == 200, page.data
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert expected in page.data.decode().lower()
    assert anyone.call("GET", "/docs/nothing", headers=BROWSER).status == 404


def test_the_interface_is_described_at_its_own_address(stack: Stack) -> None:
    document = Caller(stack, None, 0).get("/openapi.json").expect(200)
    assert document["openapi"].startswith("3.1")
    assert "/v1/jobs" in document["paths"]


def test_files_of_bytes_arrive_whole(stack: Stack) -> None:
    workbook = Caller(stack, None, 0).get("/docs/customers/example.xlsx")
    assert workbook.status == 200
    assert "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(workbook.data)).namelist()
    page = Caller(stack, None, 0).call("GET", "/console", headers=BROWSER)
    address = re.search(r'"(/docs/assets/[0-9a-f]+/console\.js)"', page.data.decode())
    assert address
    script = Caller(stack, None, 0).call(
        "GET", address[1], headers={"Accept-Encoding": "gzip"}, decode_content=False
    )
    assert script.headers["content-encoding"] == "gzip"
    assert b"use strict" in gzip.decompress(script.data)


def test_the_console_asks_who_comes(stack: Stack) -> None:
    page = Caller(stack, None, 0).call("GET", "/fr/console/jobs", headers=BROWSER)
    assert page.status == 401
    assert 'name="token"' in page.data.decode()
    foreign = Caller(stack, None, 0).call(
        "POST", "/console/sign-out", headers=BROWSER | {"Origin": "https://elsewhere.example"}, body=b""
    )
    assert foreign.status == 403
