"""A collection that stays sorted while members come and go one by one. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

T = TypeVar("T")


class Ordered(Sequence[T], Generic[T]):
    """Sorted by (key, id); the id tells members apart. Finding a place is logarithmic; making room there
    moves 8 bytes a member, which is nothing for the tens of thousands that a hall can have."""

    def __init__(self) -> None:
        self._places: list[tuple[float, str]] = []
        self._members: list[T] = []

    def add(self, key: float, id_: str, member: T) -> None:
        at = bisect_left(self._places, (key, id_))
        self._places.insert(at, (key, id_))
        self._members.insert(at, member)

    def remove(self, key: float, id_: str) -> None:
        """Raises KeyError when it is not there under that key."""
        at = bisect_left(self._places, (key, id_))
        if at == len(self._places) or self._places[at] != (key, id_):
            raise KeyError(id_)
        del self._places[at], self._members[at]

    def until(self, key: float) -> Sequence[T]:
        """The members whose key is at most so large."""
        return self._members[: bisect_right(self._places, key, key=lambda place: place[0])]

    def clear(self) -> None:
        self._places.clear()
        self._members.clear()

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._members[index]
