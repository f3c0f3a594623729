"""What a function of bentoctl finds without importing anything; bentoctl-functions(7) explains it.

Put this file beside a function's source for an editor or a type checker, and `from bento import api` under
`if typing.TYPE_CHECKING:`.
"""

from typing import Protocol, Union

_Data = Union[str, bytes, bytearray, memoryview]

class _Api(Protocol):
    def send(self, data: Union[_Data, None]) -> int:
        """Sends one output to who has the function open, text as UTF-8, and returns len(data).

        Nothing is sent where data is empty or None. Waits while 1 MiB is unread. Raises TypeError for what is neither
        text nor bytes.
        """

    def recv(self) -> bytes:
        """Waits for one input and returns it. Raises EOFError where none can come any more."""

    def poll(self) -> bool:
        """Whether recv() would return at once. Never waits."""

class _Module(_Api, Protocol):
    api: _Api

api: _Api
bentoapi: _Module
