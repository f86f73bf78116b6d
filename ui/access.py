"""Who may do what: every handler declares a capability, and one table gives the least role for each.

A handler without a declaration is refused: assembling the app fails (`check_declared`), and so does a call of it
(`StudioBlocks`). So the API is as closed as the pages.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.context import LocalContext

from pipeline.domain.people import Role
from pipeline.errors import InvalidRequest, StudioError
from ui.components.html import note_html
from ui.errors import AT_ONCE, add_refusal_line, answer_updates, refused_call, sentence_of
from ui.session import VISITOR, Answer, reviewer_of
from ui.visitors import refusal

if TYPE_CHECKING:
    from pipeline.studio import Studio

Handler = Callable[..., Any]


class Capability(StrEnum):
    """What a handler lets a person do; the value completes the sentence "NAME may not …"."""

    LOOK = "look around"
    TRY = "generate images"  # how many, and by which model: ui.visitors
    REVIEW = "decide"
    KEEP = "keep images"
    PLAN = "plan recipes"
    TEACH = "train the auto-reviewer"
    SETTLE = "decide for others"
    IMPORT = "import photos"
    EDIT_MASKS = "change masks"
    GENERATE = "start or stop runs"
    PUBLISH = "publish"
    TRAIN = "start or stop studies"


LEAST_ROLE: Mapping[Capability, Role] = MappingProxyType(
    {
        Capability.LOOK: Role.READER,
        Capability.TRY: Role.READER,
        Capability.REVIEW: Role.REVIEWER,
        Capability.KEEP: Role.REVIEWER,
        Capability.PLAN: Role.REVIEWER,
        Capability.TEACH: Role.REVIEWER,
        Capability.SETTLE: Role.LEAD,
        Capability.IMPORT: Role.LEAD,
        Capability.EDIT_MASKS: Role.LEAD,
        Capability.GENERATE: Role.LEAD,
        Capability.PUBLISH: Role.LEAD,
        Capability.TRAIN: Role.LEAD,
    }
)
_RANKS = list(Role)  # from reader to lead
_DECLARED = "capability"  # the attribute of a handler that holds its capability
_LINE = "refusal_line"  # the attribute of a handler that holds a line of its own for refusals
_OF_GRADIO = frozenset({"gradio.components.login_button"})  # Gradio's own: reads the session only
_TEXT_LENGTH = 20_000  # characters of one text; more is no prompt, name or comment
_RECIPE_LENGTH = 1_000_000  # of a recipe, whose own loader has further limits
_RECIPES = frozenset({Capability.PLAN, Capability.GENERATE})


class UndeclaredHandler(Exception):
    """A handler was registered without a capability: our own mistake, found when the app is assembled."""


def may(studio: Studio, request: object, capability: Capability) -> bool:
    """Whether the person who asks has a capability. At home everybody has every one."""
    if not studio.settings.hosted:
        return True
    role = studio.review.roles.role(reviewer_of(studio, request))
    return _RANKS.index(role) >= _RANKS.index(LEAST_ROLE[capability])


def handler(
    studio: Studio, capability: Capability, *, line: gr.HTML | None = None
) -> Callable[[Handler], Handler]:
    """Decorate an event listener, a function or a generator: declare its capability, refuse people who lack it, limit
    texts.

    Args:
        line: an output that shows why the listener refused; by default the line of the page does, see `StudioBlocks`.
    """

    def check(values: Iterable[object]) -> None:
        _refuse(studio, LocalContext.request.get(None), capability)
        _bound(values, capability)

    def guarded(listener: Handler) -> Handler:
        if inspect.isgeneratorfunction(listener):

            @wraps(listener)
            def stream(*values: Any, **named: Any) -> Iterator[Any]:
                check(values)
                yield from listener(*values, **named)

            return _declared(stream, capability, line)

        @wraps(listener)
        def answer(*values: Any, **named: Any) -> Any:
            check(values)
            return listener(*values, **named)

        return _declared(answer, capability, line)

    return guarded


def server_function(
    studio: Studio,
    capability: Capability,
    function: Callable[..., Answer],
    refused: Callable[[object, str], Answer] | None = None,
) -> Callable[..., Answer]:
    """Declare the capability of a component's server function.

    Args:
        function: takes the browser's question and, if it has a parameter `request`, the request.
        refused: builds the answer to a refused question from the question and the sentence; by default a `problem`.
    """

    def answer(question: object = None, request: gr.Request | None = None) -> Answer:
        try:
            _refuse(studio, request, capability)
            _bound([question], capability)
        except StudioError as error:
            return refused(question, str(error)) if refused else {"problem": str(error)}
        try:
            return function(question, request) if takes_request else function(question)
        except Exception as error:  # the browser would read an exception as an empty answer
            sentence = sentence_of(error, function)
            return refused(question, sentence) if refused else {"problem": sentence}

    takes_request = "request" in inspect.signature(function).parameters
    answer.__name__, answer.__qualname__ = function.__name__, function.__qualname__
    answer.__doc__ = function.__doc__
    return _declared(answer, capability)


def capability_of(handler: object) -> Capability | None:
    """The capability that a handler declares; None where it declares none."""
    declared = getattr(handler, _DECLARED, None)
    if declared is None and getattr(handler, "__module__", "") in _OF_GRADIO:
        return Capability.LOOK
    return declared if isinstance(declared, Capability) else None


def server_functions_of(block: object) -> dict[str, Handler]:
    """The server functions of a component by name, including Gradio's own."""
    functions = {
        name: getattr(block, name, None) for name in [*dir(type(block)), *getattr(block, "__dict__", ())]
    }
    return {
        name: function
        for name, function in functions.items()
        if callable(function) and getattr(function, "_is_server_fn", False)
    }


