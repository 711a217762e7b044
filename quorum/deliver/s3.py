"""S3 and what is compatible with it: one attempt to bring files to a bucket, over TLS.

What belongs here: logging in, going on where an attempt ended, objects that appear only when they are whole. What does
not: trying again (`quorum.deliver.run`). The machine's own AWS profile, credentials and endpoints are not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quorum.deliver.faults import TransferError, refused, stranger
from quorum.deliver.logins import Secret, login_error
from quorum.deliver.parcel import Item
from quorum.errors import ConfigurationError, DeliveryError
from quorum.policy.targets import Target

PART_BYTES = 8 << 20
"""A larger file is sent in parts of this size."""
_DIGEST = "quorum-sha256"
_LOGIN = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AuthFailure")
_LATER = ("SlowDown", "RequestTimeout", "OperationAborted", "NoSuchUpload", "InvalidPart", "TooManyRequests")
_SERVER_ERROR = 500


def send(target: Target, secret: Secret, folder: str, items: Sequence[Item]) -> int:
    """Bring files to a bucket.

    Args:
        target: the service, the bucket and the path.
        secret: the access key and its secret.
        folder: below the target's path.
        items: the files, in the order in which they become visible.

    Returns:
        How many were sent; those that lay there whole were not.

    Raises:
        TransferError: the connection broke, or the service failed: worth another try.
        PolicyError: the service shows a certificate that is not trusted.
        LedgerError: the access key is none, or the service does not know it.
        DeliveryError: the service refuses: no bucket, no permission, or a clock that is wrong.

    Guarantee:
        An object appears only when all its bytes are there, and carries the digest of what was sent.
    """
    access_key, secret_key = secret.pair(target)
    with _faults(target):
        client = _client(target, access_key, secret_key)
        sent = 0
        for item in items:
            where = {"Bucket": target.bucket, "Key": "/".join([*target.path, folder, item.name])}
            if not _is_there(client, where, item):
                _put(client, where, item)
                sent += 1
        return sent


def _client(target: Target, access_key: str, secret_key: str) -> Any:
    """Return a client that takes nothing from the machine's own settings and does not try again by itself."""
    from botocore.config import Config
    from botocore.session import Session

    if target.ca_file and not Path(target.ca_file).is_file():
        raise ConfigurationError("recipients.file", f"the ca_file of {target.recipient_id} is missing", "a PEM file")
    session = Session(session_vars=dict.fromkeys(("profile", "config_file"), (None, None, None, None)))
    session.set_config_variable("credentials_file", None)
    return session.create_client(
        "s3",
        region_name=target.region,
        endpoint_url=f"https://{_in_brackets(target.host)}:{target.port}",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        verify=target.ca_file or True,
        config=Config(
            connect_timeout=20,
            read_timeout=120,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path", "payload_signing_enabled": True},
        ),
    )


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_there(client: Any, where: Mapping[str, str], item: Item) -> bool:
    """Say whether an object is what would be sent. One that may not be looked at is taken as missing."""
    from botocore.exceptions import ClientError

    try:
        head = client.head_object(**where)
    except ClientError as error:
        if _status(error) in (403, 404):
            return False
        raise
    return bool(head["ContentLength"] == len(item.data) and head["Metadata"].get(_DIGEST) == item.sha256)


def _put(client: Any, where: Mapping[str, str], item: Item) -> None:
    """Bring one file there, in parts if it is large."""
    labels = {_DIGEST: item.sha256}
    if len(item.data) <= PART_BYTES:
        client.put_object(**where, Body=item.data, Metadata=labels)
        return
    upload, there = _begun(client, where, item)
    if not upload:
        upload = client.create_multipart_upload(**where, Metadata=labels)["UploadId"]
    parts = []
    for n, part in enumerate(_parts(item.data), start=1):
        tag = there.get(n) or client.upload_part(**where, UploadId=upload, PartNumber=n, Body=part)["ETag"]
        parts.append({"PartNumber": n, "ETag": tag})
    client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    if not _is_there(client, where, item):
        raise TransferError("the service kept another object")


def _begun(client: Any, where: Mapping[str, str], item: Item) -> tuple[str, dict[int, str]]:
    """Return an upload of this file that was begun, and the tags of its parts; others of its name are given up.

    A part is one of this file if its tag is the MD5 of its bytes, as S3 tags parts.
    """
    from botocore.exceptions import ClientError

    expected = {n: hashlib.md5(part, usedforsecurity=False).hexdigest() for n, part in enumerate(_parts(item.data), 1)}
    try:
        listed = client.list_multipart_uploads(Bucket=where["Bucket"], Prefix=where["Key"]).get("Uploads", [])
    except ClientError as error:
        if _status(error) == 403:
            return "", {}
        raise
    found: tuple[str, dict[int, str]] = "", {}
    for upload in (each["UploadId"] for each in listed if each["Key"] == where["Key"]):
        parts = client.list_parts(**where, UploadId=upload).get("Parts", [])
        there = {each["PartNumber"]: each["ETag"] for each in parts}
        if not found[0] and there and all(tag.strip('"') == expected.get(n) for n, tag in there.items()):
            found = upload, there
        else:
            client.abort_multipart_upload(**where, UploadId=upload)
    return found


def _parts(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), PART_BYTES):
        yield data[start : start + PART_BYTES]


@contextmanager
def _faults(target: Target) -> Iterator[None]:
    """Turn the errors of the library into ours."""
    from botocore.exceptions import BotoCoreError, ClientError, SSLError

    try:
        yield
    except ClientError as error:
        raise _fault(target, str(error.response.get("Error", {}).get("Code")), _status(error)) from None
    except SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise stranger(target, "shows a certificate that is not trusted") from None
        raise TransferError("the connection failed") from None
    except (BotoCoreError, OSError):
        raise TransferError("the connection failed") from None


def _fault(target: Target, code: str, status: int) -> Exception:
    if code in _LOGIN:
        return login_error(target, "is not let in", "an access key that the service knows")
    if code == "RequestTimeTooSkewed":
        return DeliveryError(
            "deliver.clock", f"the {target.kind} service of {target.recipient_id} has another time", "", "set the clock"
        )
    if status >= _SERVER_ERROR or status == 429 or code in _LATER:
        return TransferError("the service failed")
    return refused(target, "refuses: no such bucket, or no permission to write")


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
