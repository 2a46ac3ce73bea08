"""standby's engine: fallback chains of models that keep answering when a provider goes down.

    async with Engine(load_config("config.yaml")) as engine:
        reply = await engine.complete("support", "Why is the sky blue?")

Everything public is a name of this package. Each is imported from its module when it is first used
(PEP 562), so that a program pays for what it needs only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Not lazily: once its module of the same name is loaded, the package's attribute would be the module.
from engine.classify import classify as classify

if TYPE_CHECKING:
    from engine.blocking import (
        BlockingEngine as BlockingEngine,
    )
    from engine.blocking_stream import (
        BlockingStream as BlockingStream,
    )
    from engine.classify import (
        is_transient as is_transient,
    )
    from engine.config.load import (
        find_config as find_config,
        load_config as load_config,
        parse_config as parse_config,
        sample_path as sample_path,
        user_config_path as user_config_path,
    )
    from engine.config.model import (
        ChainConfig as ChainConfig,
        Config as Config,
        Dashboard as Dashboard,
        Fails as Fails,
        Incident as Incident,
        KeySource as KeySource,
        ModelConfig as ModelConfig,
        Owner as Owner,
        ProviderConfig as ProviderConfig,
        SimulatedModel as SimulatedModel,
        Traffic as Traffic,
    )
    from engine.controls import (
        LONGEST_BY as LONGEST_BY,
        LONGEST_REASON as LONGEST_REASON,
    )
    from engine.durations import (
        format_duration as format_duration,
        parse_duration as parse_duration,
    )
    from engine.engine import (
        Engine as Engine,
    )
    from engine.errors import (
        AllBenched as AllBenched,
        AuthDeadError as AuthDeadError,
        ChainExhausted as ChainExhausted,
        ConfigError as ConfigError,
        DeadlineExceeded as DeadlineExceeded,
        Failure as Failure,
        Fault as Fault,
        NoUsableModel as NoUsableModel,
        RequestError as RequestError,
        StandbyError as StandbyError,
        StreamInterrupted as StreamInterrupted,
        TransientError as TransientError,
        UnknownTarget as UnknownTarget,
        UnknownUpstreamError as UnknownUpstreamError,
        UpstreamError as UpstreamError,
    )
    from engine.events import (
        AttemptCancelled as AttemptCancelled,
        AttemptFailed as AttemptFailed,
        AttemptFirstToken as AttemptFirstToken,
        AttemptStarted as AttemptStarted,
        AttemptSucceeded as AttemptSucceeded,
        ConfigRejected as ConfigRejected,
        ConfigReloaded as ConfigReloaded,
        Event as Event,
        FeedDropped as FeedDropped,
        KeyBenched as KeyBenched,
        KeyUnbenched as KeyUnbenched,
        ModelBenched as ModelBenched,
        ModelDue as ModelDue,
        ModelSkipped as ModelSkipped,
        ModelTrial as ModelTrial,
        ModelUnbenched as ModelUnbenched,
        RequestCancelled as RequestCancelled,
        RequestEvent as RequestEvent,
        RequestFailed as RequestFailed,
        RequestStarted as RequestStarted,
        RequestSucceeded as RequestSucceeded,
        StoreDegraded as StoreDegraded,
        StoreRestored as StoreRestored,
        StreamBroken as StreamBroken,
    )
    from engine.figures import (
        Figures as Figures,
        ModelFigures as ModelFigures,
    )
    from engine.messages import (
        Delta as Delta,
        Embeddings as Embeddings,
        Message as Message,
        Params as Params,
        Prompt as Prompt,
        Reply as Reply,
        ToolCall as ToolCall,
        ToolCallDelta as ToolCallDelta,
        Usage as Usage,
    )
    from engine.names import (
        is_key as is_key,
        is_model as is_model,
    )
    from engine.places import (
        state_folder as state_folder,
    )
    from engine.policy import (
        Backoff as Backoff,
        Policy as Policy,
        Timeouts as Timeouts,
    )
    from engine.probing import (
        Probed as Probed,
    )
    from engine.providers.base import (
        Answer as Answer,
        Call as Call,
        EmbedCall as EmbedCall,
        Embedder as Embedder,
        EmbedLimits as EmbedLimits,
        End as End,
        Finish as Finish,
        Part as Part,
        Provider as Provider,
        Signal as Signal,
        Vectors as Vectors,
    )
    from engine.recorded import (
        Recorded as Recorded,
        event_from_json as event_from_json,
    )
    from engine.request import (
        cause_json as cause_json,
        causes_of as causes_of,
    )
    from engine.secret import (
        Secret as Secret,
        redact as redact,
    )
    from engine.seen import (
        EngineSeen as EngineSeen,
        StoreState as StoreState,
    )
    from engine.store.address import (
        store_address as store_address,
    )
    from engine.store.base import (
        Store as Store,
        StoreError as StoreError,
        StoreRefused as StoreRefused,
    )
    from engine.store.memory import (
        MemoryStore as MemoryStore,
    )
    from engine.store.opening import (
        open_store as open_store,
        store_name as store_name,
    )
    from engine.stream import (
        Stream as Stream,
    )
    from engine.survey import (
        Benched as Benched,
        KeyStatus as KeyStatus,
        ModelStatus as ModelStatus,
        Prospect as Prospect,
    )
    from engine.traffic import (
        BackgroundTraffic as BackgroundTraffic,
    )

_HOME = {
    "blocking": ("BlockingEngine",),
    "blocking_stream": ("BlockingStream",),
    "classify": ("is_transient",),
    "config.load": (
        "find_config",
        "load_config",
        "parse_config",
        "sample_path",
        "user_config_path",
    ),
    "config.model": (
        "ChainConfig",
        "Config",
        "Dashboard",
        "Fails",
        "Incident",
        "KeySource",
        "ModelConfig",
        "Owner",
        "ProviderConfig",
        "SimulatedModel",
        "Traffic",
    ),
    "controls": (
        "LONGEST_BY",
        "LONGEST_REASON",
    ),
    "durations": (
        "format_duration",
        "parse_duration",
    ),
    "engine": ("Engine",),
    "errors": (
        "AllBenched",
        "AuthDeadError",
        "ChainExhausted",
        "ConfigError",
        "DeadlineExceeded",
        "Failure",
        "Fault",
        "NoUsableModel",
        "RequestError",
        "StandbyError",
        "StreamInterrupted",
        "TransientError",
        "UnknownTarget",
        "UnknownUpstreamError",
        "UpstreamError",
    ),
    "events": (
        "AttemptCancelled",
        "AttemptFailed",
        "AttemptFirstToken",
        "AttemptStarted",
        "AttemptSucceeded",
        "ConfigRejected",
        "ConfigReloaded",
        "Event",
        "FeedDropped",
        "KeyBenched",
        "KeyUnbenched",
        "ModelBenched",
        "ModelDue",
        "ModelSkipped",
        "ModelTrial",
        "ModelUnbenched",
        "RequestCancelled",
        "RequestEvent",
        "RequestFailed",
        "RequestStarted",
        "RequestSucceeded",
        "StoreDegraded",
        "StoreRestored",
        "StreamBroken",
    ),
    "figures": (
        "Figures",
        "ModelFigures",
    ),
    "messages": (
        "Delta",
        "Embeddings",
        "Message",
        "Params",
        "Prompt",
        "Reply",
        "ToolCall",
        "ToolCallDelta",
        "Usage",
    ),
    "names": (
        "is_key",
        "is_model",
    ),
    "places": ("state_folder",),
    "policy": (
        "Backoff",
        "Policy",
        "Timeouts",
    ),
    "probing": ("Probed",),
    "providers.base": (
        "Answer",
        "Call",
        "EmbedCall",
        "Embedder",
        "EmbedLimits",
        "End",
        "Finish",
        "Part",
        "Provider",
        "Signal",
        "Vectors",
    ),
    "recorded": (
        "Recorded",
        "event_from_json",
    ),
    "request": (
        "cause_json",
        "causes_of",
    ),
    "secret": (
        "Secret",
        "redact",
    ),
    "seen": (
        "EngineSeen",
        "StoreState",
    ),
    "store.address": ("store_address",),
    "store.base": (
        "Store",
        "StoreError",
        "StoreRefused",
    ),
    "store.memory": ("MemoryStore",),
    "store.opening": (
        "open_store",
        "store_name",
    ),
    "stream": ("Stream",),
    "survey": (
        "Benched",
        "KeyStatus",
        "ModelStatus",
        "Prospect",
    ),
    "traffic": ("BackgroundTraffic",),
}
_MODULE_OF = {name: f"engine.{module}" for module, names in _HOME.items() for name in names}

__all__ = ("classify", *_MODULE_OF)  # noqa: PLE0604 - the names are the keys of the table above, each a text


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