def check_declared(app: gr.Blocks) -> None:
    """Refuse an app in which a listener or a server function declares no capability, or a listener has no line.

    Raises:
        UndeclaredHandler: names it.
    """
    listeners = [event.fn for event in app.fns.values() if event.fn is not None]
    functions = [
        function for block in app.blocks.values() for function in server_functions_of(block).values()
    ]
    for function in [*listeners, *functions]:
        if capability_of(function) is None:
            name = getattr(function, "__qualname__", repr(function))
            raise UndeclaredHandler(f"{name} declares no capability; wrap it in ui.access.handler")
    lines = app.refusal_lines if isinstance(app, StudioBlocks) else {}
    for number, event in app.fns.items():
        if event.fn is not None and number not in lines:
            name = getattr(event.fn, "__qualname__", repr(event.fn))
            raise UndeclaredHandler(
                f"{name} has no line for refusals; give add_refusal_lines one for its page"
            )


class StudioBlocks(gr.Blocks):
    """Blocks that call declared handlers only, and the error boundary around each of them.

    What a handler refuses, and a fault of ours, become one sentence in the line of the page; all outputs stay as they
    are.
    """

    def __init__(self, **options: Any) -> None:
        self.refusal_lines: dict[int, gr.HTML] = {}  # by the number of the handler
        super().__init__(**options)

    def add_refusal_lines(self, lines: Mapping[str, gr.HTML]) -> None:
        """Give each handler the line of its page; `lines` holds one for each path of a page."""
        for number, block_fn in self.fns.items():
            if block_fn.fn is not None and block_fn.page in lines:
                self.refusal_lines[number] = lines[block_fn.page]
                add_refusal_line(block_fn, lines[block_fn.page])

    async def call_function(
        self,
        block_fn: Any,
        processed_input: list[Any],
        iterator: Any = None,
        requests: Any = None,
        event_id: str | None = None,
        *values: Any,
        **named: Any,
    ) -> Any:
        """Call a handler that declares a capability; turn what it raises into a sentence.

        Raises:
            gr.Error: the call is none that a page makes.
        """
        called = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        events = [value for value in (*values, *named.values()) if isinstance(value, gr.EventData)]
        _refuse_foreign_call(called, events)
        try:
            result = await super().call_function(
                block_fn, processed_input, iterator, requests, event_id, *values, **named
            )
        except gr.Error:
            raise
        except Exception as error:
            sentence = sentence_of(error, called.fn)
            past_the_queue = called.queue and event_id is None  # no page does that
            if past_the_queue or called._id not in self.refusal_lines:
                raise gr.Error(escape(sentence, quote=False), print_exception=False) from error
            return refused_call(called, sentence, getattr(called.fn, _LINE, None))
        finished = called.types_generator and result["iterator"] is None
        if called._id in self.refusal_lines and not finished:
            trigger = next((event.target for event in events), None)
            result["prediction"] = answer_updates(called, result["prediction"], trigger)
        return result

    async def preprocess_data(self, *values: Any, **named: Any) -> Any:
        """Turn what the browser sent into values; refuse a wrong type, and a file that is not an upload."""
        try:
            return await super().preprocess_data(*values, **named)
        except Exception as error:  # Gradio raises whatever its components run into, paths in its sentences
            raise gr.Error("a value of the form cannot be read", print_exception=False) from error


def build_hint(page: gr.Blocks, studio: Studio, capability: Capability, *, elem_id: str) -> None:
    """On a Space, show before anything is pressed that one must sign in, or that only leads may do this."""
    if not studio.settings.hosted:
        return
    line = gr.HTML(elem_id=elem_id)

    @handler(studio, Capability.LOOK)
    def hinted(request: gr.Request) -> str:
        if may(studio, request, capability):
            return ""
        visits = reviewer_of(studio, request) == VISITOR
        until = f"Sign in to {capability}; until then you can only look."
        return note_html([until if visits else f"Only {LEAST_ROLE[capability]}s may {capability} here."])

    page.load(hinted, None, line, **AT_ONCE)


def _refuse_foreign_call(called: Any, events: Sequence[gr.EventData]) -> None:
    """Refuse an event without data and a function that declares no capability."""
    keys = _event_keys(called.fn)
    if keys is not None and not all(
        isinstance(event._data, dict) and keys <= event._data.keys() for event in events
    ):
        raise gr.Error("the event carries no data", print_exception=False)
    if called.fn is not None and capability_of(called.fn) is None:
        raise gr.Error("this function declares no capability, so nobody may call it", print_exception=False)


def _event_keys(listener: object) -> set[str] | None:
    """The keys that Gradio reads from the event for a listener; None where the listener takes no event."""
    kinds = " ".join(map(str, getattr(listener, "__annotations__", {}).values()))
    if "SelectData" in kinds:
        return {"index", "value"}
    return set() if "EventData" in kinds else None


def _declared(function: Handler, capability: Capability, line: gr.HTML | None = None) -> Handler:
    vars(function)[_DECLARED] = capability
    vars(function)[_LINE] = line
    return function


def _refuse(studio: Studio, request: object, capability: Capability) -> None:
    if not may(studio, request, capability):
        raise refusal(reviewer_of(studio, request), capability)


def _bound(values: Iterable[object], capability: Capability) -> None:
    """Refuse texts that are too long."""
    most = _RECIPE_LENGTH if capability in _RECIPES else _TEXT_LENGTH
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, str) and len(value) > most:
            raise InvalidRequest(f"a text has {len(value):,} characters; at most {most:,} are read")
        if isinstance(value, Mapping):
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value
