"""What a stream has said so far, put together from its parts. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.messages import Delta, ToolCall, ToolCallDelta, Usage
from engine.providers.base import Answer, End, Finish, Part


@dataclass(slots=True)
class _Tool:
    """A tool call in pieces."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.arguments))


class Transcript:
    """Gathers the parts of one streamed answer.

    Args:
        first_tool: The index of its first tool call, for an answer that follows on another.
    """

    def __init__(self, first_tool: int = 0) -> None:
        self.first_tool = first_tool
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tools: dict[int, _Tool] = {}
        self.usage = Usage()
        self.finish_reason: str | None = None
        self.ended = False

    @property
    def is_finished(self) -> bool:
        """True once the model said why it stopped, or the protocol's terminator came."""
        return self.ended or self.finish_reason is not None

    @property
    def has_content(self) -> bool:
        """True once text or a tool call was delivered."""
        return bool(self._text or self._tools)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def next_tool(self) -> int:
        """An index that neither this answer's tool calls have nor those of the ones before."""
        return max(self._tools, default=self.first_tool - 1) + 1

    def note(self, part: Part) -> None:
        """Takes in a part that is no delta, as soon as it arrives."""
        match part:
            case Finish(reason):
                self.finish_reason = reason
            case Usage(sent, received):
                # Protocols give the two counts at different times; the later word wins.
                old = self.usage
                self.usage = Usage(
                    old.input_tokens if sent is None else sent,
                    old.output_tokens if received is None else received,
                )
            case End():
                self.ended = True
            case Delta():
                pass

    def deliver(self, delta: Delta) -> None:
        """Takes in a delta that goes to the caller now."""
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if delta.tool_call is not None:
            self._deliver_tool(delta.tool_call)

    def _deliver_tool(self, piece: ToolCallDelta) -> None:
        tool = self._tools.setdefault(piece.index, _Tool())
        tool.id = tool.id or piece.id
        tool.name = tool.name or piece.name
        tool.arguments.append(piece.arguments)

    def answer(self) -> Answer:
        """The answer as far as it goes."""
        return Answer(
            self.text,
            self.finish_reason or "",
            self.usage,
            tuple(self._tools[index].whole() for index in sorted(self._tools)),
            "".join(self._reasoning),
        )
