"""An S3-compatible service on loopback, over TLS: whole objects, once; and what happens when something breaks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from delivery_house import House
from delivery_servers import S3Portal, certificates

from quorum.deliver import s3
from quorum.deliver.run import deliver
from quorum.errors import LedgerError, PolicyError

LARGE = "report.ja.html"
PERIODS = ("2026-11-21", "2026-11-22")


@pytest.fixture
def bucket(service: S3Portal) -> str:
    """A bucket of its own for a test; the service's records begin with it."""
    name = f"b-{uuid4().hex[:12]}"
    _client(service, name).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    service.requests.clear()
    service.answers.clear()
    return name


@pytest.fixture
def s3_house(house: House, service: S3Portal, bucket: str) -> House:
    house.set_targets({"info-a": service.target(bucket)})
    house.environ["QUORUM_LOGIN_A"] = "AKIATEST\nnot-a-real-one"
    return house


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files above 64 KiB travel in parts; the service, unlike Amazon's, allows parts so small if told."""
    monkeypatch.setattr("moto.settings.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(s3, "PART_BYTES", 64 << 10)
    return 5


def _client(service: S3Portal, bucket: str) -> object:
    from quorum.policy.targets import targets

    document = {"default": {"kind": "folder"}, "recipients": {"x": service.target(bucket)}}
    return s3._client(targets(document)["x"], "AKIATEST", "not-a-real-one")


def _objects(service: S3Portal, bucket: str) -> dict[str, bytes]:
    client = _client(service, bucket)
    listed = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {each["Key"]: client.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}


def _expected(house: House) -> dict[str, bytes]:
    return {f"in/sections/{p}/{name}": data for p in PERIODS for name, data in house.package("info-a", p).items()}


def _once(match: str, answer: tuple[int, str] | None, method: str = "PUT") -> Callable[..., object]:
    return lambda verb, key, query: answer if verb == method and match in f"{key}?{query}" else True


def test_a_package_arrives_whole_with_its_certificate_last(s3_house: House, service: S3Portal, bucket: str) -> None:
    outcomes = list(deliver(s3_house.delivery()))
    assert [o.status for o in outcomes] == ["delivered", "delivered"]
    written = [key.rsplit("/", 1)[1] for method, key, _ in service.requests if method == "PUT"]
    half = len(written) // 2
    assert (written[half - 1], written[-1]) == ("certificate.json", "certificate.json")
    assert set(service.puts().values()) == {1}
    assert _objects(service, bucket) == _expected(s3_house)


def test_what_has_a_receipt_is_not_sent_again_nor_asked_for(s3_house: House, service: S3Portal, bucket: str) -> None:
    list(deliver(s3_house.delivery()))
    service.requests.clear()
    assert list(deliver(s3_house.delivery())) == []
    assert service.requests == []


def test_what_lies_there_with_the_same_digest_is_not_sent_again(
    s3_house: House, service: S3Portal, bucket: str
) -> None:
    service.answers.append(_once("2026-11-21/certificate.json", (403, "AccessDenied")))
    assert [o.status for o in deliver(s3_house.delivery())] == ["failed", "waiting"]
    _client(service, bucket).put_object(Bucket=bucket, Key="in/sections/2026-11-21/datapackage.json", Body=b"changed")
    service.requests.clear()
    first = next(iter(deliver(s3_house.delivery())))
    assert (first.status, first.sent_n) == ("delivered", 2)
    assert _objects(service, bucket)["in/sections/2026-11-21/datapackage.json"] != b"changed"


@pytest.mark.usefixtures("in_parts")
def test_a_connection_that_is_cut_in_the_middle_of_a_large_file_goes_on_there(
    s3_house: House, service: S3Portal, bucket: str
) -> None:
    service.answers.append(_once("partNumber=3", None))
    outcomes = list(deliver(s3_house.delivery()))
    assert [o.status for o in outcomes] == ["delivered", "delivered"]
    assert s3_house.pauses == [1]
    first = f"in/sections/2026-11-21/{LARGE}"
    queries = [query for method, key, query in service.requests if method == "PUT" and key == f"{bucket}/{first}"]
    numbers = [int(query.split("partNumber=")[1].split("&")[0]) for query in queries]
    assert numbers == [1, 2, 3, 3, 4, 5]
    assert _objects(service, bucket) == _expected(s3_house)


@pytest.mark.usefixtures("in_parts")
def test_an_upload_of_other_bytes_is_given_up(s3_house: House, service: S3Portal, bucket: str) -> None:
    client, where = _client(service, bucket), {"Bucket": bucket, "Key": f"in/sections/2026-11-21/{LARGE}"}
    upload = client.create_multipart_upload(**where)["UploadId"]
    client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"other bytes")
    client.create_multipart_upload(**where)
    assert [o.status for o in deliver(s3_house.delivery())] == ["delivered", "delivered"]
    assert _objects(service, bucket) == _expected(s3_house)
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


