"""What is uploaded to the emulator: places that are signed and expire, and the files that were put there."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from attrs import define, field, frozen

from seedance_async.core.frozen import is_mapping
from seedance_async.core.media_types import CONTENT_TYPES, extension_of

#: Uploads are deleted after 24 hours (contract, section 10).
KEPT_FOR: Final = 86_400.0
#: Seconds for which a place takes bytes, as one client saw it (contract, section 10).
PLACE_LASTS: Final = 900.0


@define
class Upload:
    """One place, and what was put there.

    Attributes:
        name: The last part of its URL.
        content_type: What the PUT must call it.
        asked_at: World time at which the place was given out.
        put_at: World time at which the bytes came; None before.
        size: Bytes that came.
        sha256: Their digest in hex.
        content: The bytes; None where they were too many to keep.
    """

    name: str
    content_type: str
    asked_at: float
    put_at: float | None = None
    size: int = 0
    sha256: str = ""
    content: bytes | None = field(default=None, repr=False)


@frozen
class Refusal:
    """Why a PUT is refused."""

    status: int
    message: str


@define(eq=False)
class Depot:
    """Every upload of one emulator. All times are world times.

    Attributes:
        kept_for: Seconds for which an upload can be fetched, from its place on.
        place_lasts: Seconds for which a place takes bytes.
        largest: Bytes that a file may have; None for no limit, as the service has none.
        keep_bytes: Bytes of all uploads together that are kept to be served; older ones are known and not served.
        uploads: By name, the oldest first.
        leaked: PUTs that carried a key.
    """

    secret: bytes = field(repr=False)
    kept_for: float = KEPT_FOR
    place_lasts: float = PLACE_LASTS
    largest: int | None = None
    keep_bytes: int = 64 * 2**20
    uploads: dict[str, Upload] = field(init=False, factory=dict[str, Upload])
    asked: int = field(init=False, default=0)
    leaked: int = field(init=False, default=0)

    def place(self, body: object, root: str, now: float) -> Mapping[str, Any] | None:
        """Give out a place; None for a body that asks for none.

        Args:
            body: What was sent.
            root: Scheme and host as the client sees them.
            now: World time.
        """
        name = body.get("fileName") if is_mapping(body) else None
        if not isinstance(name, str) or not name or "/" in name:
            return None
        self.asked += 1
        extension = extension_of(name)
        content_type = CONTENT_TYPES.get(extension, "application/octet-stream")
        upload = Upload(f"{self.asked}-{self._sign(str(self.asked), name)[:16]}{extension}", content_type, now)
        self.uploads[upload.name] = upload
        query = urlencode({"issued": f"{now:.3f}", "signature": self._sign(upload.name, f"{now:.3f}")})
        return {
            "uploadUrl": f"{root}/storage/{upload.name}?{query}",
            "url": f"{root}/temp-uploads/{upload.name}",
            "path": f"temp-uploads/{upload.name}",
            "method": "PUT",
            "contentType": content_type,
            "expiresIn": int(self.place_lasts),
            "assetTtlSeconds": int(self.kept_for),
        }

    def refusal(
        self, name: str, query: Mapping[str, str], headers: Mapping[str, str], now: float, lasts: float | None = None
    ) -> Refusal | None:
        """Say why a PUT is refused before its body is read; None where it is not.

        Args:
            name: The last part of its address.
            query: The query of its address.
            headers: Its headers.
            now: World time.
            lasts: Seconds for which a place takes bytes, instead of `place_lasts`.
        """
        upload, issued = self.uploads.get(name), query.get("issued", "")
        if "Authorization" in headers:
            self.leaked += 1
            return Refusal(400, "Only one auth mechanism allowed; the API key must not be sent here")
        if upload is None or not hmac.compare_digest(query.get("signature", ""), self._sign(name, issued)):
            return Refusal(403, "SignatureDoesNotMatch")
        if now - float(issued) > (self.place_lasts if lasts is None else lasts):
            return Refusal(403, "Request has expired")
        if headers.get("Content-Type") != upload.content_type:
            return Refusal(403, "SignatureDoesNotMatch: Content-Type")
        length = headers.get("Content-Length", "")
        if not length.isdigit():
            return Refusal(411, "MissingContentLength")
        if self.largest is not None and int(length) > self.largest:
            return Refusal(413, "EntityTooLarge")
        return None

    def put(self, name: str, content: bytes | None, size: int, sha256: str, now: float) -> None:
        """Keep what was put to a place."""
        upload = self.uploads[name]
        upload.put_at, upload.size, upload.sha256 = now, size, sha256
        upload.content = content if content is not None and size <= self.keep_bytes else None
        kept = sum(other.size for other in self.uploads.values() if other.content is not None)
        for other in self.uploads.values():
            if kept <= self.keep_bytes:
                break
            if other.content is not None and other is not upload:
                kept -= other.size
                other.content = None

    def find(self, name: str, now: float) -> Upload | None:
        """Return an upload that is there now."""
        upload = self.uploads.get(name)
        if upload is None or upload.put_at is None or now - upload.asked_at > self.kept_for:
            return None
        return upload

    def stored(self) -> tuple[Upload, ...]:
        """Return everything that was put, the oldest place first."""
        return tuple(upload for upload in self.uploads.values() if upload.put_at is not None)

    def _sign(self, name: str, issued: str) -> str:
        return hmac.new(self.secret, f"upload\n{name}\n{issued}".encode(), hashlib.sha256).hexdigest()
