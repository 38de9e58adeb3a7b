"""Things that workers of a Ray cluster hold between questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tamis.engine.base import WorkerError
from tamis.engine.ray_session import plain_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_LIVES = 5


class RayHolders:
    """One actor for each argument; each holds what was made of it.

    An argument lies in Ray's object store on this machine (on its disk where memory is short), so that what is lost
    with a node is made anew on another.

    Args:
        ray: the module, connected.
        make: makes of an argument what answers questions; runs in the worker.
        arguments: one for each actor; taken one after the other.
    """

    def __init__(
        self,
        ray: Any,  # noqa: ANN401 (a module, maybe not installed)
        make: Callable[[Any], Callable[[Any], Any]],
        arguments: Iterable[Any],
    ) -> None:
        self._ray = ray
        self._make = make
        # Without a number of processors an actor needs one to start and none to stay, so that one that is lost
        # finds a place on the nodes that are left.
        self._kind = ray.remote(max_restarts=0, scheduling_strategy="SPREAD")(_Holder)
        self._arguments = [ray.put(argument) for argument in arguments]
        self._actors = [self._started(argument) for argument in self._arguments]
        self._n_lost = [0] * len(self._actors)

    def __len__(self) -> int:
        return len(self._actors)

    def ask(self, questions: Sequence[Any]) -> list[Any]:
        """Ask all at once.

        Args:
            questions: one for each; `None` asks nothing.

        Returns:
            The answers; `None` where nothing was asked, and where the holder was lost and made anew: it remembers
            nothing of what it was asked before.

        Raises:
            WorkerError: when one is lost again and again.
        """
        asked = [
            None if question is None else actor.ask.remote(question)
            for actor, question in zip(self._actors, questions, strict=True)
        ]
        return [None if answer is None else self._answer(number, answer) for number, answer in enumerate(asked)]

    def close(self) -> None:
        """End all actors."""
        for actor in self._actors:
            self._ray.kill(actor)
        self._actors, self._arguments = [], []

    def _started(self, argument: Any) -> Any:  # noqa: ANN401 (a handle of Ray)
        return self._kind.remote(self._make, argument)

    def _answer(self, number: int, answer: Any) -> Any:  # noqa: ANN401 (what the holder says)
        errors = self._ray.exceptions
        try:
            with plain_errors(self._ray):
                return self._ray.get(answer)
        except WorkerError as error:
            if not isinstance(error.__cause__, errors.RayActorError | errors.ObjectLostError):
                raise
            self._n_lost[number] += 1
            if self._n_lost[number] >= _LIVES:
                raise
        self._ray.kill(self._actors[number])
        self._actors[number] = self._started(self._arguments[number])
        return None


class _Holder:
    """The actor."""

    def __init__(self, make: Callable[[Any], Callable[[Any], Any]], argument: Any) -> None:  # noqa: ANN401
        self._answer = make(argument)

    def ask(self, question: Any) -> Any:  # noqa: ANN401 (what the holder says)
        return self._answer(question)
