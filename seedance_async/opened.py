"""What an open session is made of, put together."""

import random
from collections.abc import Callable
from functools import partial

from attrs import frozen

from seedance_async.admission import Admission
from seedance_async.asking import ask
from seedance_async.background import Background
from seedance_async.callbacks import Callbacks
from seedance_async.core.budget import Budget
from seedance_async.dispatcher import Dispatcher
from seedance_async.downloads import Downloads
from seedance_async.exchange import Exchange
from seedance_async.feeder import Feeder
from seedance_async.fetching import Refresh
from seedance_async.gatekeeper import Gatekeeper
from seedance_async.hooks import Hooks
from seedance_async.job import Job
from seedance_async.journal.entries import Entries
from seedance_async.journal.keeper import Keeper
from seedance_async.journal.services import service_name
from seedance_async.library import Library
from seedance_async.notices import Notices
from seedance_async.planner import Planner
from seedance_async.poller import Poller
from seedance_async.register import Register
from seedance_async.settings import Settings
from seedance_async.settling import Settling
from seedance_async.slots import LocalSlots, Slots
from seedance_async.transport import Transport
from seedance_async.uploads import Uploads
from seedance_async.watch import Watch


@frozen
class Opened:
    """The parts of an open session."""

    register: Register
    admission: Admission
    gatekeeper: Gatekeeper
    exchange: Exchange
    poller: Poller
    notices: Notices
    settling: Settling
    transport: Transport
    background: Background
    downloads: Downloads
    uploads: Uploads
    library: Library
    ask: Refresh
    forget_phantom: Callable[[Job], None]


def assemble(settings: Settings) -> Opened:
    """Put the parts of a session together, in the running loop. Nothing runs yet."""
    rand = random.random
    timeouts, hooks = settings.timeouts, Hooks(settings.hooks)
    slots: Slots = LocalSlots(settings.concurrency, rand) if settings.slots is None else settings.slots
    transport = Transport(
        settings.base_url, settings.key, timeouts, settings.proxy, settings.ssl, settings.http_session
    )
    keeper = None if settings.journal is None else Keeper(settings.journal, service=service_name(settings.base_url))
    entries = Entries(keeper)
    register = Register(slots, Budget(settings.budget), timeouts, hooks, entries)
    gatekeeper = Gatekeeper(register, settings.retry, rand)
    callbacks = Callbacks(settings.callback_url, entries)
    exchange = Exchange(transport, settings.retry, rand, hooks, entries, callbacks)
    uploads, library = Uploads(transport, rand, hooks, answered=gatekeeper.heard_answer), Library()
    feeder = Feeder(register, gatekeeper, uploads, library, settings.retry)
    register.expect = feeder.expect
    dispatcher = Dispatcher(register, gatekeeper, exchange, feeder)
    planner = Planner(register, settings.polling)
    watch = Watch(register, gatekeeper, planner, settings.retry, settings.key.source, dispatcher.balance)
    poller = Poller(register, gatekeeper, planner, transport, watch, rand)
    ask_once = partial(ask, transport)
    settling = Settling(register, callbacks, ask_once)
    notices = Notices(register, poller, planner, callbacks, settling)
    dispatcher.watch, dispatcher.usual, register.unknown = notices.accepted, planner.usual, notices.unknown
    return Opened(
        register=register,
        admission=Admission(settings.max_waiting, settings.max_waiting_per_group, register, gatekeeper, planner),
        gatekeeper=gatekeeper,
        exchange=exchange,
        poller=poller,
        notices=notices,
        settling=settling,
        transport=transport,
        background=Background(register, dispatcher, poller, transport, slots, settling, keeper),
        downloads=Downloads(
            transport.files, ask_once, sock_read=timeouts.download, connect=timeouts.connect, hooks=hooks
        ),
        uploads=uploads,
        library=library,
        ask=ask_once,
        forget_phantom=dispatcher.forget_phantom,
    )