@pytest.mark.parametrize(
    ("answer", "rule", "tries"),
    [
        ((403, "InvalidAccessKeyId"), "deliver.login", 1),
        ((403, "SignatureDoesNotMatch"), "deliver.login", 1),
        ((403, "AccessDenied"), "deliver.refused", 1),
        ((403, "RequestTimeTooSkewed"), "deliver.clock", 1),
        ((507, "InsufficientStorage"), "deliver.failed", 4),
        ((503, "SlowDown"), "deliver.failed", 4),
        (None, "deliver.failed", 4),
    ],
)
def test_each_fault_is_told_in_our_words_and_tried_again_only_if_it_may_pass(
    s3_house: House, service: S3Portal, bucket: str, answer: tuple[int, str] | None, rule: str, tries: int
) -> None:
    service.answers.extend(_once("in/sections", answer) for _ in range(tries))
    outcomes = list(deliver(s3_house.delivery()))
    assert [o.status for o in outcomes] == ["failed", "waiting"]
    error = outcomes[0].error
    assert error is not None
    assert error.rule == rule
    assert len(s3_house.pauses) == tries - 1
    for secret in ("AKIA", "not-a-real-one", bucket, "127.0.0.1"):
        assert secret not in str(error)
    assert _objects(service, bucket) == {}


def test_a_bucket_that_is_not_there_is_refused(s3_house: House, service: S3Portal) -> None:
    s3_house.set_targets({"info-a": service.target("no-such-bucket-here")})
    outcomes = list(deliver(s3_house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.refused"


@pytest.mark.clause("S-02")
def test_a_service_whose_certificate_is_not_trusted_gets_nothing(
    s3_house: House, service: S3Portal, bucket: str, tmp_path: Path
) -> None:
    settings = service.target(bucket)
    del settings["ca_file"]
    other, _ = certificates(tmp_path)
    for trusted in (settings, {**settings, "ca_file": str(other)}):
        s3_house.set_targets({"info-a": trusted})
        outcomes = list(deliver(s3_house.delivery()))
        assert isinstance(outcomes[0].error, PolicyError)
        assert outcomes[0].error.exit_code == 13
    assert service.requests == []
    assert s3_house.pauses == []


def test_the_machines_own_aws_settings_are_not_looked_at(
    s3_house: House, service: S3Portal, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = https://127.0.0.1:1\nregion = us-east-1\n", encoding="utf-8")
    for name, value in {
        "AWS_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "https://127.0.0.1:1",
        "AWS_CA_BUNDLE": str(config),
        "AWS_ACCESS_KEY_ID": "AKIAOTHER",
    }.items():
        monkeypatch.setenv(name, value)
    assert [o.status for o in deliver(s3_house.delivery())] == ["delivered", "delivered"]
    assert os.environ["AWS_PROFILE"] == "no-such-profile"
    assert _objects(service, bucket) == _expected(s3_house)


@pytest.mark.parametrize("secret", ["AKIATEST", "one two three", ""])
def test_a_login_that_is_no_access_key_is_refused(s3_house: House, secret: str) -> None:
    s3_house.environ["QUORUM_LOGIN_A"] = secret
    outcomes = list(deliver(s3_house.delivery()))
    assert isinstance(outcomes[0].error, LedgerError)
    assert outcomes[0].error.rule == "deliver.login"
