"""A thread for what takes seconds, beside those that people act through."""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import HTTPException

MOST_UNDER_WAY = 4
RETRY_SECONDS = 5

T = TypeVar("T")


class Lane:
    """Works out one question after the other."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"canary-api-{name}")
        self._under_way: dict[Hashable, asyncio.Future[Any]] = {}

    async def ask(self, question: Hashable, work: Callable[[], T]) -> T:
        """Who asks what is being worked out waits for the same answer.

        Raises: HTTPException 429 when too many questions are under way; each is until its end, though nobody may wait
        for it any more.
        """
        found = self._under_way.get(question)
        if found is None:
            if len(self._under_way) >= MOST_UNDER_WAY:
                later = {"retry-after": str(RETRY_SECONDS)}
                raise HTTPException(429, "as many such questions are under way as may: ask again later", later)
            found = asyncio.get_running_loop().run_in_executor(self._thread, work)
            self._under_way[question] = found
            found.add_done_callback(lambda _: self._under_way.pop(question))
        answer: T = await asyncio.shield(found)
        return answer

    def close(self) -> None:
        """No request is under way any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
